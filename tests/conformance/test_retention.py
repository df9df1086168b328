"""Forgetting old pages, on both databases: all of a page or nothing of it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from masthead.kernel.clock import ManualClock
from masthead.paging import retention as module
from masthead.paging.retention import Retention
from masthead.storage.schema import attempt, delivery, page, proof
from support.stored import store_page

DAYS = 30
WHOLE = {
    "attempts": [{"outcome": "accepted", "status": 202}],
    "incident": {"state": "resolved", "incident_number": 1},
}


@pytest.fixture
def store(database, clock: ManualClock):
    async def put(days_ago: float, **values) -> str:
        when = clock.now() - timedelta(days=days_ago)
        return await database.write(lambda c: store_page(c, when, **{"deliveries": [WHOLE, WHOLE], **values}))

    return put


@pytest.fixture
def kept(database):
    async def read() -> list[int]:
        """Rows of pages, deliveries, attempts and proofs."""
        tables = (page, delivery, attempt, proof)
        return await database.read(
            lambda c: [c.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]
        )

    return read


async def forget(retention: Retention, clock: ManualClock) -> int:
    task = asyncio.ensure_future(retention.forget())
    while not task.done():
        await asyncio.sleep(0)
        await clock.advance(1)
    return task.result()


async def test_a_page_that_is_old_and_decided_goes_with_all_that_belongs_to_it(database, clock, store, kept):
    """Younger ones stay."""
    await store(31)
    await store(29)
    assert await forget(Retention(database, clock, DAYS), clock) == 1
    assert await kept() == [1, 2, 2, 2]


async def test_a_page_of_which_something_is_still_to_be_sent_stays(database, clock, store, kept):
    """However old it is; what stands behind it is not held up by it."""
    await store(90, deliveries=[WHOLE, {"state": "pending"}])
    await store(80)
    assert await forget(Retention(database, clock, DAYS), clock) == 1
    assert await kept() == [1, 2, 1, 1]


async def test_pages_without_deliveries_go_too(database, clock, store, kept):
    """A resend has none of its own."""
    await store(31, kind="resend", deliveries=[])
    assert await forget(Retention(database, clock, DAYS), clock) == 1
    assert await kept() == [0, 0, 0, 0]


async def test_many_are_forgotten_in_small_batches(database, clock, store, kept, monkeypatch):
    """One transaction each, so that a page that is asked for meanwhile waits for one batch at most."""
    monkeypatch.setattr(module, "_BATCH", 2)
    for number in range(5):
        await store(40, number=number)
    writes = []
    real = database.write

    async def counted(work):
        writes.append(work)
        return await real(work)

    monkeypatch.setattr(database, "write", counted)
    assert await forget(Retention(database, clock, DAYS), clock) == 5
    assert len(writes) == 3
    assert await kept() == [0, 0, 0, 0]


async def test_it_looks_again_every_hour(database, clock, store, kept):
    """What was too young becomes old enough."""
    await store(DAYS - 0.02)
    assert await forget(Retention(database, clock, DAYS), clock) == 0
    task = asyncio.ensure_future(Retention(database, clock, DAYS).run())
    while await kept() != [0, 0, 0, 0]:
        await clock.advance(3600)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_zero_days_keep_everything(database, clock, store, kept):
    """It ends at once and deletes nothing."""
    await store(4000)
    await Retention(database, clock, 0).run()
    assert await kept() == [1, 2, 2, 2]
