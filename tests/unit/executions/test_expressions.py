"""Expressions in executions: when they are evaluated, what they see, and what is never evaluated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from masthead.executions import store
from masthead.executions.evaluation import Expressions, Neighbours
from masthead.executions.fakes import FakeApplications, FakePipelines, fake_services
from masthead.executions.given import EXECUTION_LIMIT
from masthead.executions.model import Execution, ExecutionType, Stage, to_document
from masthead.executions.seen import SeenExecution
from masthead.executions.stages.base import StageType, TaskContext, TaskResult, TaskType
from masthead.executions.stages.registry import STAGE_TYPES
from masthead.executions.status import Status
from masthead.kernel.clock import ManualClock
from masthead.kernel.errors import InvalidRequest, MastheadError
from masthead.kernel.secret import Secret

SUMMARY = "expressionEvaluationSummary"
KEY = "0123456789abcdef0123456789abcdef"
VERSIONS = pytest.mark.parametrize("version", ["v3", "v4"])


def page(message: str, **fields) -> dict:
    return {"type": "pageApplicationOwner", "name": "page", "keys": [KEY], "message": message, **fields}


def variables(**values) -> dict:
    entries = [{"key": key, "value": value} for key, value in values.items()]
    return {"type": "evaluateVariables", "name": "set", "variables": entries}


# -- stages -----------------------------------------------------------------------------------------


@VERSIONS
async def test_a_page_says_who_broke_what(bench, version):
    """The message that people write; the stored context holds what was sent."""
    trigger = {"user": "bob", "parameters": {"version": "1.2.3"}}
    message = "${trigger.user} broke ${execution.name} ${parameters.version}"
    details = {"${parameters.version}": ["${execution.application.toUpperCase()}"]}
    run = await bench.pipeline(page(message, details=details), trigger=trigger, spelEvaluator=version)
    assert run["status"] == "SUCCEEDED"
    (draft,) = bench.paging.drafts
    assert draft.message == "bob broke p 1.2.3"
    assert draft.details["1.2.3"] == ["DEMO"]
    assert run["stages"][0]["context"]["message"] == "bob broke p 1.2.3"
    assert SUMMARY not in run["stages"][0]["context"]


@VERSIONS
async def test_what_a_caller_sends_is_never_evaluated(bench, version):
    """Neither in the trigger nor where a stage shows it, however often it runs."""
    evil = "${1 + 1}"
    trigger = {"user": evil, "parameters": {"p": evil, "${1 + 1}": 1}, "payload": {"x": evil}}
    stages = [page("${parameters.p} / ${trigger.payload.x} / ${missing}"), page("${execution.trigger.user}")]
    run = await bench.pipeline(*stages, trigger=trigger, spelEvaluator=version)
    assert [draft.message for draft in bench.paging.drafts] == [f"{evil} / {evil} / ${{missing}}", evil]
    assert run["trigger"]["parameters"] == {"p": evil, "${1 + 1}": 1}
    assert run["trigger"]["payload"] == {"x": evil}


@VERSIONS
async def test_what_a_task_puts_into_the_context_is_data(bench, version):
    """Also under a key that held an expression which did not resolve."""

    class Answer(TaskType):
        name = "answer"
        implementing_class = "example.Answer"

        async def run(self, work: TaskContext) -> TaskResult:
            return TaskResult(Status.SUCCEEDED, context={"body": "${1 + 1}", "field": "${2 + 2}"})

    class Again(Answer):
        name = "again"

        async def run(self, work: TaskContext) -> TaskResult:
            assert work.context["body"] == "${1 + 1}"
            assert work.context["field"] == "${2 + 2}"
            return TaskResult(Status.SUCCEEDED)

    class Asking(StageType):
        type = label = doc = "asking"
        tasks = (Answer(), Again())

    bench.executions._types._types["asking"] = Asking()
    try:
        run = await bench.pipeline({"type": "asking", "field": "${missing}"}, spelEvaluator=version)
    finally:
        del bench.executions._types._types["asking"]
    assert run["status"] == "SUCCEEDED"
    assert SUMMARY not in run["stages"][0]["context"]


async def test_what_people_change_in_a_stage_is_data(bench):
    """Before it begins as well as while it waits; what the owner wrote elsewhere is still evaluated."""
    stages = [
        {"refId": "1", "type": "wait", "waitTime": 100},
        page("${execution.name}", refId="2", requisiteStageRefIds=["1"], details={"a": "${1 + 1}"}),
    ]
    run = await bench.pipeline(*stages, spelEvaluator="v4")
    later = run["stages"][1]["id"]
    await bench.executions.change_stage(run["id"], later, {"message": "${1 + 1}"}, bench.ann)
    await bench.executions.change_stage(
        run["id"], run["stages"][0]["id"], {"skipRemainingWait": True, "note": "${1 + 1}"}, bench.ann
    )
    await bench.idle()
    done = await bench.executions.get_pipeline(run["id"])
    assert done["stages"][0]["context"]["note"] == "${1 + 1}"
    (draft,) = bench.paging.drafts
    assert (draft.message, draft.details["a"]) == ("${1 + 1}", 2)


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ({"type": "noop"}, {"stageEnabled": {"type": "expression", "expression": "false"}}),
        (variables(a="${1 + 1}"), {"variables": [{"key": "a", "value": "${2 + 2}"}]}),
        ({"type": "checkPreconditions", "preconditions": []}, {"preconditions": [{"type": "noop"}]}),
    ],
)
async def test_what_is_evaluated_as_it_stands_cannot_be_changed(bench, stage, changes):
    """Only the pipeline's owner says what that is; the same again is no change."""
    stages = [
        {"refId": "1", "type": "wait", "waitTime": 100},
        {**stage, "refId": "2", "requisiteStageRefIds": ["1"]},
    ]
    run = await bench.pipeline(*stages)
    later = run["stages"][1]
    (name,) = changes
    with pytest.raises(InvalidRequest, match="only its pipeline may say") as caught:
        await bench.executions.change_stage(run["id"], later["id"], changes, bench.ann)
    assert caught.value.pointer == f"/{name}"
    same = {name: later["context"].get(name)}
    await bench.executions.change_stage(run["id"], later["id"], same, bench.ann)


