"""When a delivery is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from masthead.kernel.clock import ManualClock, to_ms
from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import Answer, Outcome, Protocol, Severity
from masthead.pagerduty.fakes import ScriptedSender
from masthead.paging import Delivery, DeliveryState, Door, Page
from masthead.paging.attempts import Attempts
from masthead.paging.retry import RetryPolicy

KEY = Secret("a" * 32)


@pytest.mark.parametrize(
    ("at_s", "asked_s", "again_s"),
    [
        (0, 60, 60),
        (0, 900, 190),  # once more before it is given up
        (185, 900, 190),
        (191, 900, 200),  # that was the last time
    ],
)
async def test_what_is_told_to_wait_is_tried_once_more_before_its_deadline(at_s, asked_s, again_s):
    """A ``Retry-After`` of a day, from something that stands in between, must not be what a page dies of."""
    clock, sender = ManualClock(), ScriptedSender()
    began = clock.now()
    told = _delivery(began, timedelta(seconds=200))
    sender.answer(KEY.reveal(), Answer(Outcome.RETRY, 503, Reason.SERVER, asked_s, "Service Unavailable", 1))
    await clock.advance(at_s)
    attempts = Attempts(sender, clock, RetryPolicy(), find_home=_nowhere)
    result = await attempts.make(_page(told), told, lambda: True)
    assert (result.state, result.due_at_ms) == (
        DeliveryState.PENDING,
        to_ms(began + timedelta(seconds=again_s)),
    )


async def _nowhere(_: Delivery) -> None:
    return None


def _delivery(now, life: timedelta) -> Delivery:
    return Delivery(
        id="P-1", page_id="P", key=KEY, key_hash="h", dedup_key="d", protocol=Protocol.V2, service_id=None,
        label="key …aaaa", state=DeliveryState.PENDING, reason=None, text="", attempts=0, created_at=now,
        decided_at=None, deadline_at=now + life,
    )  # fmt: skip


def _page(told: Delivery) -> Page:
    return Page(
        id="P", message="m", details={}, links=(), severity=Severity.CRITICAL, user="ann", client="c", client_url=None,
        door=Door.V1, application="demo", execution_id=None, stage_id=None, created_at=told.created_at,
        deliveries=(told,),
    )  # fmt: skip
