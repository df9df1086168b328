"""All machines of a database go by one time: PostgreSQL's, or that of the one computer that SQLite stands on."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from masthead.kernel.clock import SystemClock, from_ms
from masthead.kernel.errors import StorageUnavailable
from masthead.storage import shared_time
from masthead.storage.database import Database
from masthead.storage.shared_time import SharedTime

FIVE_MINUTES = timedelta(minutes=5)


@pytest.mark.parametrize("off", [-FIVE_MINUTES, FIVE_MINUTES], ids=["behind", "ahead"])
async def test_a_machine_whose_clock_is_wrong_goes_by_the_databases(database_url, off, monkeypatch):
    """From the first comparison on, and again when its clock was set meanwhile; what is right is left alone."""
    monkeypatch.setattr(shared_time, "_EVERY_S", 0.01)
    wrong = {"s": off.total_seconds()}
    clock = SystemClock(lambda: time.time() + wrong["s"])
    database = await Database.open(database_url, clock=clock)
    try:
        shared = SharedTime(database, clock)
        await shared.compare()
        theirs = await database.read(lambda connection: from_ms(database.now_ms(connection)))
        assert abs(clock.now() - theirs) < timedelta(minutes=1)
        moved = asyncio.Event()
        monkeypatch.setattr(clock, "move", lambda by: (SystemClock.move(clock, by), moved.set()))
        await shared.compare()
        assert not moved.is_set()
        going = asyncio.ensure_future(shared.run())
        if not database.is_postgresql:
            await going
            return
        wrong["s"] += 3600
        await asyncio.wait_for(moved.wait(), 20)
        going.cancel()
        assert abs(clock.now() - theirs) < timedelta(minutes=1)
    finally:
        await database.close()


async def test_a_database_that_is_away_is_asked_again(database_url, monkeypatch):
    """Until then time goes on as it was."""
    monkeypatch.setattr(shared_time, "_EVERY_S", 0.01)
    clock = SystemClock(lambda: time.time() + 300)
    database = await Database.open(database_url, clock=clock)
    try:
        shared = SharedTime(database, clock)
        asked = asyncio.Event()
        answers = [StorageUnavailable(), StorageUnavailable()]

        async def fail_twice() -> None:
            if answers:
                raise answers.pop()
            asked.set()

        monkeypatch.setattr(shared, "compare", fail_twice)
        going = asyncio.ensure_future(shared.run())
        if database.is_postgresql:
            await asyncio.wait_for(asked.wait(), 20)
            going.cancel()
        else:
            await going
    finally:
        await database.close()
