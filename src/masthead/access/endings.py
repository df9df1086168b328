"""Sessions that their users ended, known to all machines within some seconds.

A session is no row, so only its end has to be remembered, and only until it would have ended by itself. The machine that
was told knows it at once, also while the database does not answer; it writes it down as soon as it does.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog
from sqlalchemy import Connection, delete, select

from masthead.kernel.clock import Clock, from_ms, to_ms
from masthead.kernel.errors import StorageUnavailable
from masthead.storage.database import Database
from masthead.storage.schema import ended_session
from masthead.storage.statements import insert_if_absent

__all__ = ["LOOK_S", "EndedSessions"]

log = structlog.get_logger(__name__)

#: After so many seconds every machine knows that a session was ended on another.
LOOK_S = 5.0


class EndedSessions:
    """Remembers ids of sessions."""

    def __init__(self, database: Database | None, clock: Clock) -> None:
        """Args: database: shared by all machines; None remembers in this process alone."""
        self._database = database
        self._clock = clock
        self._ended: dict[str, datetime] = {}
        self._unwritten: dict[str, datetime] = {}
        self._looking = asyncio.Lock()

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._ended

    async def end(self, session_id: str, *, until: datetime) -> None:
        """Remember that a session was ended, until it would have ended by itself."""
        self._ended[session_id] = self._unwritten[session_id] = until
        await self.look()

    async def run(self) -> None:
        """Learn what other machines were told, until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Write down what was not written yet, and learn what others wrote."""
        if self._database is None:
            return
        try:
            async with (
                self._looking
            ):  # else what an earlier look read could take the place of what a later one wrote
                await self._write()
                written = await self._database.read(self._select)
                self._ended = written | self._unwritten
        except StorageUnavailable as error:
            log.warning("sessions.not-compared", error=error.message)

    async def _write(self) -> None:
        unwritten, now = dict(self._unwritten), to_ms(self._clock.now())

        def work(connection: Connection) -> None:
            for session_id, until in unwritten.items():
                values = {"id": session_id, "until_at": to_ms(until)}
                insert_if_absent(connection, ended_session, values, key=["id"])
            connection.execute(delete(ended_session).where(ended_session.c.until_at < now))

        if unwritten and self._database is not None:
            await self._database.write(work)
            for session_id in unwritten:
                self._unwritten.pop(session_id, None)

    def _select(self, connection: Connection) -> dict[str, datetime]:
        now = to_ms(self._clock.now())
        rows = connection.execute(select(ended_session).where(ended_session.c.until_at >= now))
        return {row.id: from_ms(row.until_at) for row in rows}
