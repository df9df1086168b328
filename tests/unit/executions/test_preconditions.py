"""``checkPreconditions``, ``dependsOnExecution`` and execution windows, run as pipelines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from masthead.executions.stages.registry import STAGE_TYPES
from masthead.kernel.clock import to_ms
from masthead.kernel.errors import Conflict

LATE = {"failPipeline": False}


def condition(expression: object, **more) -> dict:
    return {"type": "expression", "context": {"expression": expression}, **more}


def check(*preconditions: dict, **more) -> dict:
    return {"type": "checkPreconditions", "refId": "1", "preconditions": list(preconditions), **more}


async def run(bench, *preconditions: dict, parameters=(), **more) -> dict:
    """Run a pipeline of one check; give its executed stages by name, the check itself under "check"."""
    done = await bench.pipeline(
        check(*preconditions, name="check", **more), trigger={"parameters": dict(parameters)}
    )
    return {"execution": done, **{each["name"]: each for each in done["stages"]}}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("true", True),
        (True, True),
        ("parameters.env == 'prod'", True),
        ("${parameters.env == 'prod'}", True),
        ('"${parameters.env}" == "prod"', True),
        ("'${parameters.env}-x'.endsWith('d-x') && ${parameters.size} > 2", True),
        ('"it\'s ${parameters.env}" == "it\'s prod"', True),
        ("parameters.env == 'test'", False),
        ("parameters.missing.thing", False),
        ("1 +", False),
        ("'yes'", False),
    ],
)
async def test_a_condition_holds_when_it_comes_to_true(bench, expression, result):
    """With or without ${} around it or inside; what fails or is neither true nor false does not hold."""
    found = await run(bench, condition(expression), parameters={"env": "prod", "size": 3})
    one = found["Check precondition (expression)"]
    assert found["execution"]["status"] == ("SUCCEEDED" if result else "TERMINAL")
    assert one["status"] == ("SUCCEEDED" if result else "TERMINAL")
    if result:
        assert one["context"]["context"]["expressionResult"] == "true"
    assert one["parentStageId"] == found["check"]["id"]
    assert one["syntheticStageOwner"] == "STAGE_BEFORE"
    assert one["refId"] == "1<1"


@pytest.mark.parametrize("template", ["${parameters.x}", '"${parameters.x}" == "y"', "parameters.x"])
async def test_what_a_caller_sends_is_never_evaluated(bench, template):
    """A parameter that would make the condition true were it evaluated."""
    for attack in ("${true}", "true' == 'true", 'y" == "y" || "a', "1 == 1"):
        found = await run(bench, condition(template), parameters={"x": attack})
        assert found["execution"]["status"] == "TERMINAL"


async def test_all_preconditions_are_looked_at_and_each_says_what_its_failure_means(bench):
    """A failing one with failPipeline false stops the branch; the others are looked at all the same."""
    done = await bench.pipeline(
        check(condition("false", **LATE), condition("true"), {"type": "noop"}),
        {"type": "noop", "refId": "2", "requisiteStageRefIds": ["1"]},
    )
    by_ref = {each["refId"]: each["status"] for each in done["stages"]}
    assert by_ref == {
        "1<1": "STOPPED",
        "1<2": "SUCCEEDED",
        "1<3": "SUCCEEDED",
        "1": "STOPPED",
        "2": "NOT_STARTED",
    }
    assert done["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"stageName": "before", "stageStatus": "SUCCEEDED"}, None),
        (
            {"stageName": "before", "stageStatus": "TERMINAL"},
            "The status of stage before was asserted to be TERMINAL, but was actually SUCCEEDED",
        ),
        (
            {"stageName": "x", "stageStatus": "SUCCEEDED"},
            "Failed to find stage x in execution. Please specify a valid stage name",
        ),
        ({"stageStatus": "SUCCEEDED"}, "Stage name is required for preconditions of type stageStatus."),
        ({"stageName": "before"}, "Stage status is required for preconditions of type stageStatus."),
    ],
)
async def test_the_status_of_another_stage_can_be_demanded(bench, context, sentence):
    """In Orca's words where it is another."""
    done = await bench.pipeline(
        {"type": "noop", "refId": "0", "name": "before"},
        check({"type": "stageStatus", "context": context}) | {"requisiteStageRefIds": ["0"]},
    )
    assert done["status"] == ("TERMINAL" if sentence else "SUCCEEDED")
    if sentence:
        assert done["stages"][1]["context"]["exception"]["details"]["errors"] == [sentence]


