"""Reading the next day of the policies that somebody looks at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from masthead.catalog import Roster
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty import Collected
from masthead.pagerduty.fakes import ScriptedReader
from unit.catalog.documents import oncall, whole


@pytest.fixture
def reader():
    return ScriptedReader()


@pytest.fixture
async def roster(reader, clock):
    opened = Roster({"default": reader, "tokenless": None}, clock)
    yield opened
    await opened.close()


async def seen(roster, *policies):
    found = await roster.look([("default", one) for one in policies], patience_s=5)
    return {policy: outlook for (_, policy), outlook in found.items()}


async def test_only_policies_that_are_asked_for_are_read(roster, reader, clock):
    """For the next 24 hours, and each gets its own shifts."""
    reader.answer("/oncalls", whole(oncall("a", "Ada"), oncall("b", "Bob"), oncall("b", "Cid", level=2)))
    found = await seen(roster, "EPA", "EPB")
    assert [one.user_name for one in found["EPB"].shifts] == ["Bob", "Cid"]
    assert found["EPA"].is_known
    ((path, params),) = reader.asked
    assert path == "/oncalls"
    now = clock.now()
    assert ("since", f"{now:%Y-%m-%dT%H:%M:%SZ}") in params
    assert ("until", f"{now + timedelta(hours=24):%Y-%m-%dT%H:%M:%SZ}") in params
    assert [value for name, value in params if name == "escalation_policy_ids[]"] == ["EPA", "EPB"]


async def test_what_was_read_is_kept_for_two_minutes(roster, reader, clock):
    """Then it is read again; a policy that nobody asked for before is read at once."""
    await seen(roster, "EPA")
    await seen(roster, "EPA")
    assert len(reader.asked) == 1
    await seen(roster, "EPA", "EPB")
    assert [value for name, value in reader.asked[-1][1] if name == "escalation_policy_ids[]"] == ["EPB"]
    await clock.advance(120)
    await seen(roster, "EPA")
    assert len(reader.asked) == 3


async def test_policies_are_asked_for_fifty_at_a_time(roster, reader):
    """An address may not grow without end."""
    await seen(roster, *(f"E{number}" for number in range(120)))
    assert [sum(name == "escalation_policy_ids[]" for name, _ in params) for _, params in reader.asked] == [
        50,
        50,
        20,
    ]


async def test_a_failure_keeps_what_was_known_and_says_why(roster, reader, clock):
    """It is not asked again at once."""
    reader.answer("/oncalls", whole(oncall("a", "Ada")), OutsideFailure("Wrong token.", reason=Reason.TOKEN))
    before = (await seen(roster, "EPA"))["EPA"]
    await clock.advance(120)
    after = (await seen(roster, "EPA"))["EPA"]
    assert after.shifts == before.shifts
    assert after.fetched_at == before.fetched_at
    assert (after.trouble, after.is_known) == ("Wrong token.", False)
    await seen(roster, "EPA")
    assert len(reader.asked) == 2


async def test_half_a_list_is_in_trouble(roster, reader):
    """Nobody may read a gap out of it."""
    failure = OutsideFailure("A page did not come.", reason=Reason.SERVER)
    reader.answer("/oncalls", Collected([oncall("a", "Ada")], [failure]))
    assert (await seen(roster, "EPA"))["EPA"].trouble == "A page did not come."


async def test_who_does_not_wait_is_told_so_and_it_comes_later(roster, reader):
    """The look ends; the reading goes on."""
    reader.answer("/oncalls", whole(oncall("a", "Ada")))
    reader.gate.clear()
    found = await roster.look([("default", "EPA")], patience_s=0)
    assert found["default", "EPA"].is_awaited
    reader.gate.set()
    assert (await seen(roster, "EPA"))["EPA"].is_known
    assert len(reader.asked) == 1


async def test_without_a_token_it_says_so(roster):
    """And what to do."""
    (outlook,) = (await roster.look([("tokenless", "EPA")], patience_s=5)).values()
    assert "No PagerDuty REST token is configured" in outlook.trouble
