"""Stages that wait for an instant or a person, and the one that does nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from masthead.kernel.caller import Caller
from masthead.kernel.clock import to_ms
from masthead.kernel.errors import AccessDenied, Conflict, InvalidRequest


async def test_a_noop_succeeds(bench):
    """Whatever else stands in it."""
    assert (await bench.pipeline({"type": "noop", "name": "meet"}))["status"] == "SUCCEEDED"


async def test_wait_until_ends_at_its_instant(bench):
    """Not before, and at once when it is over or missing."""
    until = to_ms(bench.clock.now()) + 60_000
    running = await bench.pipeline({"type": "waitUntil", "epochMillis": until})
    assert running["status"] == "RUNNING"
    await bench.clock.advance(59)
    await bench.run_due()
    assert (await bench.executions.get_pipeline(running["id"]))["status"] == "RUNNING"
    await bench.clock.advance(1)
    await bench.run_due()
    assert (await bench.executions.get_pipeline(running["id"]))["status"] == "SUCCEEDED"
    for stage in ({"epochMillis": str(until)}, {"epochMillis": float(until)}, {}):
        assert (await bench.pipeline({"type": "waitUntil", **stage}))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("value", ["tomorrow", 10**30, [], {"a": 1}])
async def test_an_instant_that_is_none_fails(bench, value):
    """In a sentence."""
    failed = await bench.pipeline({"type": "waitUntil", "epochMillis": value})
    assert failed["status"] == "TERMINAL"
    errors = failed["stages"][0]["context"]["exception"]["details"]["errors"]
    assert errors == ["`epochMillis` must be an instant in milliseconds since 1970."]


@pytest.mark.parametrize(("word", "status"), [("continue", "SUCCEEDED"), ("Stop", "TERMINAL")])
async def test_a_judgment_ends_as_somebody_decided(bench, word, status):
    """Nothing runs until then."""
    running = await bench.pipeline({"type": "manualJudgment", "instructions": "Roll out?"})
    assert running["status"] == "RUNNING"
    await bench.clock.advance(86_400)
    await bench.run_due()
    stage = running["stages"][0]["id"]
    changes = {"judgmentStatus": word, "judgmentInput": "yes"}
    await bench.executions.change_stage(running["id"], stage, changes, bench.ann)
    await bench.idle()
    done = await bench.executions.get_pipeline(running["id"])
    assert done["status"] == status
    assert done["stages"][0]["context"]["judgmentInput"] == "yes"


async def test_a_judgment_that_nobody_makes_fails_after_three_days(bench):
    """In Orca's words."""
    running = await bench.pipeline({"type": "manualJudgment", "name": "Go?"})
    await bench.clock.advance(3 * 86_400)
    await bench.run_due()
    done = await bench.executions.get_pipeline(running["id"])
    assert done["status"] == "TERMINAL"
    assert "timed out after 3 days" in str(done["stages"][0]["context"]["exception"])


async def test_a_restarted_judgment_asks_again(bench):
    """The old decision is forgotten."""
    running = await bench.pipeline({"type": "manualJudgment"})
    stage = running["stages"][0]["id"]
    await bench.executions.change_stage(running["id"], stage, {"judgmentStatus": "stop"}, bench.ann)
    await bench.idle()
    await bench.executions.restart_stage(running["id"], stage, bench.ann)
    await bench.idle()
    again = await bench.executions.get_pipeline(running["id"])
    assert again["status"] == "RUNNING"
    assert "judgmentStatus" not in again["stages"][0]["context"]


@pytest.mark.parametrize(("passes_on", "user"), [(True, "bob@example.com"), (False, "ann@example.com")])
async def test_a_judgment_may_pass_on_the_name_of_who_decided(bench, passes_on, user):
    """What comes after, however far, runs in the name of the judge."""
    judgment = {"type": "manualJudgment", "refId": "1", "propagateAuthenticationContext": passes_on}
    page = {"type": "pageApplicationOwner", "refId": "3", "message": "down", "keys": ["k" * 32]}
    running = await bench.pipeline(
        judgment,
        {"type": "noop", "refId": "2", "requisiteStageRefIds": ["1"]},
        page | {"requisiteStageRefIds": ["2"]},
    )
    stage = running["stages"][0]["id"]
    bob = Caller(user="bob@example.com")
    await bench.executions.change_stage(running["id"], stage, {"judgmentStatus": "continue"}, bob)
    await bench.idle()
    assert [caller.user for caller in bench.paging.callers] == [user]


async def test_a_word_that_is_no_decision_is_refused_and_a_decision_stands(bench):
    """400 instead of a stage that fails by a slip, and 409 for who comes late."""
    running = await bench.pipeline({"type": "manualJudgment"}, {"type": "manualJudgment"})
    stage = running["stages"][0]["id"]
    with pytest.raises(InvalidRequest, match="must be continue or stop"):
        await bench.executions.change_stage(running["id"], stage, {"judgmentStatus": "perhaps"}, bench.ann)
    await bench.executions.change_stage(running["id"], stage, {"judgmentStatus": "continue"}, bench.ann)
    await bench.idle()
    with pytest.raises(Conflict, match="has been made"):
        await bench.executions.change_stage(running["id"], stage, {"x": 1}, Caller(user="eve"))


@pytest.mark.parametrize("field", ["selectedStageRoles", "requiredJudgmentRoles"])
async def test_only_somebody_with_the_role_decides_where_there_are_users(bench, field):
    """Others can neither decide nor take the roles away; without users everybody decides."""
    stage = {"type": "manualJudgment", field: ["SRE", "leads"]}
    running = await bench.pipeline(stage)
    bench.executions._services = replace(bench.executions._services, asks_roles=lambda: True)
    stage_id = running["stages"][0]["id"]
    eve, sue = Caller(user="eve", roles=("dev",)), Caller(user="sue", roles=("sre",))
    for changes in ({"judgmentStatus": "continue"}, {field: []}):
        with pytest.raises(AccessDenied, match="leads, sre"):
            await bench.executions.change_stage(running["id"], stage_id, changes, eve)
    await bench.executions.change_stage(running["id"], stage_id, {"judgmentStatus": "continue"}, sue)
    await bench.idle()
    assert (await bench.executions.get_pipeline(running["id"]))["status"] == "SUCCEEDED"
