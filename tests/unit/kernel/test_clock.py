"""The clock that tests advance, and Spinnaker's milliseconds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from masthead.kernel.clock import ManualClock, from_ms, to_ms


@given(st.integers(min_value=0, max_value=2**45))
def test_milliseconds_survive_the_round_trip(milliseconds):
    """from_ms and to_ms undo each other."""
    assert to_ms(from_ms(milliseconds)) == milliseconds


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