async def test_what_does_not_resolve_is_tried_again_before_each_run(bench):
    """The report goes when it resolves; what did resolve stays as it was."""
    seen = []

    class Slow(TaskType):
        name = "slow"
        implementing_class = "example.Slow"
        backoff_s = 10.0

        async def run(self, work: TaskContext) -> TaskResult:
            seen.append((work.context["text"], SUMMARY in work.context, work.context["now"]))
            if len(seen) == 1:
                return TaskResult(Status.RUNNING, outputs={"late": "here"}, context={"late": "${here}"})
            return TaskResult(Status.SUCCEEDED)

    class SlowStage(StageType):
        type = label = doc = "slow"
        tasks = (Slow(),)

    bench.executions._types._types["slow"] = SlowStage()
    stage = {"type": "slow", "text": "it is ${late}", "now": "${new java.util.Date().time}"}
    try:
        await bench.pipeline(stage, spelEvaluator="v4")
        await bench.clock.advance(11)
        await bench.run_due()
    finally:
        del bench.executions._types._types["slow"]
    (first, second) = seen
    assert first[:2] == ("it is ${late}", True)
    assert second[:2] == ("it is ${here}", False)
    assert first[2] == second[2]


@VERSIONS
async def test_what_the_expressions_of_an_execution_give_is_limited(bench, version):
    """Also that of many small stages, and of variables, which are kept twice; what is too much stays and is reported."""
    big = "${'xxxxxxxxxx' * 90000}"
    partly = [big, "${missing}"]
    stages = [{"refId": f"n{n}", "type": "noop", "a": big, "b": big, "c": partly} for n in range(12)]
    last = {"refId": "v", "requisiteStageRefIds": [each["refId"] for each in stages]}
    run = await bench.pipeline(*stages, {**last, **variables(v=big)}, spelEvaluator=version)
    size = sum(len(str(stage["context"])) for stage in run["stages"])
    assert 8_000_000 < size < EXECUTION_LIMIT * 1.1
    assert run["stages"][-1]["outputs"] == {"v": big}
    assert "more than" in str(run["stages"][-1]["context"][SUMMARY])


