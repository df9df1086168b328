"""The pages over the real domain on SQLite; only PagerDuty is scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from masthead.storage.database import Database
from support.doors import House, running_house


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """Everything behind the pages, with a catalog of three services and nothing else."""
    async with running_house(database) as running:
        yield running
