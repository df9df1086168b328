"""What people do to an execution: pause, resume, cancel, restart a stage, change a stage."""

from __future__ import annotations

import pytest

from masthead.executions.model import Execution, ExecutionType, Stage, TaskExecution
from masthead.executions.timeouts import limits_of
from masthead.kernel.errors import Conflict, NotFound, Reason
from masthead.paging import DeliveryState

KEY_A, KEY_B = "0123456789abcdef0123456789abcdea", "0123456789abcdef0123456789abcdeb"
REJECTED = DeliveryState.REJECTED, Reason.KEY, "Invalid routing key"


def wait(seconds: int, **fields) -> dict:
    return {"type": "wait", "waitTime": seconds, **fields}


def page(*keys: str, **fields) -> dict:
    return {"type": "pageApplicationOwner", "message": "down", "keys": list(keys), **fields}


async def now(bench, execution: dict) -> dict:
    return await bench.executions.get_pipeline(execution["id"])


def statuses(execution: dict) -> list[str]:
    return [execution["status"], *(stage["status"] for stage in execution["stages"])]


async def test_a_paused_execution_does_nothing_until_it_is_resumed(bench):
    """Whatever falls due meanwhile waits; who paused and resumed it is kept."""
    running = await bench.pipeline(wait(10))
    await bench.executions.pause(running["id"], bench.ann)
    await bench.idle()
    assert statuses(await now(bench, running)) == ["PAUSED", "PAUSED"]
    await bench.clock.advance(60)
    await bench.run_due()
    assert (await now(bench, running))["status"] == "PAUSED"

    await bench.executions.resume(running["id"], bench.ann)
    await bench.idle()
    done = await now(bench, running)
    assert statuses(done) == ["SUCCEEDED", "SUCCEEDED"]
    assert (done["paused"]["pausedBy"], done["paused"]["resumedBy"]) == ("ann@example.com",) * 2
    assert (done["paused"]["paused"], done["paused"]["pausedMs"]) == (False, 60_000)


async def test_only_what_runs_can_be_paused_and_only_what_is_paused_resumed(bench):
    """In Orca's words, which Orca itself only logs."""
    done = await bench.pipeline(wait(0))
    with pytest.raises(Conflict, match=r"Unable to pause pipeline that is not RUNNING .*SUCCEEDED"):
        await bench.executions.pause(done["id"], bench.ann)
    with pytest.raises(Conflict, match="Unable to resume pipeline that is not PAUSED"):
        await bench.executions.resume(done["id"], bench.ann)
    with pytest.raises(NotFound):
        await bench.executions.pause("nope", bench.ann)


async def test_a_paused_execution_can_be_cancelled(bench):
    """With everything in it."""
    running = await bench.pipeline(wait(10))
    await bench.executions.pause(running["id"], bench.ann)
    await bench.executions.cancel(running["id"], bench.ann, "enough")
    await bench.idle()
    assert statuses(await now(bench, running)) == ["CANCELED", "CANCELED"]


def test_the_time_of_a_pause_counts_for_no_time_out():
    """Of a task that began before it; one that began later is not affected."""
    paused = {"pauseTime": 5_000, "pausedMs": 60_000}
    stage = Stage(id="s", type="wait", name="w", start_time=1_000, context={"stageTimeoutMs": 10_000})
    execution = Execution(id="e", type=ExecutionType.PIPELINE, application="a", paused=paused, stages=[stage])
    early, late = (TaskExecution(id="1", name="t", start_time=start) for start in (1_000, 6_000))
    for task, end in ((early, 66_000), (late, 11_000)):
        limits = limits_of(execution, stage, task, timeout_s=5.0, is_overridable=False)
        assert (limits.task_ends_at, limits.stage_ends_at) == (end, 71_000)


async def test_a_restarted_stage_and_those_after_it_run_once_more(bench):
    """A page goes to those that were not reached; what failed before is kept."""
    bench.paging.fates[KEY_B] = REJECTED
    failed = await bench.pipeline(
        page(KEY_A, KEY_B, refId="1"), wait(0, refId="2", requisiteStageRefIds=["1"])
    )
    assert statuses(failed) == ["TERMINAL", "TERMINAL", "NOT_STARTED"]
    del bench.paging.fates[KEY_B]

    await bench.executions.restart_stage(failed["id"], failed["stages"][0]["id"], bench.ann)
    await bench.idle()
    done = await now(bench, failed)
    assert statuses(done) == ["SUCCEEDED"] * 3
    assert [key.reveal() for key in bench.paging.drafts[1].keys] == [KEY_B]
    context = done["stages"][0]["context"]
    assert context["pages"]["reachedBefore"] == ["Service A"]
    assert "exception" not in context
    details = context["restartDetails"]
    assert details["restartedBy"] == "ann@example.com"
    assert "Invalid routing key" in str(details["previousException"])


async def test_a_wait_that_was_skipped_waits_when_it_is_restarted(bench):
    """What was skipped once is not skipped for ever."""
    run = await bench.pipeline(wait(60, refId="1"))
    stage_id = run["stages"][0]["id"]
    await bench.executions.change_stage(run["id"], stage_id, {"skipRemainingWait": True}, bench.ann)
    await bench.idle()
    assert statuses(await now(bench, run)) == ["SUCCEEDED"] * 2
    await bench.executions.restart_stage(run["id"], stage_id, bench.ann)
    await bench.idle()
    assert statuses(await now(bench, run)) == ["RUNNING"] * 2