async def test_outputs_of_earlier_stages_are_there_nearest_first(bench):
    """By name, as #stage says, and merged in execution.context."""
    stages = [
        {"refId": "1", **variables(color="red", shape="round")},
        {"refId": "2", "requisiteStageRefIds": ["1"], **variables(color="blue")},
        page(
            "${color} ${shape} ${#stageByRefId('1').outputs.color} ${execution.context.color}"
            " ${#stage('set').context.shape} ${#currentStage().type}",
            refId="3",
            requisiteStageRefIds=["2"],
        ),
    ]
    await bench.pipeline(*stages, spelEvaluator="v4")
    (draft,) = bench.paging.drafts
    assert draft.message == "blue round red blue round pageApplicationOwner"


@VERSIONS
async def test_a_stage_is_planned_with_its_values(bench, version):
    """Which tasks it has may depend on them."""
    bench.pipelines.stored["child"] = {
        "id": "child",
        "application": "demo",
        "name": "c",
        "stages": [{"type": "noop"}],
    }
    stage = {"type": "pipeline", "pipeline": "child", "waitForCompletion": "${trigger.payload.wait}"}
    run = await bench.pipeline(stage, trigger={"payload": {"wait": False}}, spelEvaluator=version)
    assert [task["name"] for task in run["stages"][0]["tasks"]] == ["startPipeline"]


@VERSIONS
async def test_a_failed_expression_leaves_the_text_and_is_reported(bench, version):
    """The stage runs all the same."""
    run = await bench.pipeline(page("${1/0} of ${execution.name}"), spelEvaluator=version)
    assert run["status"] == "SUCCEEDED"
    assert bench.paging.drafts[0].message == "${1/0} of ${execution.name}"
    (note,) = run["stages"][0]["context"][SUMMARY]["1/0 of execution.name"]
    assert note["description"] == "Failed to evaluate [message] / by zero"


@VERSIONS
async def test_fail_on_failed_expressions_ends_the_stage_terminal(bench, version):
    """With the report's sentences as its errors."""
    stage = {"type": "noop", "text": "${missing}", "failOnFailedExpressions": True}
    run = await bench.pipeline(stage, spelEvaluator=version)
    assert run["status"] == "TERMINAL"
    details = run["stages"][0]["context"]["exception"]["details"]
    assert details["error"] == "Failed Expression Evaluation"
    assert details["errors"] == ["Failed to evaluate [text] : missing not found"]


async def test_a_failed_stage_says_which_of_its_expressions_did_not_resolve(bench):
    """After what it failed with itself; one that succeeds keeps them in its report only."""
    run = await bench.pipeline({"type": "wait", "waitTime": "${parameters.nope + 1}"})
    own, expression = run["stages"][0]["context"]["exception"]["details"]["errors"]
    assert own == "`waitTime` must be a number of seconds."
    assert expression.startswith("Failed to evaluate [waitTime]")
    fine = await bench.pipeline({"type": "noop", "note": "${parameters.nope + 1}"})
    assert "exception" not in fine["stages"][0]["context"]
    context = {"expression": "#nope()"}
    run = await bench.pipeline(
        {"type": "checkPreconditions", "preconditions": [{"type": "expression", "context": context}]}
    )
    details = run["stages"][0]["context"]["exception"]["details"]
    assert details["error"] == "Failed Expression Evaluation"
    assert details["errors"][0].startswith("Failed to evaluate [expression]")


