"""First attempts that are under way, so that a caller who waits hears of them without asking the database."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from masthead.kernel.clock import from_ms
from masthead.paging.model import Delivery, Page
from masthead.paging.outcomes import Result

__all__ = ["Flight"]


class Flight:
    """The first attempts of one page."""

    def __init__(self, page: Page, attempts: int) -> None:
        """Args: attempts: how many of the page's deliveries are tried at once."""
        self.page = page
        self.over = asyncio.Event()
        self._under_way = attempts
        self._landed: dict[str, Delivery] = {}

    def land(self, result: Result | None) -> bool:
        """Note what came of one attempt (None: nothing was tried); tell whether it was the last."""
        if result is not None:
            self._landed[result.delivery.id] = _after(result)
        self._under_way -= 1
        if self._under_way == 0:
            self.over.set()
        return self._under_way == 0

    def now(self) -> Page:
        """Give the page as far as it is known."""
        if not self._landed:
            return self.page
        deliveries = tuple(self._landed.get(one.id, one) for one in self.page.deliveries)
        return replace(self.page, deliveries=deliveries)


def _after(result: Result) -> Delivery:
    return replace(
        result.delivery,
        state=result.state,
        reason=result.reason,
        text=result.text,
        attempts=result.number,
        is_uncertain=result.is_uncertain,
        decided_at=from_ms(result.at_ms) if result.state.is_decided else None,
    )
