"""The pages of what a run is about to send, read some at a time: a storm is worked off by few queries and little memory."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from masthead.kernel.errors import NotFound
from masthead.paging.model import Page
from masthead.paging.rows import pages_where
from masthead.storage.database import Database
from masthead.storage.schema import page

__all__ = ["Ahead"]

#: Pages read together: few at first, as a run may end after two failures; then twice as many each time.
_FIRST, _MOST = 2, 32
#: Characters of their details at most; a page alone may have half a million.
_CHARACTERS = 500_000


class Ahead:
    """Gives the pages of one run in the order in which it sends them."""

    def __init__(self, database: Database, page_ids: Sequence[str]) -> None:
        """Args: page_ids: of what is to be sent, in that order."""
        self._database = database
        self._page_ids = page_ids
        self._read: dict[str, Page] = {}
        self._pages = _FIRST

    async def get(self, number: int) -> Page:
        """Give the page at place *number*; those that follow it come along.

        Raises:
            NotFound: there is no such page.
        """
        page_id = self._page_ids[number]
        if page_id not in self._read:
            wanted = self._page_ids[number : number + self._pages]
            self._pages = min(2 * self._pages, _MOST)
            self._read = await self._database.read(lambda connection: _some(connection, wanted))
        if page_id not in self._read:
            raise NotFound(f"Page not found (id: {page_id})")
        return self._read.pop(page_id)


def _some(connection: Connection, page_ids: Sequence[str]) -> dict[str, Page]:
    """Read the first of *page_ids*, and of those that follow what has room beside it."""
    lengths = select(page.c.id, func.length(page.c.details)).where(page.c.id.in_(page_ids))
    length_of = {row[0]: row[1] for row in connection.execute(lengths)}
    chosen: list[str] = []
    characters = 0
    for page_id in page_ids:
        characters += length_of.get(page_id, 0)
        if chosen and characters > _CHARACTERS:
            break
        chosen.append(page_id)
    return {one.id: one for one in pages_where(connection, select(page).where(page.c.id.in_(chosen)))}
