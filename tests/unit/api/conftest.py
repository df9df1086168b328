"""All doors over the real domain on SQLite; only PagerDuty is scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from masthead.storage.database import Database
from support.doors import CHECKOUT_KEY, House, running_house


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """Everything behind the doors, with a catalog of three services and nothing else."""
    async with running_house(database) as running:
        yield running


@pytest.fixture
def client(house: House) -> httpx.AsyncClient:
    return house.client


@pytest.fixture
async def demo(house: House) -> House:
    """The house with an application demo that pages Checkout."""
    await house.application(pdApiKey=CHECKOUT_KEY)
    return house
