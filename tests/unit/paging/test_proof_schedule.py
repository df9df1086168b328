"""When an accepted page is looked at again."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from masthead.kernel.clock import ManualClock
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.paging.proof import Timings
from masthead.paging.proof.rate import Rate

DAY_S = 86_400.0


def misses(timings: Timings) -> list[float]:
    ages = [timings.first_s]
    while ages[-1] < timings.wait_s:
        ages.append(timings.after_miss(ages[-1]))
    return ages


def looks(timings: Timings, *, is_acknowledged: bool) -> list[float]:
    ages: list[float] = [timings.first_s]
    while (following := timings.after_seen(ages[-1], is_acknowledged=is_acknowledged)) is not None:
        ages.append(following)
    return ages


def test_a_missing_incident_is_looked_for_until_the_wait_is_over():
    """Ever more seldom, and for the last time exactly at its end; docs/explanation/proof.md gives the number."""
    assert misses(Timings()) == [1, 2, 4, 8, 16, 31, 46, 60]


def test_an_open_incident_is_followed_for_a_day():
    """Often while it is new; docs/explanation/proof.md gives the numbers."""
    ages = looks(Timings(), is_acknowledged=False)
    assert ages[:4] == [1, 6, 11, 16]
    assert ages[-1] == DAY_S
    assert (sum(age <= 60 for age in ages), sum(age <= 3600 for age in ages), len(ages)) == (12, 91, 368)


def test_an_acknowledged_incident_is_followed_more_seldom():
    """Somebody has it in hand."""
    ages = looks(Timings(), is_acknowledged=True)
    assert ages[1] == 61
    assert len(ages) < len(looks(Timings(), is_acknowledged=False))


@given(st.floats(-DAY_S, 2 * DAY_S), st.booleans())
def test_the_next_look_is_always_ahead(age_s, is_acknowledged):
    """No age makes it look again at once, and none lets it look beyond the end."""
    timings = Timings()
    following = timings.after_seen(age_s, is_acknowledged=is_acknowledged)
    assert following is None if age_s >= DAY_S else age_s < following <= DAY_S
    if age_s < timings.wait_s:
        assert age_s < timings.after_miss(age_s) <= timings.wait_s
    assert timings.after_failure(age_s) >= 5


def test_pauses_after_failures_grow_to_five_minutes():
    """And stay there, however long PagerDuty is away."""
    assert [Timings.after_failures(count) for count in (1, 2, 3, 7, 1000)] == [5, 10, 20, 300, 300]


async def test_turns_are_evenly_spaced():
    """Never more than so many a second, and none is saved up."""
    clock = ManualClock()
    rate = Rate(clock, Timings(looks_per_s=4))
    await rate.turn()
    await clock.advance(10)
    turns = [asyncio.ensure_future(rate.turn()) for _ in range(4)]
    await clock.advance(0)
    passed = []
    for _ in range(4):
        await clock.advance(0.25)
        passed.append(sum(turn.done() for turn in turns))
    assert passed == [2, 3, 4, 4]


async def test_who_gives_up_waiting_leaves_the_turn_to_the_others():
    """Or a hundred that waited in vain would keep everybody else waiting for as long as they would have taken."""
    clock = ManualClock()
    rate = Rate(clock, Timings(looks_per_s=4))
    await rate.turn()
    waiting = [asyncio.ensure_future(rate.turn()) for _ in range(100)]
    await clock.advance(0.1)
    for turn in waiting:
        turn.cancel()
    last = asyncio.ensure_future(rate.turn())
    await clock.advance(0.2)
    assert last.done()


async def test_failures_let_the_account_rest():
    """For longer each time, for as long as PagerDuty asks, and not at all once it answers."""
    clock = ManualClock()
    rate = Rate(clock, Timings())
    assert rate.rest_s == 0
    rate.failed(OutsideFailure(reason=Reason.SERVER))
    rate.failed(OutsideFailure(reason=Reason.SERVER))  # was under way at the same time
    assert rate.rest_s == 5
    await clock.advance(5)
    rate.failed(OutsideFailure(reason=Reason.SERVER))
    assert rate.rest_s == 10
    rate.failed(OutsideFailure(reason=Reason.THROTTLED, retry_after=77))
    assert rate.rest_s == 77
    rate.succeeded()
    assert rate.rest_s == 0
