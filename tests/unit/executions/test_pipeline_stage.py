"""The stage that runs another pipeline."""

from __future__ import annotations

import pytest

from masthead.kernel.clock import to_ms


@pytest.fixture(autouse=True)
def children(bench) -> None:
    noop, wait = {"type": "noop", "name": "n"}, {"type": "wait", "waitTime": 60, "name": "w"}
    unknown = {"type": "deploy", "name": "roll out"}
    declared = [{"name": "version", "default": "1"}, {"name": "zone", "default": "a"}]
    for pipeline_id, stage in (("quick", noop), ("slow", wait), ("broken", unknown)):
        bench.pipelines.stored[pipeline_id] = {
            "id": pipeline_id,
            "application": "child",
            "name": pipeline_id,
            "stages": [stage],
            "parameterConfig": declared,
        }
    bench.pipelines.stored["off"] = {"id": "off", "application": "child", "name": "off", "disabled": True}
    bench.pipelines.stored["loop"] = {
        "id": "loop",
        "application": "child",
        "name": "loop",
        "stages": [{"type": "pipeline", "pipeline": "loop"}],
    }


def stage(child: str, **fields) -> dict:
    return {"type": "pipeline", "application": "child", "pipeline": child, **fields}


async def now(bench, execution: dict) -> dict:
    return await bench.executions.get_pipeline(execution["id"])


def errors(execution: dict) -> list[str]:
    return execution["stages"][0]["context"]["exception"]["details"]["errors"]


async def test_a_child_runs_with_its_parameters_and_its_end_ends_the_stage(bench):
    """The parent's trigger of the child names parent and stage; defaults are filled in."""
    done = await bench.pipeline(stage("quick", pipelineParameters={"version": "2", "more": True}))
    assert done["status"] == "SUCCEEDED"
    context = done["stages"][0]["context"]
    child = await bench.executions.get_pipeline(context["executionId"])
    trigger = child["trigger"]
    assert (context["executionName"], context["status"]) == ("quick", "SUCCEEDED")
    assert trigger["parameters"] == {"version": "2", "zone": "a", "more": True}
    assert (trigger["type"], trigger["parentExecution"]["id"]) == ("pipeline", done["id"])
    assert trigger["parentPipelineStageId"] == done["stages"][0]["id"]


async def test_the_end_of_a_slow_child_wakes_its_parent(bench):
    """Without waiting for the next look."""
    running = await bench.pipeline(stage("slow"))
    assert running["status"] == "RUNNING"
    child = running["stages"][0]["context"]["executionId"]
    await bench.executions.change_stage(
        child,
        (await bench.executions.get_pipeline(child))["stages"][0]["id"],
        {"skipRemainingWait": True},
        bench.ann,
    )
    before = to_ms(bench.clock.now())
    await bench.idle()
    assert (await now(bench, running))["status"] == "SUCCEEDED"
    assert to_ms(bench.clock.now()) == before


async def test_a_stage_need_not_wait(bench):
    """The child goes on by itself."""
    done = await bench.pipeline(stage("slow", waitForCompletion="false"))
    assert done["status"] == "SUCCEEDED"
    child = await bench.executions.get_pipeline(done["stages"][0]["context"]["executionId"])
    assert child["status"] == "RUNNING"


async def test_what_failed_in_the_child_is_told(bench):
    """With the child's stage and the sentence that Orca adds."""
    failed = await bench.pipeline(stage("broken"))
    assert failed["status"] == "TERMINAL"
    first, last = errors(failed)
    assert first.startswith("Exception in child pipeline stage (broken: roll out): No StageDefinitionBuilder")
    assert last == "At least one monitored pipeline failed, look for errors in failed pipelines"
    source = failed["stages"][0]["context"]["exception"]["source"]
    assert (source["stageName"], source["stageIndex"]) == ("roll out", 0)


@pytest.mark.parametrize(
    ("child", "sentence"),
    [
        ("nope", "The referenced pipeline cannot be located (nope)"),
        ("off", "The referenced pipeline is disabled"),
        ("", "`pipeline` must be the id of a pipeline."),
    ],
)
async def test_a_child_that_cannot_be_started_fails_the_stage(bench, child, sentence):
    """In Orca's words."""
    failed = await bench.pipeline(stage(child))
    assert (failed["status"], errors(failed)) == ("TERMINAL", [sentence])


async def test_parent_and_child_are_cancelled_together(bench):
    """In either direction."""
    running = await bench.pipeline(stage("slow"))
    await bench.executions.cancel(running["id"], bench.ann, "enough")
    await bench.idle()
    child = await bench.executions.get_pipeline(running["stages"][0]["context"]["executionId"])
    assert (child["status"], child["canceledBy"]) == ("CANCELED", "parent pipeline")

    other = await bench.pipeline(stage("slow"))
    await bench.executions.cancel(other["stages"][0]["context"]["executionId"], bench.ann)
    await bench.idle()
    cancelled = await now(bench, other)
    assert cancelled["status"] == "CANCELED"
    assert errors(cancelled)[-1] == "At least one monitored pipeline was cancelled"


