"""The pages of what a run is about to send, read some at a time: a storm is worked off by few queries and little memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, case, func, literal_column, null, select

from masthead.kernel.errors import NotFound
from masthead.paging.model import Delivery, Page
from masthead.paging.rows import page_of
from masthead.storage.database import Database
from masthead.storage.prepared import Prepared
from masthead.storage.schema import delivery, page

__all__ = ["Ahead", "Said"]

#: Pages read together: few at first, as a run may end after two failures; then twice as many each time.
_FIRST, _MOST = 2, 32
#: Longest details, in characters, of a page that is read before its turn; one may have half a million.
_LONGEST = 15_000


class Said(NamedTuple):
    """What a delivery says."""

    #: The page with this delivery alone.
    page: Page
    #: Whether it has no other.
    is_whole: bool


class Ahead:
    """Gives the pages of one run in the order in which it sends them."""

    def __init__(self, database: Database, deliveries: Sequence[Delivery]) -> None:
        """Args: deliveries: what is to be sent, in that order."""
        self._database = database
        self._deliveries = deliveries
        self._read: dict[str, Said] = {}
        self._pages = _FIRST

    async def get(self, number: int, *, is_alone: bool = False) -> Said:
        """Give the page of the delivery at place *number*; those that follow it come along, unless it *is_alone*.

        Raises:
            NotFound: there is no such page.
        """
        page_id = self._deliveries[number].page_id
        if page_id not in self._read and is_alone:
            wanted = self._deliveries[number : number + 1]
            self._read |= await self._database.read(lambda connection: _some(connection, wanted))
        elif page_id not in self._read:
            wanted = self._deliveries[number : number + self._pages]
            self._pages = min(2 * self._pages, _MOST)
            self._read = await self._database.read(lambda connection: _some(connection, wanted))
        if page_id not in self._read:
            raise NotFound(f"Page not found (id: {page_id})")
        return self._read.pop(page_id)


def _some(connection: Connection, wanted: Sequence[Delivery]) -> dict[str, Said]:
    """Read the page of the first of *wanted*, and of those that follow what is not too long."""
    of_page = {one.page_id: one for one in wanted}
    page_ids = [*of_page]
    places = dict(zip(_PLACES, page_ids + page_ids[:1] * (_MOST - len(page_ids)), strict=True))
    return {
        row.id: Said(page_of(row, [of_page[row.id]]), row.deliveries == 1)
        for row in _PAGES.all(connection, places)
        if row.details is not None
    }


_PLACES = [f"id_{place}" for place in range(_MOST)]
_IS_READ = (page.c.id == bindparam("id_0")) | (func.length(page.c.details) <= literal_column(str(_LONGEST)))
_PAGES = Prepared(
    lambda _: select(
        *(column for column in page.c if column is not page.c.details),
        case((_IS_READ, page.c.details), else_=null()).label("details"),
        select(func.count())
        .where(delivery.c.page_id == page.c.id)
        .correlate(page)
        .scalar_subquery()
        .label("deliveries"),
    ).where(page.c.id.in_([bindparam(place) for place in _PLACES]))
)
