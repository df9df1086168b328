"""One time for all machines of a database: on PostgreSQL each goes by the database's clock.

What one machine dates another works off, and the bursts are due by the database's clock. Where a machine's own clock goes
five minutes ahead, its retries would wait for five minutes.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy import Connection

from masthead.kernel.clock import SystemClock, from_ms
from masthead.kernel.errors import StorageUnavailable
from masthead.storage.database import Database

__all__ = ["SharedTime"]

log = structlog.get_logger(__name__)
_EVERY_S = 10.0
#: Clocks that are kept by NTP differ by less; and what the question takes must not look like a difference.
_TOLERANCE = timedelta(seconds=1)


class SharedTime:
    """Compares this process's clock with the database's."""

    def __init__(self, database: Database, clock: SystemClock) -> None:
        """Args: clock: moved to the database's time where it differs."""
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Compare now and then, until cancelled; ends at once on SQLite, which has no clock of its own."""
        while self._database.is_postgresql:
            await self._clock.sleep(_EVERY_S)
            try:
                await self.compare()
            except StorageUnavailable as error:
                log.warning("clock.not-compared", error=error.message)

    async def compare(self) -> None:
        """Ask the database for its time and go by it.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        if not self._database.is_postgresql:
            return
        lead = await self._database.read(self._measure)
        if abs(lead) > _TOLERANCE:
            log.warning("clock.differs", database_is_ahead_s=round(lead.total_seconds(), 1))
            self._clock.move(lead)

    def _measure(self, connection: Connection) -> timedelta:
        """Give by how much the database's clock is ahead of ours."""
        self._database.now_ms(connection)  # the first question of a connection takes longest
        before = self._clock.now()
        theirs = from_ms(self._database.now_ms(connection))
        return theirs - (before + (self._clock.now() - before) / 2)