async def test_an_unknown_precondition_and_none_at_all_fail_and_an_empty_list_is_skipped(bench):
    """In sentences."""
    unknown = await bench.pipeline(check({"type": "moon"}))
    errors = unknown["stages"][0]["context"]["exception"]["details"]["errors"]
    assert errors == ["no Precondition implementation for type moon"]
    missing = await bench.pipeline({"type": "checkPreconditions"})
    assert missing["status"] == "TERMINAL"
    empty = await bench.pipeline(check())
    assert empty["stages"][0]["status"] == "SKIPPED"


async def test_a_restarted_check_looks_again(bench):
    """At new inner stages."""
    done = await bench.pipeline(check(condition("false")))
    outer = next(each for each in done["stages"] if each["refId"] == "1")
    await bench.executions.restart_stage(done["id"], outer["id"], bench.ann)
    await bench.idle()
    again = await bench.executions.get_pipeline(done["id"])
    assert [each["status"] for each in again["stages"]] == ["TERMINAL", "TERMINAL"]
    assert again["stages"][0]["id"] != done["stages"][0]["id"]


def test_what_cannot_be_a_precondition_is_found_before_it_is_stored():
    """With the place and a sentence."""
    stages = [check(condition("1 +"), {"context": {}}, condition("a == '${b}'"))]
    found = list(STAGE_TYPES.problems({"stages": stages}))
    assert [problem.pointer for problem in found] == [
        "/stages/0/preconditions/0/context/expression",
        "/stages/0/preconditions/1",
    ]


async def test_an_execution_can_wait_for_another_one(bench):
    """It goes on when that succeeded, and is cancelled when it failed."""
    for word, status in (("continue", "SUCCEEDED"), ("stop", "CANCELED")):
        other = await bench.pipeline({"type": "manualJudgment"})
        waiting = await bench.pipeline({"type": "dependsOnExecution", "executionId": other["id"]})
        assert waiting["status"] == "RUNNING"
        stage = other["stages"][0]["id"]
        await bench.executions.change_stage(other["id"], stage, {"judgmentStatus": word}, bench.ann)
        await bench.idle()
        await bench.clock.advance(11)
        await bench.run_due()
        done = await bench.executions.get_pipeline(waiting["id"])
        assert done["status"] == status
    assert done["stages"][0]["context"]["reason"].endswith("ended with status TERMINAL")
    unknown = await bench.pipeline({"type": "dependsOnExecution", "executionId": "nope"})
    assert unknown["status"] == "TERMINAL"


#: Open from 04:00 to 05:00; the clock of the tests stands at 03:00 UTC.
WINDOW = {
    "restrictExecutionDuringTimeWindow": True,
    "restrictedExecutionWindow": {"whitelist": [{"startHour": 4, "startMin": 0, "endHour": 5, "endMin": 0}]},
}


async def test_a_stage_waits_for_its_window_and_then_runs(bench):
    """The stage before it says when it goes on; nothing of the stage itself has begun."""
    waiting = await bench.pipeline({"type": "noop", "refId": "1", **WINDOW})
    window, stage = waiting["stages"]
    assert (window["type"], window["name"]) == ("restrictExecutionDuringTimeWindow",) * 2
    assert (window["refId"], window["status"]) == ("1<1", "RUNNING")
    assert window["scheduledTime"] == to_ms(datetime(2026, 11, 23, 4, 0, tzinfo=UTC))
    assert stage["tasks"][0]["status"] == "NOT_STARTED"
    for _ in range(4):
        await bench.clock.advance(15 * 60)
        await bench.run_due()
    done = await bench.executions.get_pipeline(waiting["id"])
    assert done["status"] == "SUCCEEDED"
    assert done["stages"][1]["tasks"][0]["startTime"] == window["scheduledTime"]


