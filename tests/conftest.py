"""Fixtures for all tests: time, ids, databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from masthead.kernel.clock import ManualClock, SystemClock
from masthead.kernel.ids import SequentialIds
from masthead.storage.database import Database
from support.postgresql import PostgresServer, postgres_server

# How long an example takes says nothing about what it holds; in CI Hypothesis chooses the same by itself.
settings.register_profile(
    "unhurried", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")

# structlog's own default colours tracebacks with the source around each frame, which takes seconds a test.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.dev.ConsoleRenderer(colors=False),
    ]
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids() -> SequentialIds:
    return SequentialIds()


@pytest.fixture(scope="session")
def postgresql() -> AsyncIterator[PostgresServer]:
    """A PostgreSQL server of this test session's own."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The URL of an empty database; conformance tests run over both kinds."""
    return f"sqlite:///{tmp_path}/masthead.db"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database on the machine's own clock."""
    opened = await Database.open(database_url, clock=SystemClock())
    yield opened
    await opened.close()
