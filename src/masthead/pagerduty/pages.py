"""Reading a list page by page: all of it where possible, and the rest where one page fails.

Source: PagerDuty facts A.5: at most 100 a page, ``more`` says whether another follows, ``total`` only when asked
for, offset plus limit above 10,000 is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from masthead.kernel.errors import OutsideFailure, Reason

__all__ = ["OFFSET_CEILING", "PAGE_SIZE", "Collected", "Params", "collect"]

PAGE_SIZE = 100
OFFSET_CEILING = 10_000
_LAST_OFFSET = OFFSET_CEILING - PAGE_SIZE
#: After so many failures in a row the rest of the list is not asked for: PagerDuty is down, not one page broken.
_MOST_MISSES = 3
#: When these befall the first page, the second may still come.
_PASSING = (Reason.SERVER, Reason.ANSWER)

Params = Sequence[tuple[str, str]]
Get = Callable[[str, Params], Awaitable[dict[str, Any]]]


@dataclass
class Collected:
    """What a list brought: the items of the pages that came, and why others did not."""

    #: In PagerDuty's order; one that moved while the pages were read may stand twice.
    items: list[dict[str, Any]] = field(default_factory=list)
    failures: list[OutsideFailure] = field(default_factory=list)
    #: PagerDuty has more than an offset can reach; ask in parts.
    is_cut: bool = False
    #: How many items PagerDuty says there are; None when it does not say.
    total: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every page came."""
        return not self.failures and not self.is_cut


@dataclass(frozen=True, slots=True)
class _Page:
    items: list[dict[str, Any]]
    #: How many items the server puts on a page: it may give fewer than were asked for.
    step: int
    has_more: bool
    total: int | None


async def collect(get: Get, path: str, item_key: str, params: Params, *, in_flight: int) -> Collected:
    """Give all items of a list; a page that fails is left out and told.

    Args:
        get: Gives the JSON object of a path and its parameters, having retried what can be.
        path: For example ``/services``.
        item_key: The name of the list in the answer, for example ``services``.
        params: Further query parameters, as pairs.
        in_flight: Pages asked for at once.

    Raises:
        OutsideFailure: nothing came at all.
    """
    return await _Reader(get, path, item_key, params).read(in_flight)


class _Reader:
    def __init__(self, get: Get, path: str, item_key: str, params: Params) -> None:
        self._get, self._path, self._item_key, self._params = get, path, item_key, params
        self._pages: dict[int, _Page] = {}
        self._asked: set[int] = set()
        self._failures: list[OutsideFailure] = []
        self._misses = 0

    async def read(self, in_flight: int) -> Collected:
        first = await self._first()
        if first.total is not None:
            rest = iter(range(first.step, min(first.total, _LAST_OFFSET + 1), first.step))
            await asyncio.gather(*(self._ask_for(rest) for _ in range(in_flight)))
        await self._follow(first)
        last = self._pages[max(self._pages)]
        total = last.total if last.total is not None else first.total
        at_the_end = max(self._asked) + first.step > _LAST_OFFSET
        return Collected(
            items=[item for offset in sorted(self._pages) for item in self._pages[offset].items],
            failures=self._failures,
            is_cut=total > OFFSET_CEILING if total is not None else at_the_end and last.has_more,
            total=total,
        )

    async def _first(self) -> _Page:
        page = await self._ask(0)
        if page is None and self._failures[0].reason in _PASSING:
            page = await self._ask(PAGE_SIZE)
        if page is None:
            raise self._failures[0]
        return page

    async def _ask_for(self, offsets: Iterator[int]) -> None:
        for offset in offsets:
            if offset not in self._asked:
                await self._ask(offset)
            if self._misses >= _MOST_MISSES:
                return

    async def _follow(self, first: _Page) -> None:
        """Go on from the last page for as long as PagerDuty says that there is more: the list may have grown."""
        offset = max(self._asked)
        has_more = self._pages[offset].has_more if offset in self._pages else first.total is None
        while has_more and self._misses < _MOST_MISSES and offset + first.step <= _LAST_OFFSET:
            offset += first.step
            if page := await self._ask(offset):
                has_more = page.has_more and bool(page.items)

    async def _ask(self, offset: int) -> _Page | None:
        self._asked.add(offset)
        paging = [("limit", str(PAGE_SIZE)), ("offset", str(offset)), ("total", "true")]
        try:
            page = _read(await self._get(self._path, [*self._params, *paging]), self._item_key)
        except OutsideFailure as failure:
            self._failures.append(failure)
            self._misses += 1
            return None
        self._pages[offset] = page
        self._misses = 0
        return page


def _read(document: dict[str, Any], item_key: str) -> _Page:
    items, total, limit = (document.get(name) for name in (item_key, "total", "limit"))
    if not isinstance(items, list):
        raise OutsideFailure(
            f"PagerDuty's answer has no list of {item_key}; check that the base URL is PagerDuty's.",
            reason=Reason.ANSWER,
        )
    return _Page(
        items=[item for item in items if isinstance(item, dict)],
        step=min(limit, PAGE_SIZE) if isinstance(limit, int) and limit > 0 else PAGE_SIZE,
        has_more=document.get("more") is True,
        total=total if isinstance(total, int) and not isinstance(total, bool) else None,
    )
