"""A database whose commits go through while their answer is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from masthead.storage.database import Database

__all__ = ["commits_lose_their_answer"]


@contextlib.contextmanager
def commits_lose_their_answer(database: Database) -> Iterator[None]:
    """Let every commit of *database* be durable, and its connection break before it says so."""

    def commit(connection: Connection) -> None:
        connection.connection.commit()
        raise OperationalError(None, None, Exception("server closed the connection unexpectedly"))

    event.listen(database._writer_engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(database._writer_engine, "commit", commit)