async def test_a_restart_is_not_ended_by_a_branch_that_had_failed_before(bench):
    """The restarted branch runs to its end; then the other failure still counts."""
    bench.paging.fates[KEY_A] = bench.paging.fates[KEY_B] = REJECTED
    failed = await bench.pipeline(
        page(KEY_A, refId="1", failPipeline=True), page(KEY_B, refId="2", requisiteStageRefIds=[])
    )
    del bench.paging.fates[KEY_A]
    first = failed["stages"][0]["id"]
    await bench.executions.restart_stage(failed["id"], first, bench.ann)
    await bench.idle()
    assert (await now(bench, failed))["stages"][0]["status"] == "SUCCEEDED"


async def test_a_stage_that_runs_is_not_restarted(bench):
    """Nor one that is not there."""
    running = await bench.pipeline(wait(10))
    with pytest.raises(Conflict, match="only one that has ended"):
        await bench.executions.restart_stage(running["id"], running["stages"][0]["id"], bench.ann)
    with pytest.raises(NotFound, match="Stage nope not found"):
        await bench.executions.restart_stage(running["id"], "nope", bench.ann)


async def test_the_rest_of_a_wait_can_be_skipped(bench):
    """By a change of the stage's context, which is seen at once; who did it is kept."""
    running = await bench.pipeline(wait(3600))
    stage = running["stages"][0]["id"]
    await bench.executions.change_stage(running["id"], stage, {"skipRemainingWait": True}, bench.ann)
    await bench.idle()
    done = await now(bench, running)
    assert done["status"] == "SUCCEEDED"
    assert done["stages"][0]["lastModified"]["user"] == "ann@example.com"
    assert done["stages"][0]["context"]["lastModifiedBy"] == "ann@example.com"


async def test_what_cannot_be_skipped_is_not(bench):
    """An error, where Orca gives an empty answer."""
    running = await bench.pipeline(wait(10))
    with pytest.raises(Conflict, match="Cannot manually skip stage"):
        await bench.executions.change_stage(
            running["id"], running["stages"][0]["id"], {"manualSkip": True}, bench.ann
        )


async def test_a_stage_of_a_paused_execution_is_not_restarted(bench):
    """Else the rest would stay paused, and nobody could resume it."""
    run = await bench.pipeline(wait(0, refId="1"), wait(60, refId="2", requisiteStageRefIds=[]))
    await bench.executions.pause(run["id"], bench.ann)
    with pytest.raises(Conflict, match="is paused: resume it before"):
        await bench.executions.restart_stage(run["id"], run["stages"][0]["id"], bench.ann)
    await bench.executions.resume(run["id"], bench.ann)
    await bench.idle()
    assert statuses(await now(bench, run)) == ["RUNNING", "SUCCEEDED", "RUNNING"]


async def test_what_is_paused_is_told_that_it_is_cancelled(bench):
    """As what runs: its child is cancelled too, and its tasks end."""
    bench.pipelines.stored["child"] = {
        "id": "child",
        "application": "demo",
        "name": "c",
        "stages": [wait(60)],
    }
    run = await bench.pipeline({"type": "pipeline", "pipeline": "child"})
    await bench.executions.pause(run["id"], bench.ann)
    await bench.executions.cancel(run["id"], bench.ann)
    await bench.idle()
    done = await now(bench, run)
    assert statuses(done) == ["CANCELED", "CANCELED"]
    assert [task["status"] for task in done["stages"][0]["tasks"]] == ["SUCCEEDED", "CANCELED"]
    assert done["paused"]["paused"] is False
    child = await bench.executions.get_pipeline(done["stages"][0]["context"]["executionId"])
    assert child["status"] == "CANCELED"


async def test_a_restart_beside_a_branch_that_runs_does_not_queue(bench):
    """It has its place among those that may run at once already."""
    stages = wait(0, refId="1"), wait(60, refId="2", requisiteStageRefIds=[])
    run = await bench.pipeline(*stages, id="p", limitConcurrent=True)
    changed = await bench.executions.restart_stage(run["id"], run["stages"][0]["id"], bench.ann)
    assert changed["status"] == "RUNNING"


def demand(expression: str, **fields) -> dict:
    context = {"expression": expression}
    return {
        "type": "checkPreconditions",
        "refId": "1",
        "preconditions": [{"type": "expression", "context": context}],
        **fields,
    }


async def test_a_restart_takes_the_preconditions_that_count_now(bench):
    """Those of the stored pipeline, or of the one that is given; a stage that it does not have keeps its own."""
    failed = await bench.pipeline(demand("1 == 2"), id="p")
    top = next(each for each in failed["stages"] if each["refId"] == "1")
    for stored, given, status in (
        ({"id": "p", "stages": [demand("3 == 2", refId="9")]}, None, "TERMINAL"),
        ({"id": "p", "stages": [demand("1 == 1")]}, {"stages": [demand("3 == 4")]}, "TERMINAL"),
        ({"id": "p", "stages": [demand("1 == 1")]}, None, "SUCCEEDED"),
    ):
        bench.pipelines.stored["p"] = stored
        await bench.executions.restart_stage(failed["id"], top["id"], bench.ann, config=given)
        await bench.idle()
        assert (await now(bench, failed))["status"] == status


async def test_a_trigger_that_names_its_parent_gets_it(bench):
    """As Deck starts a pipeline by hand with the trigger of another one's end; what is not there changes nothing."""
    parent = await bench.pipeline(wait(0))
    child = await bench.pipeline(wait(0), trigger={"parentPipelineId": parent["id"]})
    trigger = child["trigger"]
    assert (trigger["isPipeline"], trigger["parentStatus"], trigger["parentPipelineName"]) == (
        True, "SUCCEEDED", "p",
    )  # fmt: skip
    assert trigger["parentExecution"]["id"] == parent["id"]
    assert "masthead" not in trigger["parentExecution"]
    orphan = await bench.pipeline(wait(0), trigger={"parentPipelineId": "nope"})
    assert (orphan["status"], "parentExecution" in orphan["trigger"]) == ("SUCCEEDED", False)