async def test_our_own_notes_are_not_shown(bench):
    """Neither on a stage nor on the stages of an execution that started this one."""
    run = await bench.pipeline(page("${missing}"))
    assert "unevaluated" not in run["stages"][0]
    stored = await bench.database.read(lambda connection: store.find(connection, run["id"]))
    assert stored.stages[0].unevaluated == {"message": {"shown": "${missing}"}}
    child = await bench.pipeline({"type": "noop"}, trigger={"parentExecution": to_document(stored)})
    assert "unevaluated" not in child["trigger"]["parentExecution"]["stages"][0]
    assert "masthead" not in child["trigger"]["parentExecution"]


@VERSIONS
async def test_a_name_is_text_whatever_its_expression_gives(bench, version):
    """Of the pipeline and, where it is evaluated at the start, of a stage."""
    parameters = {"type": "manual", "parameters": {"a": {"b": [1, True]}}}
    run = await bench.pipeline(
        {"type": "noop", "name": "${parameters.a}"},
        name="${parameters.a}",
        spelEvaluator=version,
        trigger=parameters,
    )
    assert run["status"] == "SUCCEEDED"
    assert run["name"] == "{b=[1, true]}"
    assert run["stages"][0]["name"] == ("{b=[1, true]}" if version == "v3" else "${parameters.a}")


@VERSIONS
async def test_our_own_notes_of_a_parent_are_not_shown(bench, version):
    """Neither to the child's expressions, nor to one that only names its parent."""
    read = {"type": "noop", "own": "${trigger.parentExecution.masthead}", "all": "${trigger.parentExecution}"}
    config = {"id": "child", "application": "demo", "name": "c", "stages": [read], "spelEvaluator": version}
    bench.pipelines.stored["child"] = config
    stage = {"type": "pipeline", "pipeline": "child", "text": "${nope}"}
    run = await bench.pipeline(stage)
    child_id = run["stages"][0]["context"]["executionId"]
    named = await bench.pipeline(read, spelEvaluator=version, trigger={"parentPipelineId": run["id"]})
    for one in (await bench.executions.get_pipeline(child_id), named):
        context = one["stages"][0]["context"]
        assert context["own"] in (None, "${trigger.parentExecution.masthead}")
        assert context["all"]["id"] == run["id"]
        assert "10.0.0.1" not in str(context["all"])
        assert "unevaluated" not in str(context["all"])


async def test_a_key_never_shows_in_an_expression(bench):
    """Its label does: of this stage, of others, of parents, and of applications."""
    bench.applications.stored["demo"] = {"name": "DEMO", "pdApiKey": KEY}
    message = (
        "${keys[0]} ${execution.stages[0].context.keys[0]} ${execution.stages}"
        " ${#applicationMetadata('demo').pdApiKey} ${#toJson(trigger)}"
    )
    parent = {"id": "P", "stages": [{"type": "pageApplicationOwner", "context": {"keys": [KEY]}}]}
    await bench.pipeline(page(message), trigger={"parentExecution": parent}, spelEvaluator="v4")
    (draft,) = bench.paging.drafts
    assert KEY not in draft.message
    assert draft.message.startswith("Service F Service F {id=")
    assert draft.keys[0].reveal() == KEY


# -- tasks ------------------------------------------------------------------------------------------


async def test_tasks_see_their_own_context_only(bench):
    """Neither an execution nor a trigger."""
    job = page("${severity} ${execution.name} ${parameters.size()}", severity="warning")
    task = await bench.task(job)
    assert bench.paging.drafts[0].message == job["message"]
    assert "cannot be found on null" in str(bench.variable(task, SUMMARY))
    await bench.task(page("${severity} ${parameters.size()}", severity="warning"))
    assert bench.paging.drafts[1].message == "warning 0"


async def test_a_saved_pipeline_keeps_its_expressions(bench):
    """They are for its own runs."""
    pipeline = {"id": "p1", "application": "demo", "name": "n", "stages": [{"type": "wait", "c": "${1 + 1}"}]}
    await bench.task({"type": "savePipeline", "pipeline": pipeline, "note": "${1 + 1}"})
    assert bench.pipelines.stored["p1"]["stages"] == [{"type": "wait", "c": "${1 + 1}"}]


