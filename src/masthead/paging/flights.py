"""First attempts that are under way, so that a caller who waits hears of them without asking the database."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from masthead.kernel.clock import Clock
from masthead.paging.model import Delivery, Page
from masthead.paging.outcomes import Result

__all__ = ["Flight"]


class Flight:
    """The first attempts of one page."""

    def __init__(self, page: Page, attempts: int) -> None:
        """Args: attempts: how many of the page's deliveries are tried at once."""
        self.page = page
        self.is_over = False
        self._under_way = attempts
        self._landed: dict[str, Delivery] = {}
        self._waiting: list[asyncio.Future[None]] = []

    def land(self, result: Result | None) -> bool:
        """Note what came of one attempt (None: nothing was tried); tell whether it was the last."""
        if result is not None:
            self._landed[result.delivery.id] = result.delivery_after
        self._under_way -= 1
        if self._under_way == 0:
            self.is_over = True
            if len(self._landed) > 0:
                self.page = self.now()
                self._landed = {}
            for waiting in self._waiting:
                _wake(waiting)
        return self.is_over

    async def wait(self, clock: Clock, seconds: float) -> None:
        """Wait until the last attempt was made, *seconds* at most."""
        if self.is_over or seconds <= 0:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(woken)
        timer = clock.call_later(seconds, lambda: _wake(woken))
        try:
            await woken
        finally:
            timer.cancel()

    def now(self) -> Page:
        """Give the page as far as it is known."""
        if not self._landed:
            return self.page
        deliveries = tuple(self._landed.get(one.id, one) for one in self.page.deliveries)
        return replace(self.page, deliveries=deliveries)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
