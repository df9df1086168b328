"""Forgetting: executions that ended long ago are deleted, a few at a time.

Each batch is a unit of work of its own, so that what runs meanwhile waits for one batch at most. One that has not ended
stays, however old it is, and so does one that somebody restarts meanwhile. The pages it sent have a retention of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, Connection, delete, func, select

from masthead.executions.status import Status
from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import StorageUnavailable
from masthead.storage.database import Database
from masthead.storage.schema import execution as table

__all__ = ["ExecutionRetention"]

log = structlog.get_logger(__name__)
_EVERY_S = 3600.0
#: Executions in one transaction: some milliseconds of the writer's time.
_BATCH = 100
#: Between two batches: what waits to be written goes first.
_PAUSE_S = 0.1
_COMPLETE = tuple(status.value for status in Status if status.is_complete)


class ExecutionRetention:
    """Deletes executions that are older than they are kept."""

    def __init__(self, database: Database, clock: Clock, days: int) -> None:
        """Args: days: how long executions that ended are kept; 0 for ever."""
        self._database = database
        self._clock = clock
        self._days = days

    async def run(self) -> None:
        """Look once an hour, until cancelled; ends at once when executions are kept for ever."""
        while self._days:
            try:
                if forgotten := await self.forget():
                    log.info("executions.forgotten", executions=forgotten, days=self._days)
            except StorageUnavailable as error:
                log.warning("executions.not-forgotten", error=error.message)
            await self._clock.sleep(_EVERY_S)

    async def forget(self) -> int:
        """Delete every execution that is too old now; gives how many there were.

        Raises:
            StorageUnavailable: the database does not answer; what is not deleted yet is deleted the next time.
        """
        before_ms = to_ms(self._clock.now() - timedelta(days=self._days))
        forgotten = 0
        while ids := await self._database.read(lambda connection: _old(connection, before_ms)):
            forgotten += await self._database.write(_Batch(ids, before_ms))
            await self._clock.sleep(_PAUSE_S)
        return forgotten


class _Batch:
    """The unit of work that deletes executions which are still too old."""

    def __init__(self, ids: Sequence[str], before_ms: int) -> None:
        self._ids = ids
        self._before_ms = before_ms

    def __call__(self, connection: Connection) -> int:
        """Give how many were deleted."""
        query = delete(table).where(table.c.id.in_(self._ids), *_is_old(self._before_ms))
        return connection.execute(query).rowcount


def _old(connection: Connection, before_ms: int) -> list[str]:
    query = select(table.c.id).where(*_is_old(before_ms)).order_by(table.c.id).limit(_BATCH)
    return list(connection.execute(query).scalars())


def _is_old(before_ms: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    ended_at = func.coalesce(table.c.end_at, table.c.build_at)
    return table.c.status.in_(_COMPLETE), ended_at < before_ms