# -- stageEnabled -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "status"),
    [
        (None, "SUCCEEDED"),
        ({}, "SUCCEEDED"),
        ({"type": "other", "expression": "false"}, "SUCCEEDED"),
        ({"type": "expression"}, "SUCCEEDED"),
        ({"type": "expression", "expression": ""}, "SUCCEEDED"),
        ({"type": "expression", "expression": "true"}, "SUCCEEDED"),
        ({"type": "expression", "expression": "parameters.run == 'yes'"}, "SUCCEEDED"),
        ({"type": "expression", "expression": "${ parameters.run == 'yes' }"}, "SUCCEEDED"),
        ({"type": "expression", "expression": "'TRUE'"}, "SUCCEEDED"),
        ({"type": "expression", "expression": "false"}, "SKIPPED"),
        ({"type": "expression", "expression": "execution.stages.?[type == 'x'].size() > 0"}, "SKIPPED"),
        ({"type": "expression", "expression": "#stage('nothing').status == 'SUCCEEDED'"}, "SKIPPED"),
        ({"type": "expression", "expression": "missing"}, "SKIPPED"),
        ({"type": "expression", "expression": "'maybe'"}, "SKIPPED"),
        ({"type": "expression", "expression": "#fromUrl('https://a.example') == 'on'"}, "SKIPPED"),
        ({"type": "expression", "expression": "1 +"}, "SKIPPED"),
    ],
)
@VERSIONS
async def test_a_stage_runs_only_if_its_option_says_so(bench, option, status, version):
    """Anything that is not true skips it; what failed is reported in its context."""
    stage = {"type": "noop", "stageEnabled": option}
    run = await bench.pipeline(stage, trigger={"parameters": {"run": "yes"}}, spelEvaluator=version)
    (found,) = run["stages"]
    assert found["status"] == status
    failed = str((option or {}).get("expression")) in (
        "#stage('nothing').status == 'SUCCEEDED'",
        "missing",
        "#fromUrl('https://a.example') == 'on'",
        "1 +",
    )
    assert (SUMMARY in found["context"]) is failed


@pytest.mark.parametrize(
    ("expression", "status"),
    [
        ("${ parameters.run == 'no' }", "SKIPPED"),
        ("${ parameters.run }", "SKIPPED"),
        ("${parameters.run == 'yes'} and ${parameters.run != 'no'}", "SUCCEEDED"),
        (" ${parameters.run == 'yes'}", "SUCCEEDED"),
        ("'${parameters.run}' == 'yes'", "SUCCEEDED"),
        ("${trigger.payload.evil}", "SKIPPED"),
        ("${parameters.evil} or false", "SKIPPED"),
        ("'${parameters.quote}' == 'x'", "SKIPPED"),
        (False, "SKIPPED"),
        (True, "SUCCEEDED"),
    ],
)
@VERSIONS
async def test_an_option_with_braces_is_evaluated_once(bench, expression, status, version):
    """Nothing that a caller sent is evaluated after it was put in; also when the stage is restarted."""
    option = {"type": "expression", "expression": expression}
    parameters = {"run": "yes", "evil": "1 == 1", "quote": "x' == 'x' or 'y"}
    trigger = {"parameters": parameters, "payload": {"evil": "1 == 1"}}
    run = await bench.pipeline(
        {"type": "noop", "stageEnabled": option}, trigger=trigger, spelEvaluator=version
    )
    (found,) = run["stages"]
    assert found["status"] == status
    await bench.executions.restart_stage(run["id"], found["id"], bench.ann)
    await bench.idle()
    (found,) = (await bench.executions.get_pipeline(run["id"]))["stages"]
    assert found["status"] == status


class Hurried(ManualClock):
    """A clock that goes on by 20 ms whenever somebody looks."""

    def monotonic(self):
        self._elapsed += 0.02
        return self._elapsed


