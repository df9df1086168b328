"""Pipelines that cannot run end at once with a reason, and large ones end."""

from __future__ import annotations

import pytest

from masthead.executions import STAGE_TYPES
from masthead.kernel.errors import InvalidRequest
from masthead.pipelines import Checks


def stage(ref: str, *waits: str) -> dict:
    return {"type": "noop", "refId": ref, "requisiteStageRefIds": list(waits)}


@pytest.mark.parametrize(
    "stages",
    [
        [stage("1", "2"), stage("2", "1")],
        [stage("1", "1")],
        [stage("1", "9")],
        [stage("1"), stage("1")],
        [stage(str(n), str((n + 1) % 1000)) for n in range(1000)],
    ],
    ids=["circle", "itself", "unknown", "duplicate", "circle of a thousand"],
)
async def test_what_can_never_run_is_terminal_with_the_sentence_that_saving_refuses_it_with(bench, stages):
    """It never begins."""
    done = await bench.pipeline(*stages)
    assert (done["status"], done["canceledBy"]) == ("TERMINAL", "system")
    (problem, *_) = Checks().problems({"stages": stages})
    assert problem.sentence in done["cancellationReason"]
    assert {each["status"] for each in done["stages"]} == {"NOT_STARTED"}


async def test_a_pipeline_without_stages_is_terminal(bench):
    """With a reason."""
    done = await bench.pipeline()
    assert (done["status"], done["cancellationReason"]) == (
        "TERMINAL",
        "Failed on startup: There is no stage to run.",
    )


@pytest.mark.parametrize("is_line", [True, False])
async def test_a_thousand_stages_end(bench, is_line):
    """One after the other, and side by side."""
    stages = [stage(str(n), *([str(n - 1)] if n and is_line else [])) for n in range(1000)]
    done = await bench.pipeline(*stages)
    assert done["status"] == "SUCCEEDED"


async def test_a_pipeline_of_a_template_is_refused_and_recorded(bench):
    """With what to do instead."""
    with pytest.raises(InvalidRequest, match="templates are not resolved here"):
        await bench.pipeline(stage("1"), type="templatedPipeline", schema="v2")


@pytest.mark.parametrize(
    ("fields", "pointer", "sentence"),
    [
        ({"type": ""}, "/type", "type missing from pipeline 'p' in application 'demo', stage name: 'n'"),
        ({"type": 5}, "/type", "type missing from pipeline 'p' in application 'demo', stage name: 'n'"),
        (
            {"stageTimeoutMs": "60000"},
            "/stageTimeoutMs",
            "`stageTimeoutMs` must be a number of milliseconds.",
        ),
        (
            {"stageEnabled": {"type": "expression", "expression": "1 +"}},
            "/stageEnabled/expression",
            "The expression ends too early: 1 +",
        ),
        ({"type": "wait", "waitTime": "soon"}, "/waitTime", "`waitTime` must be a number of seconds."),
        (
            {"type": "waitUntil", "epochMillis": "soon"},
            "/epochMillis",
            "`epochMillis` must be an instant in milliseconds since 1970.",
        ),
        (
            {"type": "evaluateVariables", "variables": {"a": "${1}"}},
            "/variables",
            "`variables` must be a list of objects, each with a `key` and a `value`.",
        ),
        (
            {"type": "pageApplicationOwner", "applications": "demo"},
            "/applications",
            "`applications` must be a list of application names.",
        ),
        (
            {"type": "pageApplicationOwner", "keys": [1]},
            "/keys",
            "`keys` must be a list of integration keys.",
        ),
        (
            {"type": "pageApplicationOwner", "details": "x"},
            "/details",
            '`details` must be an object, such as {"details": "what happened"}.',
        ),
    ],
)
def test_what_cannot_be_meant_is_said_before_it_is_stored(fields, pointer, sentence):
    """With its place; what an expression gives, and what is still missing, is left for the run."""
    pipeline = {"name": "p", "application": "demo", "stages": [{"type": "noop", "name": "n", **fields}]}
    (problem,) = STAGE_TYPES.problems(pipeline)
    assert (problem.pointer, problem.sentence) == (f"/stages/0{pointer}", sentence)


def test_what_is_known_only_while_running_is_left_for_the_run():
    """Expressions, and fields that say nothing."""
    stages = [
        {"type": "wait", "waitTime": "${parameters.w}", "stageTimeoutMs": "${parameters.t}"},
        {"type": "wait", "waitTime": "", "stageTimeoutMs": None, "stageEnabled": {"type": "expression"}},
        {"type": "waitUntil", "stageEnabled": {"type": "expression", "expression": "${parameters.a} == 1"}},
        {"type": "pageApplicationOwner", "applications": "${parameters.a}", "severity": "", "keys": []},
        {"type": "evaluateVariables"},
        {"type": "moon", "stageEnabled": "x"},
    ]
    assert list(STAGE_TYPES.problems({"stages": stages})) == []


async def test_two_branches_that_fail_at_the_same_moment_end_the_pipeline(bench):
    """The first of them ends the other; on the way in, and at the instant when both take too long."""
    run = await bench.pipeline(*({"type": "wait", "refId": ref, "waitTime": "soon"} for ref in "ab"))
    assert [run["status"], *(each["status"] for each in run["stages"])] == [
        "TERMINAL",
        "TERMINAL",
        "CANCELED",
    ]
    judge = {"type": "manualJudgment", "stageTimeoutMs": 1000}
    run = await bench.pipeline({**judge, "refId": "a"}, {**judge, "refId": "b"})
    await bench.clock.advance(1)
    await bench.run_due()
    run = await bench.executions.get_pipeline(run["id"])
    assert [run["status"], *(each["status"] for each in run["stages"])] == [
        "TERMINAL",
        "TERMINAL",
        "CANCELED",
    ]


@pytest.mark.parametrize("junk", ["x", [1], {"a": 1}, {"a": [1]}, {"a": [{"b": 1}]}])
async def test_a_report_that_somebody_made_up_keeps_nothing_from_ending(bench, junk):
    """Whatever stands in the place of what is told of expressions, in every type that tells of them."""
    report = {"expressionEvaluationSummary": junk}
    variables = [{"key": "a", "value": "${nope}"}]
    for stage in (
        {"type": "wait", "waitTime": "soon"},
        {"type": "noop", "failOnFailedExpressions": True},
        {"type": "evaluateVariables", "variables": variables},
        {"type": "noop", "text": "${nope}"},
    ):
        for version in ("v3", "v4"):
            run = await bench.pipeline(stage | report, spelEvaluator=version)
            assert run["status"] == ("TERMINAL" if stage["type"] == "wait" else "SUCCEEDED")
