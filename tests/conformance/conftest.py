"""Every test in this folder that uses a database runs over SQLite and over PostgreSQL."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from masthead.kernel.clock import SystemClock
from masthead.pagerduty.fakes import ScriptedSender
from masthead.storage.database import Database
from support.paging import Node


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").new_database()
    return f"sqlite:///{tmp_path}/masthead.db"


@pytest.fixture
def sender() -> ScriptedSender:
    """Stand in for PagerDuty's Events API."""
    return ScriptedSender()


@pytest.fixture
async def start(database_url, sender):
    """Start machines that page; what waits is worked off from :meth:`Node.work_off` on."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**paging) -> Node:
            database = await Database.open(database_url, clock=SystemClock())
            stack.push_async_callback(database.close)
            node = await Node(database, sender, **paging).start()
            stack.push_async_callback(node.die)
            return node

        yield make


@pytest.fixture
async def node(start):
    """One of them."""
    return await start()