async def test_where_many_that_take_long_start_together_the_later_ones_wait():
    """For the moment before their first task runs; everything else has its turn in between."""
    clock = Hurried()
    stages = [Stage(id=f"s{n}", type="noop", name="n", context={"text": "${1 + 1}"}) for n in range(30)]
    execution = Execution(
        id="E",
        type=ExecutionType.PIPELINE,
        application="demo",
        stages=stages,
        trigger={},
        spel_evaluator="v4",
    )
    expressions = Expressions(fake_services(clock), clock, STAGE_TYPES.raw_fields)
    for stage in stages:
        expressions.begin(execution, stage)
    values = [stage.context["text"] for stage in stages]
    assert values[0] == 2
    assert values[-1] == "${1 + 1}"
    for stage in stages:
        await expressions.go_on(execution, stage)
    assert {stage.context["text"] for stage in stages} == {2}


async def test_what_took_long_and_did_not_resolve_is_not_evaluated_before_every_run():
    """Until half a minute has passed, a stage has ended, or somebody changed this one."""
    clock = Hurried()
    asked = 0

    async def read(url: str) -> str:
        nonlocal asked
        asked += 1
        raise MastheadError("not yet")

    stage = Stage(id="s", type="webhook", name="n", context={"text": "${#fromUrl('http://a.b/')}"})
    other = Stage(id="o", type="noop", name="o", status=Status.RUNNING)
    execution = Execution(
        id="E", type=ExecutionType.PIPELINE, application="demo", stages=[stage, other], trigger={}
    )
    services = replace(fake_services(clock), read_url=read)
    expressions = Expressions(services, clock, STAGE_TYPES.raw_fields)

    async def runs() -> int:
        """Have it go on three times in a row; give how often the URL was asked."""
        before = asked
        for _ in range(3):
            await expressions.go_on(execution, stage)
        return asked - before

    assert await runs() == 2  # the first told for the first time that it did not resolve
    assert await runs() == 0
    other.status = Status.SUCCEEDED
    assert await runs() == 1
    stage.last_modified = {"user": "ann", "lastModifiedTime": 1}
    assert await runs() == 1
    await clock.advance(31)
    assert await runs() == 1


def test_an_option_that_takes_long_is_cut_short_where_many_do():
    """It skips its stage and says so; a short one is still heard."""
    clock = Hurried()
    option = {"type": "expression", "expression": "true"}
    stages = [Stage(id=f"s{n}", type="noop", name="n", context={"stageEnabled": option}) for n in range(30)]
    execution = Execution(id="E", type=ExecutionType.PIPELINE, application="demo", stages=stages, trigger={})
    expressions = Expressions(fake_services(clock), clock, STAGE_TYPES.raw_fields)
    enabled = [expressions.is_enabled(execution, stage) for stage in stages]
    assert enabled[0]
    assert not enabled[-1]
    assert "take too long" in str(stages[-1].context[SUMMARY])


def test_stages_inside_another_inherit_its_option():
    """Unless they have their own."""
    no = {"type": "expression", "expression": "false"}
    outer = Stage(id="o", type="t", name="o", context={"stageEnabled": no})
    inner = Stage(id="i", type="t", name="i", parent_stage_id="o")
    own = Stage(id="w", type="t", name="w", parent_stage_id="o", context={"stageEnabled": {"type": "none"}})
    execution = Execution(
        id="E", type=ExecutionType.PIPELINE, application="demo", stages=[outer, inner, own], trigger={}
    )
    clock = ManualClock()
    expressions = Expressions(fake_services(clock), clock, STAGE_TYPES.raw_fields)
    assert [expressions.is_enabled(execution, stage) for stage in execution.stages] == [False, False, True]


# -- starting ---------------------------------------------------------------------------------------


