"""Which processes share this database, and which of them are alive.

Every process writes a row with a beat. On SQLite, whose processes all stand on one computer, a process also
holds a lock on a file of its own: the operating system lets go of it in the instant the process dies, so a
restart after ``kill -9`` waits for nothing. On PostgreSQL a machine is dead when its beat is older than
``dead_after``; it stops acting by itself before that (``fence_after``), judged by a clock of its own that nobody sets
and that goes on while the computer sleeps, and comes back under a new id.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from masthead.kernel.clock import Clock, since_boot
from masthead.kernel.errors import StorageUnavailable
from masthead.kernel.ids import Ids
from masthead.storage.database import Database
from masthead.storage.schema import machine

__all__ = ["Machines", "Rhythm"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a machine says that it lives, and what silence means; settings, so that tests can scale them."""

    beat_every: timedelta = timedelta(seconds=2)
    #: A machine that could not beat for so long contacts nobody outside any more.
    fence_after: timedelta = timedelta(seconds=6)
    #: A machine that was silent for so long is dead to the others (PostgreSQL).
    dead_after: timedelta = timedelta(seconds=8)


class Machines:
    """This process's own row, and the burial of others."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        *,
        version: str,
        rhythm: Rhythm | None = None,
        elapsed: Callable[[], float] = since_boot,
    ) -> None:
        """Args: version: this release, for people who look at the machines; elapsed: seconds that the lease is judged by."""
        self._database = database
        self._clock = clock
        self._ids = ids
        self._version = version
        self._rhythm = rhythm or Rhythm()
        self._id = ids.new()
        self._elapsed = elapsed
        self._beat_at = elapsed()
        self._lock: int | None = None
        self._burials: list[Callable[[Connection, str], None]] = []

    @property
    def id(self) -> str:
        """This process, until it was fenced; then it takes a new one."""
        return self._id

    @property
    def holds_lease(self) -> bool:
        """Whether this machine may act outside: its last beat is young enough that nobody buried it."""
        return self._elapsed() - self._beat_at < self._rhythm.fence_after.total_seconds()

    def may_act(self, machine_id: str) -> bool:
        """Whether this process is still that machine, and nobody can have buried it: one sender at a time."""
        return machine_id == self._id and self.holds_lease

    def on_burial(self, free: Callable[[Connection, str], None]) -> None:
        """Have *free* called, in the burying transaction, with the id of each machine found dead."""
        self._burials.append(free)

    async def start(self) -> None:
        """Enter this machine and bury those that died before."""
        self._take_lock()
        await self._database.write(self._enter)
        self._beat_at = self._elapsed()
        await self.bury()

    async def run(self) -> None:
        """Beat, and bury who is silent, until cancelled."""
        while True:
            await self._clock.sleep(self._rhythm.beat_every.total_seconds())
            try:
                await self.beat()
                await self.bury()
            except StorageUnavailable as error:
                log.warning("machine.beat-failed", error=error.message)
            except Exception:
                log.exception("machine.beat-broke")

    async def beat(self) -> None:
        """Say that this machine lives; when the others buried it, come back under a new id."""
        began = self._elapsed()
        if await self._database.write(self._touch):
            self._beat_at = began
            return
        log.warning("machine.fenced", machine=self._id)
        self._drop_lock()
        self._id = self._ids.new()
        await self.start()

    async def bury(self) -> list[str]:
        """Free what dead machines held; gives their ids."""
        if not await self._database.read(self._find_dead):
            return []
        buried = await self._database.write(self._bury)
        if buried:
            log.warning("machine.buried", machines=buried)
        return buried

    async def stop(self) -> None:
        """Leave: what this machine held is free for the others at once."""
        with contextlib.suppress(StorageUnavailable):
            await self._database.write(lambda connection: self._remove(connection, self._id))
        self._drop_lock()

    def _enter(self, connection: Connection) -> None:
        now = self._database.now_ms(connection)
        connection.execute(
            insert(machine).values(
                id=self._id, host=socket.gethostname(), version=self._version, started_at=now, beat_at=now
            )
        )

    def _touch(self, connection: Connection) -> bool:
        beat = (
            update(machine).where(machine.c.id == self._id).values(beat_at=self._database.now_ms(connection))
        )
        return connection.execute(beat.returning(machine.c.id)).first() is not None

    def _find_dead(self, connection: Connection) -> list[str]:
        rows = connection.execute(
            select(machine.c.id, machine.c.beat_at).where(machine.c.id != self._id)
        ).all()
        limit = self._database.now_ms(connection) - self._rhythm.dead_after // timedelta(milliseconds=1)
        return [row.id for row in rows if self._is_dead(row.id, is_silent=row.beat_at < limit)]

    def _bury(self, connection: Connection) -> list[str]:
        if self._database.is_postgresql:
            connection.execute(select(machine.c.id).with_for_update()).all()
        dead = self._find_dead(connection)
        for machine_id in dead:
            self._remove(connection, machine_id)
        return dead

    def _remove(self, connection: Connection, machine_id: str) -> None:
        connection.execute(delete(machine).where(machine.c.id == machine_id))
        for free in self._burials:
            free(connection, machine_id)

    def _is_dead(self, machine_id: str, *, is_silent: bool) -> bool:
        if self._database.is_postgresql:
            return is_silent
        path = self._lock_path(machine_id)
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            path.unlink(missing_ok=True)
            return True
        finally:
            os.close(handle)

    def _take_lock(self) -> None:
        if self._database.is_postgresql:
            return
        path = self._lock_path(self._id)
        path.parent.mkdir(exist_ok=True)
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _drop_lock(self) -> None:
        if self._lock is not None:
            self._lock_path(self._id).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _lock_path(self, machine_id: str) -> Path:
        base = self._database.path or Path()
        return base.with_name(f"{base.name}.machines") / machine_id
