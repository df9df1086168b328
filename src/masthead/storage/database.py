"""The database as the rest sees it: ``read`` and ``write``, both given a function of a connection.

**Group commit.** One thread writes. It takes everything that waits, runs it in one transaction and commits
once, so that many pages cost one fsync; while that fsync runs the next group gathers. A unit of work whose
function raises is rolled back alone: the group is run again with a savepoint around each unit. A unit may
therefore run more than once, and must have no effect outside the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, RootTransaction, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from masthead.kernel.clock import Clock, to_ms
from masthead.kernel.errors import ConfigurationInvalid, StorageUnavailable
from masthead.storage.engine import database_url, reader_engine, sqlite_path, writer_engine
from masthead.storage.migrate import migrate

__all__ = ["Database", "Work"]

T = TypeVar("T")
Work = Callable[[Connection], T]

#: Most units of work in one transaction: bounds how long the first of them waits.
_GROUP_LIMIT = 512
#: Times a group is tried when the connection was lost or PostgreSQL broke a deadlock.
_ATTEMPTS = 3
_OF_THE_STATEMENT = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
#: PostgreSQL's codes for a deadlock, a conflict, and a transaction that stood still for too long.
_PASSING = ("40P01", "40001", "25P03")
_READERS = 4
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Unit:
    work: Work[Any]
    #: Of the event loop that waits; settled there.
    done: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Database:
    """A SQLite file or a PostgreSQL database, migrated and open; the same behaviour on both."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        """Args: url: as in :func:`masthead.storage.engine.database_url`."""
        self.url = database_url(url)
        self.path = sqlite_path(self.url)
        self._clock = clock
        if self.path is not None:
            _require_folder(self.path)
        self._writer_engine = writer_engine(self.url)
        self._reader_engine = reader_engine(self.url, connections=_READERS)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="masthead-read")
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        #: Of the writing thread, kept from group to group: getting one costs as much as storing some pages.
        self._connection: Connection | None = None
        #: Whether the group's work is done, so that a failure is one of its commit.
        self._is_committing = False
        self._writer = threading.Thread(target=self._write_groups, name="masthead-write", daemon=True)

    @classmethod
    async def open(cls, url: str, *, clock: Clock) -> Database:
        """Open and migrate the database at *url*; a SQLite file is created, but never its folder.

        Raises:
            ConfigurationInvalid: the URL is none of ours, or the folder of the SQLite file does not exist.
            StorageUnavailable: the database cannot be reached, or a newer Masthead migrated it.
        """
        database = cls(url, clock=clock)
        await asyncio.to_thread(migrate, database._writer_engine)
        database._writer.start()
        return database

    @property
    def is_postgresql(self) -> bool:
        """Whether several machines may share this database."""
        return self.path is None

    async def read(self, work: Work[T]) -> T:
        """Run *work* in a reading transaction on a thread and give its result.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        """Run *work* in a group with others and give its result once the group is durable.

        What *work* raises undoes only its own changes and is raised here.

        Raises:
            StorageUnavailable: the database does not answer or cannot store; nothing of it is stored,
                unless the connection broke during the commit itself, when either may be true (``may_be_stored``).
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._units.put(_Unit(work, done))
        return await done

    def now_ms(self, connection: Connection) -> int:
        """Give the time that all machines of this database share: PostgreSQL's clock, else our own."""
        if not self.is_postgresql:
            return to_ms(self._clock.now())
        value = connection.execute(
            text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
        )
        return int(value.scalar_one())

    async def close(self) -> None:
        """Finish what was handed over and close every connection."""
        self._units.put(None)
        await asyncio.to_thread(self._writer.join)
        if self._connection is not None:
            self._connection.close()
        self._readers.shutdown(wait=True)
        self._reader_engine.dispose()
        self._writer_engine.dispose()

    def _read(self, work: Work[T]) -> T:
        try:
            with self._reader_engine.connect() as connection:
                return work(connection)
        except DBAPIError as error:
            if _is_trouble(error):
                raise _unavailable(error) from error
            raise

    def _write_groups(self) -> None:
        while (first := self._units.get()) is not None:
            group, is_last = self._gather(first)
            self._write_group(group)
            _settle(group)
            if is_last:
                return

    def _gather(self, first: _Unit) -> tuple[list[_Unit], bool]:
        group = [first]
        while len(group) < _GROUP_LIMIT:
            try:
                unit = self._units.get_nowait()
            except queue.Empty:
                break
            if unit is None:
                return group, True
            group.append(unit)
        return group, False

    def _write_group(self, group: Sequence[_Unit]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if not self._try_together(group):
                    self._try_apart(group)
            except Exception as error:  # noqa: BLE001 - the worker loop: whatever it was, the callers must hear
                if isinstance(error, DBAPIError) and _is_trouble(error):
                    if attempt < _ATTEMPTS and _may_succeed_at_once(error):
                        log.warning("storage.retried", attempt=attempt, units=len(group), error=_brief(error))
                        continue
                    _fail(group, _unavailable(error, may_be_stored=self._is_committing))
                else:
                    _fail(group, error)
            return

    def _try_together(self, group: Sequence[_Unit]) -> bool:
        """Run the whole group without savepoints; False when a unit raised and nothing was stored."""
        with self._transaction() as (connection, transaction):
            for unit in group:
                try:
                    unit.result, unit.error = unit.work(connection), None
                except Exception as error:
                    if _is_trouble(error):
                        raise
                    transaction.rollback()
                    if len(group) > 1:
                        return False
                    unit.error = error
                    return True
        return True

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[tuple[Connection, RootTransaction]]:
        """Begin and commit on the kept connection; after trouble the next group gets a new one."""
        self._is_committing = False
        if self._connection is None:
            self._connection = self._writer_engine.connect()
        connection = self._connection
        try:
            with connection.begin() as transaction:
                yield connection, transaction
                self._is_committing = True
        except BaseException:
            self._connection = None
            connection.close()
            raise

    def _try_apart(self, group: Sequence[_Unit]) -> None:
        with self._transaction() as (connection, _):
            for unit in group:
                savepoint = connection.begin_nested()
                try:
                    unit.result, unit.error = unit.work(connection), None
                    savepoint.commit()
                except Exception as error:
                    if _is_trouble(error):
                        raise
                    savepoint.rollback()
                    unit.result, unit.error = None, error


def _require_folder(file: Path) -> None:
    """Refuse a mistyped path: making its folders would begin with an empty database where nobody looks."""
    if not file.parent.is_dir():
        raise ConfigurationInvalid(
            f"{file}: the folder {file.parent} of the database does not exist; correct the path, or make the folder"
        )
    if file.is_dir():
        raise ConfigurationInvalid(f"{file}: is a folder; name a file for the database")


def _settle(group: Sequence[_Unit]) -> None:
    """Hand the results over, waking each event loop once."""
    for loop in {unit.done.get_loop() for unit in group}:
        with contextlib.suppress(RuntimeError):  # the loop was closed, and nobody waits any more
            loop.call_soon_threadsafe(_hand_over, [unit for unit in group if unit.done.get_loop() is loop])


def _hand_over(units: Sequence[_Unit]) -> None:
    for unit in units:
        if unit.done.done():
            continue  # its caller was cancelled
        if unit.error is not None:
            unit.done.set_exception(unit.error)
        else:
            unit.done.set_result(unit.result)


def _fail(group: Sequence[_Unit], error: BaseException) -> None:
    for unit in group:
        unit.result, unit.error = None, error


def _is_trouble(error: BaseException) -> bool:
    """The database's own failure; the others of DBAPI's errors are those of the statement, and of who wrote it."""
    return isinstance(error, DBAPIError) and not isinstance(error, _OF_THE_STATEMENT)


def _may_succeed_at_once(error: DBAPIError) -> bool:
    """A lost connection or a broken deadlock; never a failure of the commit, which may have happened."""
    if error.statement is None:
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _PASSING


def _unavailable(error: DBAPIError, *, may_be_stored: bool = False) -> StorageUnavailable:
    return StorageUnavailable(
        f"The database does not answer or cannot store: {_brief(error)}", may_be_stored=may_be_stored
    )


def _brief(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
