"""Pipelines that cannot run end at once with a reason, and large ones end."""

from __future__ import annotations

import asyncio

import pytest

from masthead.executions import STAGE_TYPES
from masthead.executions.stages.base import StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.errors import InvalidRequest
from masthead.pipelines import Checks, doubts_of


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
        ({"type": 5}, "/type", "`type` must be a text that names a type of stage, such as wait."),
        (
            {"stageTimeoutMs": "60000"},
            "/stageTimeoutMs",
            "`stageTimeoutMs` must be a number of milliseconds.",
        ),
        (
            {"stageTimeoutMs": -1},
            "/stageTimeoutMs",
            "`stageTimeoutMs` must not be negative: the time of the stage would be over before it begins.",
        ),
        ({"type": "pipeline"}, "/pipeline", "`pipeline` must be the id of a pipeline."),
        (
            {"type": "dependsOnExecution", "executionId": ""},
            "/executionId",
            "`executionId` must be the id of an execution.",
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
            {"type": "manualJudgment", "selectedStageRoles": {"ops": True}},
            "/selectedStageRoles",
            "`selectedStageRoles` must be a list of roles.",
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


GIVES = {"type": "evaluateVariables", "variables": [{"key": "pipeline", "value": "x"}]}


@pytest.mark.parametrize(
    ("other", "is_refused"),
    [
        ({"type": "noop"}, True),
        ({"type": "evaluateVariables", "variables": [{"key": "a", "value": "x"}]}, True),
        ({"type": "pipeline", "pipeline": "p", "skipDownstreamOutput": True}, True),
        (GIVES, False),
        ({"type": "evaluateVariables", "variables": "${parameters.v}"}, False),
        ({"type": "evaluateVariables", "variables": [1]}, False),
        ({"type": "pipeline", "pipeline": "p"}, False),
        ({"type": "deployManifest"}, False),
    ],
)
def test_what_an_earlier_stage_may_give_is_not_missing(other, is_refused):
    """In Orca a field that a stage lacks is taken out of what earlier stages gave."""
    found = list(STAGE_TYPES.problems({"stages": [other, {"type": "pipeline"}]}))
    assert ("/stages/1/pipeline" in [one.pointer for one in found]) is is_refused


@pytest.mark.parametrize(
    "own", [{"pipeline": "p"}, {"pipelineId": "s"}, {"executionId": "e"}, {"pipeline": 5}]
)
def test_a_child_may_be_named_in_more_than_one_way(own):
    """What Orca may run is left for the run."""
    assert list(STAGE_TYPES.problems({"stages": [{"type": "pipeline", **own}]})) == []


def test_what_orca_runs_but_nobody_means_is_a_doubt_and_no_problem():
    """It is told while the pipeline is edited, and saved."""
    stages = [
        {"type": "wait", "waitTime": -5},
        {"type": "manualJudgment", "judgmentInputs": "yes"},
        {"type": "wait", "waitTime": 5},
        {"type": "manualJudgment", "judgmentInputs": [{"value": "yes"}]},
        {"type": "manualJudgment", "judgmentInputs": "${parameters.answers}"},
        {"type": "moon"},
        5,
    ]
    pipeline = {"spelEvaluator": "v5", "triggers": [{"type": "git"}, {"type": "cron"}, 5], "stages": stages}
    assert list(STAGE_TYPES.problems(pipeline)) == []
    assert [one.pointer for one in STAGE_TYPES.doubts(pipeline)] == [
        "/stages/0/waitTime",
        "/stages/1/judgmentInputs",
    ]
    found = [one.pointer for one in doubts_of(pipeline)]
    assert found == ["/spelEvaluator", "/triggers/0/type", "/triggers/2/type"]
    assert list(doubts_of({"spelEvaluator": " V4 "})) == list(doubts_of({})) == []


@pytest.mark.parametrize("field", ["preconditions", "stageEnabled", "url"])
def test_all_expressions_of_a_pipeline_share_one_bound_whatever_field_they_stand_in(field):
    """What is parsed of a pipeline of megabytes is what is parsed of a small one; the rest is known when it runs."""
    written = {
        "preconditions": lambda text: [{"type": "expression", "context": {"expression": text}}],
        "stageEnabled": lambda text: {"type": "expression", "expression": text},
        "url": lambda text: "${" + text + "}",
    }[field]
    kind = "checkPreconditions" if field == "preconditions" else "wait"
    stages = [{"type": kind, field: written("a" * 9_000)} for _ in range(11)]
    last = [{"type": kind, field: written("1 +")}, {"type": "wait", "message": "${1 +}"}]
    assert [each.pointer.split("/")[2] for each in STAGE_TYPES.problems({"stages": stages + last})] == [
        "11",
        "12",
    ]
    assert list(STAGE_TYPES.problems({"stages": [*stages, stages[0], *last]})) == []


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


class _Turns(StageType):
    """A stage type whose instant task notes how often the loop had gone round."""

    type = label = doc = "turns"

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._now = 0
        self.tasks = (_Note(self),)

    def go_round(self) -> None:
        """Count, again and again."""
        self._now += 1
        self._next = asyncio.get_running_loop().call_soon(self.go_round)

    def note(self) -> None:
        """Note the count."""
        self.seen.append(self._now)

    def stop(self) -> None:
        """Count no longer."""
        self._next.cancel()


class _Note(TaskType):
    name = implementing_class = "note"
    is_instant = True

    def __init__(self, turns: _Turns) -> None:
        self._turns = turns

    async def run(self, work: TaskContext) -> TaskResult:
        """Note it."""
        self._turns.note()
        return TaskResult(Status.SUCCEEDED)


async def test_others_have_their_turn_while_many_stages_end_at_once(bench, monkeypatch):
    """The loop goes round between any two instant tasks."""
    turns = _Turns()
    monkeypatch.setitem(STAGE_TYPES._types, "turns", turns)
    turns.go_round()
    await bench.pipeline(
        *({"type": "turns", "refId": str(at), "requisiteStageRefIds": []} for at in range(9))
    )
    turns.stop()
    assert len(set(turns.seen)) == 9


MANY = "There are 1,001 stages; 1,000 are the most that one pipeline or task can have."


async def test_more_stages_than_can_run_are_refused_before_anything_is_stored(bench):
    """When a pipeline is saved, and when it or a task is started."""
    stages = [{"type": "wait"}] * 1001
    (problem,) = Checks().problems({"stages": stages})
    assert (problem.pointer, problem.sentence) == ("/stages", MANY)
    with pytest.raises(InvalidRequest, match=MANY):
        await bench.pipeline(*stages)
    with pytest.raises(InvalidRequest, match=MANY) as error:
        await bench.task(*stages)
    assert error.value.pointer == "/job"


async def test_stages_inside_others_are_bounded_too(bench):
    """By number, and by what they take over from the stage around them."""
    checks = [
        {"type": "checkPreconditions", "refId": str(at), "preconditions": [{"type": "noop"}] * 100}
        for at in range(20)
    ]
    many = await bench.pipeline(*checks)
    assert many["status"] == "TERMINAL"
    (failed,) = [each for each in many["stages"] if each["status"] == "TERMINAL"]
    assert failed["context"]["exception"]["details"]["errors"] == [
        "With those inside others, an execution can have 2,000 stages at most."
    ]
    large = await bench.pipeline(checks[0] | {"comments": "x" * 100_000})
    assert large["stages"][0]["context"]["exception"]["details"]["errors"] == [
        "Each precondition takes over the other fields of its stage, and here these are too large for so many."
    ]


@pytest.mark.parametrize(
    ("config", "pointer", "sentence"),
    [
        (
            {"parameterConfig": [{"name": "p"}] * 1001},
            "/parameterConfig",
            "There are 1,001 parameters; 1,000 are the most that one pipeline can declare.",
        ),
        (
            {"stages": [{"type": "noop", "texts": ["${1}"] * 5001}]},
            "",
            "There are 5,001 texts with expressions; 5,000 are the most that one pipeline or task can have.",
        ),
    ],
)
async def test_more_than_can_be_evaluated_is_refused_when_it_is_saved_and_when_it_is_started(
    bench, config, pointer, sentence
):
    """What a caller sends counts for nothing: it is not evaluated."""
    (problem,) = Checks().problems(config)
    assert (problem.pointer, problem.sentence) == (pointer, sentence)
    with pytest.raises(InvalidRequest, match=sentence):
        await bench.executions.start_pipeline({"application": "demo", "name": "p", **config}, bench.ann)
    done = await bench.pipeline({"type": "noop"}, trigger={"payload": ["${1}"] * 5001})
    assert done["status"] == "SUCCEEDED"