async def test_a_restarted_stage_starts_a_new_child(bench):
    """The failed one is forgotten."""
    failed = await bench.pipeline(stage("broken"))
    first = failed["stages"][0]["context"]["executionId"]
    bench.pipelines.stored["broken"]["stages"] = [{"type": "noop", "name": "n"}]
    await bench.executions.restart_stage(failed["id"], failed["stages"][0]["id"], bench.ann)
    await bench.idle()
    done = await now(bench, failed)
    assert done["status"] == "SUCCEEDED"
    assert done["stages"][0]["context"]["executionId"] != first


async def test_a_pipeline_that_runs_itself_comes_to_an_end(bench):
    """After twenty, with a sentence that says what is wrong."""
    failed = await bench.pipeline(stage("loop"))
    assert failed["status"] == "TERMINAL"
    assert "does one of them run itself?" in str(errors(failed))


async def test_a_stage_waits_again_for_a_child_that_is_restarted(bench):
    """In all executions above; what comes after it runs then. A child that was not waited for, or is another by now, is left alone."""
    bench.pipelines.stored["kid"] = {
        "id": "kid", "application": "child", "name": "kid",
        "stages": [{"type": "checkPreconditions", "refId": "1", "preconditions": [{"type": "moon"}]}],
    }  # fmt: skip
    bench.pipelines.stored["middle"] = {
        "id": "middle", "application": "child", "name": "middle", "stages": [stage("kid")],
    }  # fmt: skip
    after = {"type": "noop", "refId": "2", "requisiteStageRefIds": ["1"]}
    failed = await bench.pipeline(stage("middle", refId="1"), after)
    middle = failed["stages"][0]["context"]["executionId"]
    kid = (await bench.executions.get_pipeline(middle))["stages"][0]["context"]["executionId"]
    kid_run = await bench.executions.get_pipeline(kid)
    top = next(each for each in kid_run["stages"] if each["refId"] == "1")
    config = {"stages": [{"type": "checkPreconditions", "refId": "1", "preconditions": [{"type": "noop"}]}]}
    await bench.executions.restart_stage(kid, top["id"], bench.ann, config=config)
    await bench.idle()
    for each in (kid, middle, failed["id"]):
        assert (await bench.executions.get_pipeline(each))["status"] == "SUCCEEDED"
    done = await now(bench, failed)
    assert [each["status"] for each in done["stages"]] == ["SUCCEEDED", "SUCCEEDED"]
    assert done["stages"][0]["context"]["executionId"] == middle
    assert done["stages"][0]["context"]["restartDetails"]["restartedBy"] == "ann@example.com"


async def test_a_child_that_is_not_awaited_is_restarted_alone(bench):
    """Or one in whose place another runs by now, and one whose parent is gone."""
    done = await bench.pipeline(stage("quick", waitForCompletion=False))
    waited = await bench.pipeline(stage("quick"))
    old = waited["stages"][0]["context"]["executionId"]
    await bench.executions.restart_stage(waited["id"], waited["stages"][0]["id"], bench.ann)
    await bench.idle()
    gone = await bench.pipeline(stage("quick"))
    await bench.executions.delete(gone["id"], bench.ann)
    for parent, child in (
        (done, done["stages"][0]["context"]["executionId"]),
        (waited, old),
        (gone, gone["stages"][0]["context"]["executionId"]),
    ):
        run = await bench.executions.get_pipeline(child)
        await bench.executions.restart_stage(child, run["stages"][0]["id"], bench.ann)
        await bench.idle()
        assert (await bench.executions.get_pipeline(child))["status"] == "SUCCEEDED"
        if parent is not gone:
            context = (await now(bench, parent))["stages"][0]["context"]
            assert context.get("restartDetails", {}).get("restartTime") == (
                None if parent is done else context["restartDetails"]["restartTime"]
            )


@pytest.mark.parametrize(
    ("fields", "status", "child_status"),
    [
        ({}, "TERMINAL", "CANCELED"),
        ({"continuePipeline": True}, "SUCCEEDED", "RUNNING"),
        ({"markSuccessfulOnTimeout": True}, "SUCCEEDED", "RUNNING"),
    ],
)
async def test_a_child_that_takes_too_long_is_cancelled_where_its_parent_fails(
    bench, fields, status, child_status
):
    """As Orca does: where the pipeline goes on, the child does, too."""
    run = await bench.pipeline(stage("slow", stageTimeoutMs=10_000, **fields))
    await bench.clock.advance(11)
    await bench.run_due()
    done = await now(bench, run)
    assert done["status"] == status
    child = await bench.executions.get_pipeline(done["stages"][0]["context"]["executionId"])
    assert child["status"] == child_status
    if child_status == "CANCELED":
        assert child["canceledBy"] == "parent pipeline"
