"""Reading what was paged: who asked, from where, what was said, to whom, and what PagerDuty said.

Nothing here changes anything, and nothing that is read here holds an integration key that is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Subquery, func, select, text

from masthead.kernel.clock import from_ms
from masthead.kernel.errors import Conflict, NotFound, Reason
from masthead.pagerduty import Protocol
from masthead.paging.filters import Filters
from masthead.paging.model import Kind, Page
from masthead.paging.order import cursor_after, id_before
from masthead.paging.rows import load_page, pages_where
from masthead.storage.database import Database
from masthead.storage.schema import application, attempt, delivery, page

__all__ = ["Attempt", "Audit", "Entry", "Listing"]

#: Rows that are looked at for one answer. More would make a rare word cost seconds; the cursor goes on from there.
_MOST_ROWS = 10_000
#: The first window is so many times what is wanted; each next one so many times the one before.
_GROWTH = 4
_LARGEST_WINDOW = 5_000
_SMALLEST_WINDOW = 200
#: So many deliveries that wait can be looked at in one go.
_FEW = 2_000
#: Pages that an export reads at a time: what is in memory at once.
_EXPORT_BATCH = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """Some of the pages that were asked for, newest first."""

    pages: tuple[Page, ...]
    #: Goes on behind them; None when there are no more.
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP request for a delivery, and what PagerDuty said."""

    delivery_id: str
    #: From 1.
    number: int
    at: datetime
    protocol: Protocol
    #: None without an answer.
    status: int | None
    #: accepted, retry or rejected.
    outcome: str
    reason: Reason | None
    text: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """All that is known of one page."""

    page: Page
    #: Id of a delivery → its attempts, in order.
    attempts: Mapping[str, Sequence[Attempt]]
    #: Acknowledges, resolves and resends, oldest first.
    follow_ups: tuple[Page, ...]
    #: Id of a folded delivery → the page whose event speaks for it, while that is kept.
    told_by: Mapping[str, str]
    #: Id of a delivery → how many others it speaks for; none are left out.
    speaks_for: Mapping[str, int]


