"""Severity first, then oldest: also after PagerDuty failed, and where some deliveries always fail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from masthead.kernel.clock import SystemClock, to_ms
from masthead.kernel.errors import Reason
from masthead.pagerduty import Answer, Outcome, Severity
from masthead.pagerduty.fakes import ACCEPT, THROTTLE
from masthead.paging import due
from masthead.paging.intake import BURST
from masthead.paging.pager import Limits
from masthead.paging.retry import RetryPolicy
from masthead.storage.schema import burst
from support.paging import KEYS, LOST

KEY, *_ = KEYS
UNAVAILABLE = Answer(Outcome.RETRY, 503, Reason.SERVER, None, "Service Unavailable", 1)
_HALF_A_MINUTE = timedelta(seconds=30)
_PATIENT = RetryPolicy(_HALF_A_MINUTE, _HALF_A_MINUTE, timedelta(hours=1))


class Chance:
    """What is drawn is what a test said."""

    share = 1.0

    def random(self) -> float:
        return self.share


@pytest.mark.parametrize("refusal", [UNAVAILABLE, THROTTLE, LOST], ids=["503", "429", "lost"])
async def test_what_backs_off_is_tried_before_what_is_less_severe(start, sender, refusal):
    """Its next attempt is half a minute away, but its key is tried anyway: the most severe goes first."""
    node = await start(retry=_PATIENT, chance=Chance())
    sender.answer(KEY.reveal(), refusal, ACCEPT)
    severe = await node.page(message="severe")
    await node.paging.wait(severe.id, 0.05)
    await _ask_for_something_mild(node)
    await node.decided(severe.id)
    assert [event.summary for event in sender.sent[:2]] == ["severe", "severe"]


async def test_what_was_told_to_wait_keeps_its_time(start, sender):
    """``Retry-After`` is honoured, whatever else is through."""
    node = await start(retry=_PATIENT, chance=Chance())
    sender.answer(KEY.reveal(), replace(UNAVAILABLE, retry_after=25.0), ACCEPT)
    severe = await node.page(message="severe")
    await node.paging.wait(severe.id, 0.05)
    mild = await _ask_for_something_mild(node)
    await node.decided(mild.id)
    assert [event.summary for event in sender.sent] == ["severe", "mild"]
    assert not (await node.paging.get(severe.id)).is_decided


@pytest.mark.parametrize("refusal", [UNAVAILABLE, THROTTLE], ids=["503", "429"])
async def test_a_first_attempt_that_is_through_wakes_its_key(start, sender, refusal):
    """What rests after failures does not wait for half a minute while what comes later is taken."""
    chance = Chance()
    node = await start(retry=_PATIENT, chance=chance)
    sender.answer(KEY.reveal(), refusal, refusal, ACCEPT)
    chance.share = 0.0
    severe = await node.page(message="severe")
    await node.paging.wait(severe.id, 0.05)
    chance.share = 1.0
    node.work_off()
    rests = select(burst.c.machine.is_(None) & (burst.c.due_at > to_ms(SystemClock().now()) + 15_000))
    while await node.rows(rests) != [True]:
        pass
    await node.decided((await node.page(message="mild", severity=Severity.INFO)).id)
    await node.decided(severe.id)


async def test_more_that_always_fail_than_are_looked_at_together_hold_up_nothing(start, sender, monkeypatch):
    """Those that were tried least are looked at with the most severe."""
    monkeypatch.setattr(due, "_BATCH", 3)
    monkeypatch.setattr(due, "_LEAST_TRIED", 1)
    await _mild_is_told(await start(), sender, monkeypatch)


async def test_what_always_fails_uses_up_no_budget_of_the_others(start, sender, monkeypatch):
    """Where a run ends after each attempt, every second attempt is for the one that was tried least all the same."""
    await _mild_is_told(await start(limits=Limits(budget=1, window_s=0.02)), sender, monkeypatch)


async def _ask_for_something_mild(node):
    """It waits, and its key is worked off now."""
    node.paging._in_flight = 10_000
    mild = await node.page(message="mild", severity=Severity.INFO)
    key_hash = mild.deliveries[0].key_hash
    await node.database.write(lambda connection: node.bursts.remind(connection, BURST, key_hash))
    node.work_off()
    return mild


async def _mild_is_told(node, sender, monkeypatch):
    real = sender.send

    async def send(event, may_send):
        answer = await real(event, may_send)
        return UNAVAILABLE if event.severity is Severity.CRITICAL else answer

    monkeypatch.setattr(sender, "send", send)
    node.paging._in_flight = 10_000
    for number in range(5):
        await node.page(message=f"always fails {number}")
    mild = await node.page(message="mild", severity=Severity.INFO)
    node.work_off()
    await node.decided(mild.id)
