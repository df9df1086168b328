"""Paging as stages see it."""

from __future__ import annotations

import asyncio

from masthead.executions.fakes import FakePaging
from masthead.executions.watch import WatchedPaging
from masthead.kernel.caller import ANONYMOUS
from masthead.kernel.secret import Secret
from masthead.pagerduty import Severity
from masthead.paging import Draft
from masthead.paging.model import Door

DRAFT = Draft(keys=(Secret("k"),), message="m", door=Door.STAGE, application="a", severity=Severity.ERROR)


async def test_only_decisions_that_nobody_awaits_here_are_told(clock):
    """A burst that waits for the page sees the decision itself."""
    inner = FakePaging(clock)
    inner.is_holding = True
    watched, told = WatchedPaging(inner), []
    watched.on_decided(told.append)
    first, second = await watched.request(DRAFT, ANONYMOUS), await watched.request(DRAFT, ANONYMOUS)
    waiting = asyncio.ensure_future(watched.wait(first.id, 5))
    await asyncio.sleep(0)
    inner.decide(first.id)
    inner.decide(second.id)
    assert (await waiting).is_decided
    assert [page.id for page in told] == [second.id]


async def test_a_page_decided_in_the_last_instant_is_seen(clock, monkeypatch):
    """What was decided between the end of the wait and its return is looked at once more."""
    inner = FakePaging(clock)
    inner.is_holding = True
    watched, told = WatchedPaging(inner), []
    watched.on_decided(told.append)
    page = await watched.request(DRAFT, ANONYMOUS)

    async def wait_too_short(page_id, _timeout_s):
        before = inner.pages[page_id]
        inner.decide(page_id)
        return before

    monkeypatch.setattr(inner, "wait", wait_too_short)
    assert (await watched.wait(page.id, 5)).is_decided
    assert told == []
