"""Paging as stages see it: remembers which pages a running burst waits for.

When a page is decided, its execution is woken: unless a burst on this machine sees the decision anyway.
"""

from __future__ import annotations

from collections.abc import Callable

from masthead.executions.ports import PagingPort
from masthead.kernel.caller import Caller
from masthead.paging import Draft, Page

__all__ = ["WatchedPaging"]


class WatchedPaging:
    """A :class:`PagingPort` around another."""

    def __init__(self, paging: PagingPort) -> None:
        self._paging = paging
        self._awaited: set[str] = set()
        self._requested: set[str | None] = set()

    async def request(self, draft: Draft, caller: Caller) -> Page:
        """Store the page and begin to send it; the stage looks at it next, so it is not told meanwhile."""
        self._requested.add(draft.stage_id)
        try:
            return await self._paging.request(draft, caller)
        finally:
            self._requested.discard(draft.stage_id)

    async def get(self, page_id: str) -> Page:
        """Give the page as it stands."""
        return await self._paging.get(page_id)

    async def of_execution(self, execution_id: str) -> list[Page]:
        """Give the pages that an execution asked for, oldest first."""
        return await self._paging.of_execution(execution_id)

    async def wait(self, page_id: str, timeout_s: float) -> Page:
        """Give the page once it is decided, or as it stands after *timeout_s* seconds.

        A page that is decided in the instant in which the wait ends is looked at once more, so that its
        execution hears of it here or is woken.
        """
        self._awaited.add(page_id)
        try:
            page = await self._paging.wait(page_id, timeout_s)
        finally:
            self._awaited.discard(page_id)
        return page if page.is_decided else await self._paging.get(page_id)

    def on_decided(self, tell: Callable[[Page], None]) -> None:
        """Have *tell* called when a page was decided that no burst here waits for."""

        def tell_unless_awaited(page: Page) -> None:
            if page.id not in self._awaited and page.stage_id not in self._requested:
                tell(page)

        self._paging.on_decided(tell_unless_awaited)
