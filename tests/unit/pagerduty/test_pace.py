"""How fast one token may ask."""

from __future__ import annotations

import asyncio

import pytest

from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty.pace import Pace


class Crowd:
    """Requests that all want a turn."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.under_way = self.most_at_once = self.done = 0

    async def one(self) -> None:
        async with self.pace.turn():
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            await asyncio.sleep(0)
            self.under_way -= 1
        self.done += 1

    async def come(self, count: int) -> None:
        await asyncio.gather(*(self.one() for _ in range(count)))


@pytest.fixture
def pace(clock) -> Pace:
    return Pace(clock, in_flight=3)


async def test_a_few_go_at_once(pace):
    """Never more than allowed."""
    crowd = Crowd(pace)
    await crowd.come(10)
    assert (crowd.most_at_once, crowd.done) == (3, 10)


async def test_after_a_429_they_wait_and_go_one_by_one(pace, clock):
    """For a minute; then a few at once again."""
    pace.throttled(7)
    crowd = Crowd(pace)
    await crowd.come(10)
    assert clock.monotonic() == 7
    assert (crowd.most_at_once, crowd.done) == (1, 10)
    await clock.sleep(60)
    await crowd.come(10)
    assert crowd.most_at_once == 3


async def test_who_comes_while_others_wait_waits_with_them(pace, clock):
    """A second 429 prolongs the wait, a shorter one does not cut it."""
    pace.throttled(20)
    pace.throttled(5)
    await Crowd(pace).come(1)
    assert clock.monotonic() == 20


async def test_nobody_is_kept_for_long(pace):
    """Who was told to come back in ten minutes is told so at once."""
    pace.throttled(600)
    with pytest.raises(OutsideFailure, match="600 seconds") as raised:
        await Crowd(pace).come(1)
    assert raised.value.reason is Reason.THROTTLED
    assert raised.value.retry_after == 600


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"ratelimit-remaining": "0", "ratelimit-reset": "4"}, 4),
        ({"ratelimit-remaining": "1", "ratelimit-reset": "4"}, 0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "900"}, 65),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "soon"}, 0),
        ({"ratelimit-remaining": "0"}, 0),
        ({}, 0),
    ],
)
async def test_a_budget_that_is_used_up_is_waited_for(pace, clock, headers, waited):
    """Before PagerDuty has to say 429, and without going one by one."""
    pace.learn(headers)
    await Crowd(pace).come(2)
    assert clock.monotonic() == waited
    assert not pace.is_alone


async def test_a_turn_that_is_given_up_is_free(pace):
    """Cancelled requests take no turn with them."""
    started = asyncio.Event()

    async def hang() -> None:
        async with pace.turn():
            started.set()
            await asyncio.Event().wait()

    tasks = [asyncio.ensure_future(hang()) for _ in range(5)]
    await started.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    crowd = Crowd(pace)
    await crowd.come(5)
    assert crowd.most_at_once == 3