@VERSIONS
async def test_defaults_of_parameters_are_evaluated_and_supplied_ones_are_not(bench, version):
    """One after the other; the owner wrote the defaults, a caller the rest."""
    declared = [
        {"name": "env", "default": "prod"},
        {"name": "host", "default": "${parameters.env}.example.com"},
        {"name": "url", "default": "https://${parameters.host}/"},
        {"name": "given", "default": "${1 + 1}"},
    ]
    trigger = {"parameters": {"given": "${2 + 2}"}}
    run = await bench.pipeline(
        {"type": "noop"}, parameterConfig=declared, trigger=trigger, spelEvaluator=version
    )
    assert run["trigger"]["parameters"] == {
        "env": "prod",
        "host": "prod.example.com",
        "url": "https://prod.example.com/",
        "given": "${2 + 2}",
    }


async def test_a_child_pipeline_evaluates_its_own_defaults(bench):
    """What the parent's stage supplies is data by then."""
    child = {
        "id": "child",
        "application": "demo",
        "name": "c",
        "parameterConfig": [{"name": "a", "default": "${1 + 1}"}, {"name": "b", "default": "x"}],
        "stages": [page("${parameters.a} ${parameters.b}")],
    }
    bench.pipelines.stored["child"] = child
    parent = {"type": "pipeline", "pipeline": "child", "pipelineParameters": {"b": "${trigger.payload.b}"}}
    await bench.pipeline(parent, trigger={"payload": {"b": "${2 + 2}"}})
    await bench.idle()
    assert bench.paging.drafts[0].message == "2 ${2 + 2}"


@pytest.mark.parametrize(
    ("version", "name", "comment"), [("v3", "to prod", "prod"), ("v4", "to ${parameters.env}", "prod")]
)
async def test_the_version_says_what_is_evaluated_at_the_start(bench, version, name, comment):
    """v4 leaves the stages alone, so their names stay; what is in their context is evaluated when they start."""
    run = await bench.pipeline(
        {"type": "noop", "name": "to ${parameters.env}", "comment": "${parameters.env}"},
        name="release to ${parameters.env}",
        notifications=[{"address": "#${parameters.env}"}],
        templateVariables={"x": "${parameters.env}"},
        trigger={"parameters": {"env": "prod"}},
        spelEvaluator=version,
    )
    assert run["name"] == "release to prod"
    assert run["notifications"] == [{"address": "#prod"}]
    assert run["templateVariables"] == {"x": "prod"}
    (stage,) = run["stages"]
    assert (stage["name"], stage["context"]["comment"]) == (name, comment)


async def test_at_the_start_nothing_is_taken_for_null_that_comes_later(bench):
    """v3 evaluates early; what it cannot know then waits for its stage."""
    stages = [
        {"refId": "1", **variables(color="red")},
        page(
            "${color ?: 'none'}",
            details={"status": "${#stage('set').status}", "stages": "${execution.stages.size()}"},
            refId="2",
            requisiteStageRefIds=["1"],
        ),
    ]
    await bench.pipeline(*stages, spelEvaluator="v3")
    (draft,) = bench.paging.drafts
    assert draft.message == "red"
    assert (draft.details["status"], draft.details["stages"]) == ("SUCCEEDED", 2)


# -- evaluateVariables ------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "second"), [("v4", "red!"), ("v3", "${first}!")])
async def test_variables_see_those_before_them_with_v4_only(bench, version, second):
    """Outputs are the keys with their values; what they were made from is kept."""
    stage = variables(first="${parameters.c}", second="${first}!", third=[1])
    stage["variables"].append({"key": "", "value": "x"})
    run = await bench.pipeline(stage, trigger={"parameters": {"c": "red"}}, spelEvaluator=version)
    (found,) = run["stages"]
    assert found["outputs"] == {"first": "red", "second": second, "third": [1]}
    assert found["context"]["variables"][0]["sourceValue"] == "{parameters.c}"


