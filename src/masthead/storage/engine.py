"""How Masthead talks to its two databases: URLs, pragmas and transactions.

SQLite runs in WAL mode with ``synchronous=FULL``: a commit that returned survives a power cut. Every writing
transaction begins with ``BEGIN IMMEDIATE``, so that two processes on one file wait for each other instead of
failing half-way. PostgreSQL runs READ COMMITTED; where two machines may meet, rows are locked by ``FOR UPDATE``. A machine
that stops in the middle of a transaction (suspended, or without power) loses it and its locks after some seconds, because the
others could otherwise not even bury it. And a PostgreSQL that vanishes without a word, with its machine or the network, is
given up after some seconds: Linux alone would wait for a quarter of an hour, and with it every page.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from masthead.kernel.errors import ConfigurationInvalid

__all__ = ["database_url", "reader_engine", "sqlite_path", "writer_engine"]

#: Longest wait for another process that writes to the same SQLite file.
_BUSY_TIMEOUT_MS = 30_000
#: Longest time that PostgreSQL waits for the next word of a transaction; shorter than a machine's silence that means death.
_TRANSACTION_TIMEOUT_MS = 5_000
#: What libpq is told, unless the URL says otherwise: seconds until a connection that does not come about, or on which
#: nothing comes back, not even a sign of life of the other side's kernel, is given up. The last is in milliseconds.
_LIBPQ = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def database_url(text: str) -> URL:
    """Read a ``--database`` value.

    Args:
        text: ``sqlite:////absolute/path``, a plain path, or ``postgresql://user:password@host/name``.

    Raises:
        ConfigurationInvalid: it is neither; the message shows the accepted forms and never the password.
    """
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigurationInvalid(_URL_FORMS) from None
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationInvalid(_URL_FORMS)


_URL_FORMS = (
    "--database: not a database that Masthead knows; "
    "write sqlite:////absolute/path/masthead.db or postgresql://user:password@host/name"
)


def sqlite_path(url: URL) -> Path | None:
    """Give the file of a SQLite database, or None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def writer_engine(url: URL) -> Engine:
    """Make the engine of the one thread that writes."""
    return _engine(url, connections=1, begin="BEGIN IMMEDIATE")


def reader_engine(url: URL, *, connections: int) -> Engine:
    """Make the engine of the threads that read."""
    return _engine(url, connections=connections, begin="BEGIN")


def _engine(url: URL, *, connections: int, begin: str) -> Engine:
    options: dict[str, Any] = {"poolclass": QueuePool, "pool_size": connections, "max_overflow": 0}
    if url.get_backend_name() == "postgresql":
        told = {name: value for name, value in _LIBPQ.items() if name not in url.query}
        return _bounded(create_engine(url, pool_pre_ping=True, connect_args=told, **options))
    engine = create_engine(url, connect_args={"check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _bounded(engine: Engine) -> Engine:
    """Let PostgreSQL end the transactions of a machine that stands still."""

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = {_TRANSACTION_TIMEOUT_MS}")
        connection.commit()

    return engine
