"""Forgetting: pages that were decided long ago are deleted, a few at a time.

Each batch is a unit of work of its own, so that pages that are asked for meanwhile wait for one batch at most, and what
is stopped half-way goes on the next time. With a page go its deliveries, their attempts and what was proven of them;
an acknowledge, a resolve or a resend is a page of its own and goes when it is old itself. A page of which something is
still to be sent stays, however old it is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import structlog
from sqlalchemy import Connection, delete, select

from masthead.kernel.clock import Clock
from masthead.kernel.errors import StorageUnavailable
from masthead.paging.model import DeliveryState
from masthead.paging.order import first_id
from masthead.storage.database import Database
from masthead.storage.schema import attempt, delivery, page, proof

__all__ = ["Retention"]

log = structlog.get_logger(__name__)
_EVERY_S = 3600.0
#: Pages in one transaction: some milliseconds of the writer's time.
_BATCH = 100
#: Between two batches: what waits to be written goes first.
_PAUSE_S = 0.1


class Retention:
    """Deletes pages that are older than they are kept."""

    def __init__(self, database: Database, clock: Clock, days: int) -> None:
        """Args: days: how long decided pages are kept; 0 for ever."""
        self._database = database
        self._clock = clock
        self._days = days

    async def run(self) -> None:
        """Look once an hour, until cancelled; ends at once when pages are kept for ever."""
        while self._days:
            try:
                if forgotten := await self.forget():
                    log.info("pages.forgotten", pages=forgotten, days=self._days)
            except StorageUnavailable as error:
                log.warning("pages.not-forgotten", error=error.message)
            await self._clock.sleep(_EVERY_S)

    async def forget(self) -> int:
        """Delete every page that is too old now; gives how many there were.

        Raises:
            StorageUnavailable: the database does not answer; what is not deleted yet is deleted the next time.
        """
        before = first_id(self._clock.now() - timedelta(days=self._days))
        forgotten, after = 0, ""
        while True:
            gone, last = await self._database.write(_Batch(after, before))
            forgotten += gone
            if last is None:
                return forgotten
            after = last
            await self._clock.sleep(_PAUSE_S)


class _Batch:
    """The unit of work that deletes the oldest pages with ids between two."""

    def __init__(self, after: str, before: str) -> None:
        self._after = after
        self._before = before

    def __call__(self, connection: Connection) -> tuple[int, str | None]:
        """Give how many were deleted, and the last id that was looked at; None when there are no more."""
        within = page.c.id > self._after, page.c.id < self._before
        ids = connection.execute(select(page.c.id).where(*within).order_by(page.c.id).limit(_BATCH))
        looked_at = list(ids.scalars())
        decided = _decided(connection, looked_at)
        _forget(connection, decided)
        return len(decided), looked_at[-1] if len(looked_at) == _BATCH else None


def _decided(connection: Connection, page_ids: Collection[str]) -> list[str]:
    """Give the pages that have nothing left to be sent, and keep what is read so: no resend comes between."""
    query = select(delivery.c.page_id, delivery.c.state).where(delivery.c.page_id.in_(page_ids))
    rows = connection.execute(query.with_for_update()).all()
    waiting = {row.page_id for row in rows if row.state == DeliveryState.PENDING}
    return [page_id for page_id in page_ids if page_id not in waiting]


def _forget(connection: Connection, page_ids: Collection[str]) -> None:
    if not page_ids:
        return
    of_pages = select(delivery.c.id).where(delivery.c.page_id.in_(page_ids))
    for table in (proof, attempt):
        connection.execute(delete(table).where(table.c.delivery_id.in_(of_pages)))
    connection.execute(delete(delivery).where(delivery.c.page_id.in_(page_ids)))
    connection.execute(delete(page).where(page.c.id.in_(page_ids)))