class Audit:
    """What was paged, for people and programs that look back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, filters: Filters, *, limit: int, cursor: str | None = None) -> Listing:
        """Give pages that match, newest first.

        Args:
            filters: What they must be.
            limit: How many at most, 1 or more.
            cursor: Of the listing before; None begins with the newest.

        Returns:
            A listing. One with a cursor may hold fewer pages than *limit*, even none: after a bounded number of
            rows the search stops, and the cursor goes on with it.

        Raises:
            InvalidRequest: the cursor is none of ours.
        """
        before = id_before(cursor) if cursor else None
        return await self._database.read(lambda connection: _find(connection, filters, limit, before))

    async def latest(self, applications: Collection[str] | None = None) -> Mapping[str, str]:
        """Give the newest page that was asked for in the name of each application: its id, which sorts by time.

        Args:
            applications: Names in lower case; None for all that there are.
        """
        newest = (
            select(page.c.id)
            .where(page.c.application == application.c.name, page.c.kind == Kind.TRIGGER)
            .order_by(page.c.id.desc())
            .limit(1)
            .correlate(application)
            .scalar_subquery()
        )
        query = select(application.c.name, newest.label("page"))
        if applications is not None:
            query = query.where(application.c.name.in_(applications))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.name: row.page for row in rows if row.page is not None}

    async def pages(self, ids: Collection[str]) -> Mapping[str, Page]:
        """Give those pages of *ids* that there are, by id."""
        query = select(page).where(page.c.id.in_(ids))
        found = await self._database.read(lambda connection: pages_where(connection, query))
        return {one.id: one for one in found}

    async def entry(self, page_id: str) -> Entry:
        """Give all that is known of a page.

        Raises:
            NotFound: there is no such page.
        """
        found = await self._database.read(lambda connection: _entry(connection, page_id))
        if found is None:
            raise NotFound(f"Page not found (id: {page_id})")
        return found

    async def asked_before(self, identity: str, fingerprint: str) -> Page | None:
        """Give the page that was asked for under *identity*, or None when it is new.

        Raises:
            Conflict: the page that was asked for under it had another fingerprint.
        """

        def work(connection: Connection) -> Page | Conflict | None:
            row = connection.execute(_BY_IDENTITY.where(page.c.identity == identity)).first()
            if row is None:
                return None
            if row.fingerprint != fingerprint:
                return Conflict("This idempotency key was used for another page; send a new one.")
            return load_page(connection, row.id)

        found = await self._database.read(work)
        if isinstance(found, Conflict):
            raise found
        return found

    async def batches(self, filters: Filters) -> AsyncIterator[tuple[Page, ...]]:
        """Give all pages that match, newest first, some at a time; pages asked for meanwhile are left out."""
        cursor: str | None = None
        while True:
            listing = await self.find(filters, limit=_EXPORT_BATCH, cursor=cursor)
            if listing.pages:
                yield listing.pages
            if listing.cursor is None:
                return
            cursor = listing.cursor


_BY_IDENTITY = select(page.c.id, page.c.fingerprint)


def _find(connection: Connection, filters: Filters, limit: int, before: str | None) -> Listing:
    ids, cursor = _Search(connection, filters, before).run(limit)
    if not ids:
        return Listing((), cursor)
    query = select(page).where(page.c.id.in_(ids)).order_by(page.c.id.desc())
    return Listing(tuple(pages_where(connection, query)), cursor)


class _Search:
    """Looks through windows of growing size until enough is found, nothing is left, or it was enough work."""

    def __init__(self, connection: Connection, filters: Filters, before: str | None) -> None:
        self._connection = connection
        self._filters = filters
        self._before = before
        self._conditions = filters.conditions(connection.dialect.name)
        self._branches = filters.indexed_by(few_wait=_few_wait(connection))
        self._rows_left = _MOST_ROWS // 2 if filters.asks_deliveries else _MOST_ROWS

    def run(self, limit: int) -> tuple[list[str], str | None]:
        """Give the ids of at most *limit* matches, and the cursor behind them if there may be more."""
        found: list[str] = []
        size = min(max(limit * _GROWTH, _SMALLEST_WINDOW), _LARGEST_WINDOW)
        while True:
            is_left = self._look(found, limit + 1, size)
            if len(found) > limit:
                return found[:limit], cursor_after(found[limit - 1])
            if not is_left:
                return found, None
            if self._rows_left <= 0 and self._before is not None:
                return found, cursor_after(self._before)
            size = min(size * _GROWTH, _LARGEST_WINDOW, self._rows_left)

    def _look(self, found: list[str], wanted: int, size: int) -> bool:
        """Add the matches of the next *size* candidates; tell whether there are more candidates."""
        candidate = self._filters.window(self._branches, self._before, size)
        reach = select(func.min(candidate.c.id).label("last"), func.count(candidate.c.id).label("number"))
        last, number = self._connection.execute(reach).one()
        if not number:
            return False
        need = wanted - len(found)
        rows = self._connection.execute(self._matches(candidate, last).limit(need)).all()
        found += [row.id for row in rows if self._filters.holds(row)]
        is_full = len(rows) == need
        self._before = rows[-1].id if is_full else last
        self._rows_left -= number
        return is_full or number == size

    def _matches(self, candidate: Subquery, last: str) -> Select[Any]:
        columns = page.c.id, page.c.message, page.c.details
        if not self._branches:
            within = [*self._filters.bounds(page.c.id, self._before), page.c.id >= last]
            return select(*columns).where(*within, *self._conditions).order_by(page.c.id.desc())
        return (
            select(*columns)
            .select_from(candidate)
            .join(page, page.c.id == candidate.c.id)
            .where(*self._conditions)
            .order_by(candidate.c.id.desc())
        )


def _few_wait(connection: Connection) -> bool:
    some = select(delivery.c.key_hash).where(text("delivery.state = 'pending'")).limit(_FEW + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one()) <= _FEW


def _entry(connection: Connection, page_id: str) -> Entry | None:
    found = load_page(connection, page_id)
    if found is None:
        return None
    ids = [one.id for one in found.deliveries]
    follow_ups = select(page).where(page.c.parent_id == page_id).order_by(page.c.id)
    return Entry(
        found,
        attempts=_attempts(connection, ids),
        follow_ups=tuple(pages_where(connection, follow_ups)),
        told_by=_told_by(connection, found),
        speaks_for=_speaks_for(connection, ids),
    )


def _attempts(connection: Connection, delivery_ids: Sequence[str]) -> Mapping[str, Sequence[Attempt]]:
    found: dict[str, list[Attempt]] = defaultdict(list)
    query = (
        select(attempt)
        .where(attempt.c.delivery_id.in_(delivery_ids))
        .order_by(attempt.c.delivery_id, attempt.c.number)
    )
    for row in connection.execute(query):
        found[row.delivery_id].append(
            Attempt(
                row.delivery_id,
                row.number,
                from_ms(row.at),
                Protocol(row.protocol),
                row.status,
                row.outcome,
                Reason(row.reason) if row.reason else None,
                row.text,
                row.duration_ms,
            )
        )
    return found


def _told_by(connection: Connection, found: Page) -> Mapping[str, str]:
    speakers = {one.folded_into: one.id for one in found.deliveries if one.folded_into}
    if not speakers:
        return {}
    query = select(delivery.c.id, delivery.c.page_id).where(delivery.c.id.in_(list(speakers)))
    return {speakers[row.id]: row.page_id for row in connection.execute(query)}


def _speaks_for(connection: Connection, delivery_ids: Sequence[str]) -> Mapping[str, int]:
    query = (
        select(delivery.c.folded_into, func.count().label("number"))
        .where(delivery.c.folded_into.in_(delivery_ids))
        .group_by(delivery.c.folded_into)
    )
    return {row.folded_into: row.number for row in connection.execute(query)}