async def test_no_time_out_applies_to_the_wait_for_a_window(bench):
    """Its time does not count for the stage either."""
    stage = {"type": "wait", "waitTime": 3601, "refId": "1", "stageTimeoutMs": 60_000, **WINDOW}
    waiting = await bench.pipeline(stage)
    for _ in range(4):
        await bench.clock.advance(15 * 60)
        await bench.run_due()
    assert (await bench.executions.get_pipeline(waiting["id"]))["stages"][0]["status"] == "SUCCEEDED"
    await bench.clock.advance(59)
    await bench.run_due()
    assert (await bench.executions.get_pipeline(waiting["id"]))["status"] == "SUCCEEDED"


async def test_the_wait_for_a_window_can_be_skipped(bench):
    """By the id of the stage that waits."""
    waiting = await bench.pipeline({"type": "noop", "refId": "1", **WINDOW})
    window = waiting["stages"][0]["id"]
    await bench.executions.change_stage(waiting["id"], window, {"skipRemainingWait": True}, bench.ann)
    await bench.idle()
    assert (await bench.executions.get_pipeline(waiting["id"]))["status"] == "SUCCEEDED"


async def test_jitter_waits_a_while_longer_but_not_for_people(bench):
    """Between minDelay and maxDelay seconds; a manual start goes on at once with skipManual."""
    always = {"jitter": {"enabled": True, "minDelay": 10, "maxDelay": 20, "skipManual": True}}
    stage = {"type": "noop", "restrictExecutionDuringTimeWindow": True, "restrictedExecutionWindow": always}
    assert (await bench.pipeline(stage))["status"] == "SUCCEEDED"
    waiting = await bench.pipeline(stage, trigger={"type": "cron"})
    assert waiting["status"] == "RUNNING"
    assert 10 <= waiting["stages"][0]["context"]["waitTime"] <= 20
    await bench.clock.advance(20)
    await bench.run_due()
    assert (await bench.executions.get_pipeline(waiting["id"]))["status"] == "SUCCEEDED"


async def test_a_window_that_cannot_be_meant_is_terminal_with_a_sentence(bench):
    """The same that saving refuses it with; Orca's failureReason around it."""
    stage = {**WINDOW, "type": "noop", "restrictedExecutionWindow": {"days": [9]}}
    done = await bench.pipeline(stage)
    assert done["status"] == "TERMINAL"
    (problem,) = STAGE_TYPES.problems({"stages": [stage]})
    window = done["stages"][0]["context"]
    assert window["exception"]["details"]["errors"] == [problem.sentence]
    assert window["failureReason"].endswith(f"while calculating time window: {problem.sentence}")


async def test_a_stage_that_says_so_can_be_skipped_while_it_runs(bench):
    """A child pipeline with skippable; any other stage refuses, and the child goes on."""
    bench.pipelines.stored["child"] = {
        "id": "child", "application": "demo", "name": "c", "stages": [{"type": "manualJudgment"}]
    }  # fmt: skip
    for is_skippable in (True, False):
        parent = await bench.pipeline({"type": "pipeline", "pipeline": "child", "skippable": is_skippable})
        stage = parent["stages"][0]["id"]
        change = bench.executions.change_stage(parent["id"], stage, {"manualSkip": True}, bench.ann)
        if not is_skippable:
            with pytest.raises(Conflict, match="Cannot manually skip stage"):
                await change
            continue
        await change
        await bench.idle()
        done = await bench.executions.get_pipeline(parent["id"])
        assert (done["status"], done["stages"][0]["status"]) == ("SUCCEEDED", "SKIPPED")
        child = await bench.executions.get_pipeline(parent["stages"][0]["context"]["executionId"])
        assert child["status"] == "RUNNING"
