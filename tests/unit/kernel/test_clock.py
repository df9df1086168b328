"""The clock that tests advance, and Spinnaker's milliseconds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.kernel import clock as clocks
from masthead.kernel.clock import ManualClock, SystemClock, from_ms, since_boot, to_ms


@given(st.integers(min_value=0, max_value=2**45))
def test_milliseconds_survive_the_round_trip(milliseconds):
    """from_ms and to_ms undo each other."""
    assert to_ms(from_ms(milliseconds)) == milliseconds


def test_time_since_boot_counts_the_sleep_of_the_computer(monkeypatch):
    """Where the system has a clock for that; the usual one stands still meanwhile."""
    monkeypatch.setattr(clocks, "_SINCE_BOOT", 7)
    monkeypatch.setattr(clocks.time, "clock_gettime", {7: 1000.0}.__getitem__)
    monkeypatch.setattr(clocks.time, "monotonic", lambda: 1.0)
    assert since_boot() == 1000.0
    monkeypatch.setattr(clocks, "_SINCE_BOOT", None)
    assert since_boot() == 1.0


def test_parts_of_a_millisecond_are_cut():
    """Spinnaker knows no smaller unit."""
    assert to_ms(datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC)) == 1999


async def test_sleepers_wake_in_the_order_of_their_deadlines():
    """Each one at its own moment."""
    clock, woken = ManualClock(), []
    start = clock.now()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.now() - start))

    tasks = [asyncio.ensure_future(sleep(s)) for s in (30, 10, 20)]
    await asyncio.sleep(0)
    await clock.advance(25)
    assert woken == [(10, timedelta(seconds=10)), (20, timedelta(seconds=20))]
    await clock.advance(5)
    await asyncio.gather(*tasks)
    assert clock.monotonic() == 30


@pytest.mark.parametrize(
    ("jump", "shown"),
    [(-3600.0, 10.0), (-1.0, 9.0), (3600.0, 3610.0)],
    ids=["set back", "corrected", "set forward"],
)
def test_a_clock_that_is_set_back_goes_on_from_where_it_was(jump, shown):
    """One that is corrected a little, or set forward, is followed."""
    times = {"wall": 1_000_000.0, "elapsed": 0.0}
    clock = SystemClock(lambda: times["wall"], lambda: times["elapsed"])
    start = clock.now()
    times["wall"] += 10 + jump
    times["elapsed"] += 10
    assert (clock.now() - start).total_seconds() == shown
    times["wall"] += 7200
    times["elapsed"] += 7200
    assert (clock.now() - start).total_seconds() == shown + 7200


@pytest.mark.parametrize("jump", [0.0, -3600.0], ids=["steady", "set back"])
@pytest.mark.parametrize("by_s", [-300.0, 300.0])
def test_a_clock_that_is_moved_goes_on_from_there(jump, by_s):
    """Back as well: that is no clock that was set back by accident, whose time is not followed."""
    times = {"wall": 1_000_000.0, "elapsed": 0.0}
    clock = SystemClock(lambda: times["wall"], lambda: times["elapsed"])
    start = clock.now()
    times["wall"] += jump
    clock.move(timedelta(seconds=by_s))
    assert (clock.now() - start).total_seconds() == by_s
    times["wall"] += 10
    times["elapsed"] += 10
    assert (clock.now() - start).total_seconds() == by_s + 10