async def test_a_restarted_stage_evaluates_its_variables_anew(bench):
    """From what the owner wrote."""
    run = await bench.pipeline(
        variables(now="${new java.util.Date().time}", map="${ {a: 1} }"), spelEvaluator="v4"
    )
    (before,) = run["stages"]
    await bench.clock.advance(60)
    await bench.executions.restart_stage(run["id"], before["id"], bench.ann)
    await bench.idle()
    (after,) = (await bench.executions.get_pipeline(run["id"]))["stages"]
    assert after["outputs"]["now"] == before["outputs"]["now"] + 60_000
    assert after["outputs"]["map"] == {"a": 1}


@pytest.mark.parametrize(("fails", "status"), [(True, "TERMINAL"), (False, "SUCCEEDED")])
async def test_a_variable_that_fails_is_reported(bench, fails, status):
    """It keeps its text; the stage fails only if it is told to."""
    stage = {**variables(bad="${1/0}", good="${1 + 1}"), "failOnFailedExpressions": fails}
    run = await bench.pipeline(stage, spelEvaluator="v4")
    (found,) = run["stages"]
    assert found["status"] == status
    assert found["outputs"] == {"bad": "${1/0}", "good": 2}
    assert "1/0" in found["context"][SUMMARY]


async def test_variables_must_be_a_list_of_objects(bench):
    """Else the stage is TERMINAL with a sentence; none at all is fine."""
    run = await bench.pipeline({"type": "evaluateVariables", "variables": ["x"]})
    assert "must be a list of objects" in str(run["stages"][0]["context"]["exception"])
    assert (await bench.pipeline({"type": "evaluateVariables"}))["status"] == "SUCCEEDED"


# -- the outside ------------------------------------------------------------------------------------


async def test_neighbours_answer_for_expressions():
    """Applications without their keys, pipelines by name, URLs where there is a reader."""
    applications = FakeApplications({"name": "Demo", "pdApiKey": KEY, "email": "a@b.c"})
    pipelines = FakePipelines({"id": "p1", "application": "demo", "name": "release"})
    services = fake_services(ManualClock(), applications=applications, pipelines=pipelines)
    neighbours = Neighbours(services)
    found = await neighbours.application("demo")
    assert found == {"name": "Demo", "pdApiKey": services.key_label(Secret(KEY)), "email": "a@b.c"}
    assert await neighbours.application("other") is None
    assert await neighbours.pipeline_id("demo", "release") == "p1"
    assert await neighbours.pipeline_id("demo", "Release") is None
    with pytest.raises(MastheadError, match="cannot read from a URL"):
        await neighbours.text_of_url("https://a.example")

    async def read(url: str) -> str:
        return f"text of {url}"

    assert await Neighbours(replace(services, read_url=read)).text_of_url("u") == "text of u"


async def test_a_message_may_need_the_outside(bench):
    """It is asked before the task runs, and what it says is stored before the page goes out."""
    bench.pipelines.stored["p1"] = {"id": "p1", "application": "demo", "name": "release"}
    await bench.pipeline(
        page("see ${#pipelineId('release')} ${#pipelineIdOrNull('x') ?: '-'}"), spelEvaluator="v4"
    )
    assert bench.paging.drafts[0].message == "see p1 -"


def test_an_execution_is_read_as_its_json():
    """Without private fields, without what is not there; unknown fields are."""
    stage = Stage(id="s", type="wait", name="w", ref_id="1", unevaluated={}, extra={"more": 1})
    execution = Execution(
        id="E",
        type=ExecutionType.PIPELINE,
        application="demo",
        stages=[stage],
        masthead={"address": "10.0.0.1"},
        extra={"partition": "p"},
    )
    seen = SeenExecution(execution, lambda _: "label")
    assert "masthead" not in seen
    assert "startTime" not in seen
    assert seen["partition"] == "p"
    assert dict(seen["stages"][0]).keys() == {
        "id", "type", "name", "refId", "status", "context", "outputs", "tasks", "requisiteStageRefIds", "more",
    }  # fmt: skip
    assert seen.get("nothing") is None
    assert len(seen) == len(list(seen))
