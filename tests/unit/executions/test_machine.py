"""The state machine: graphs, failure options, joins, cancellation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.executions.machine import Machine, cancel_by
from masthead.executions.model import Execution, ExecutionType, Stage
from masthead.executions.stages.base import StageType, TaskResult, TaskType
from masthead.executions.stages.registry import StageTypes
from masthead.executions.status import Status


class Step(TaskType):
    name = "step"
    implementing_class = "example.StepTask"


class Second(Step):
    name = "second"


class OneStep(StageType):
    type = "one"
    label = doc = "One step"
    tasks = (Step(),)


class TwoSteps(OneStep):
    type = "two"
    tasks = (Step(), Second())


class NoStep(OneStep):
    type = "none"
    tasks = ()


TYPES = StageTypes((OneStep(), TwoSteps(), NoStep()))
HALT = {"failPipeline": False}
HALT_THEN_FAIL = {"failPipeline": False, "completeOtherBranchesThenFail": True}
IGNORE = {"failPipeline": False, "continuePipeline": True}


def stage(ref: str, *after: str, kind: str = "one", **context) -> Stage:
    return Stage(
        id=f"id-{ref}", type=kind, name=ref, ref_id=ref, requisite_stage_ref_ids=list(after), context=context
    )


def machine_of(*stages: Stage) -> Machine:
    execution = Execution(id="X", type=ExecutionType.PIPELINE, application="demo", stages=list(stages))
    machine = Machine(execution, TYPES, lambda: 1000)
    machine.advance()
    return machine


def run(machine: Machine, *results: tuple[str, Status]) -> dict[str, str]:
    """Report results for the running steps of named stages, then success until nothing runs."""
    for name, status in results:
        step = next(each for each in machine.running() if each.stage.name == name)
        machine.report(step, TaskResult(status))
    while machine.running():
        machine.report(machine.running()[0], TaskResult(Status.SUCCEEDED))
    return {each.name: each.status.value for each in machine.execution.stages}


def names(machine: Machine) -> list[str]:
    return [step.stage.name for step in machine.running()]


def test_stages_without_requisites_start_together_and_a_join_waits_for_all():
    """A diamond: both branches run at once, the join after both."""
    machine = machine_of(stage("a"), stage("b", "a"), stage("c", "a"), stage("d", "b", "c"))
    assert names(machine) == ["a"]
    machine.report(machine.running()[0], TaskResult(Status.SUCCEEDED))
    assert names(machine) == ["b", "c"]
    machine.report(machine.running()[0], TaskResult(Status.SUCCEEDED))
    assert names(machine) == ["c"]
    run(machine)
    assert machine.execution.status is Status.SUCCEEDED


def test_a_failing_branch_ends_the_execution_and_cancels_the_others():
    """The option failPipeline is the default: the execution is TERMINAL, what runs CANCELED, the rest never starts."""
    machine = machine_of(stage("a"), stage("b"), stage("c", "b"))
    statuses = run(machine, ("a", Status.TERMINAL))
    assert statuses == {"a": "TERMINAL", "b": "CANCELED", "c": "NOT_STARTED"}
    assert machine.execution.status is Status.TERMINAL
    assert [step.stage.name for step in machine.ended_early] == ["b"]
    assert machine.execution.end_time == 1000


@pytest.mark.parametrize(
    ("options", "a", "after_a", "status"),
    [
        (HALT, "STOPPED", "NOT_STARTED", Status.SUCCEEDED),
        (HALT_THEN_FAIL, "STOPPED", "NOT_STARTED", Status.TERMINAL),
        (IGNORE, "FAILED_CONTINUE", "SUCCEEDED", Status.SUCCEEDED),
    ],
)
def test_the_other_branches_complete_when_the_options_say_so(options, a, after_a, status):
    """Halt this branch, halt and fail in the end, ignore: the other branch runs to its end in each."""
    machine = machine_of(stage("a", **options), stage("x", "a"), stage("b"), stage("c", "b"))
    statuses = run(machine, ("a", Status.TERMINAL))
    assert statuses == {"a": a, "x": after_a, "b": "SUCCEEDED", "c": "SUCCEEDED"}
    assert machine.execution.status is status


def test_a_join_behind_a_stopped_branch_never_starts():
    """What waits for a stopped stage stays NOT_STARTED, and the execution still ends."""
    machine = machine_of(stage("a", **HALT), stage("b"), stage("j", "a", "b"))
    statuses = run(machine, ("a", Status.TERMINAL))
    assert statuses == {"a": "STOPPED", "b": "SUCCEEDED", "j": "NOT_STARTED"}
    assert machine.execution.status is Status.SUCCEEDED


def test_tasks_run_one_after_the_other_and_only_the_last_ends_the_stage():
    """The second task starts when the first succeeded."""
    machine = machine_of(stage("a", kind="two"))
    assert [step.task.name for step in machine.running()] == ["step"]
    machine.report(machine.running()[0], TaskResult(Status.SKIPPED))
    assert [step.task.name for step in machine.running()] == ["second"]
    run(machine)
    (only,) = machine.execution.stages
    assert only.status is Status.SUCCEEDED
    assert [(t.id, t.stage_start, t.stage_end) for t in only.tasks] == [
        ("1", True, False),
        ("2", False, True),
    ]


def test_a_task_that_itself_continues_after_a_failure_lets_the_next_one_run():
    """FAILED_CONTINUE as a result goes on; TERMINAL turned into it by the options ends the stage."""
    asked = machine_of(stage("a", kind="two"))
    asked.report(asked.running()[0], TaskResult(Status.FAILED_CONTINUE))
    assert [step.task.name for step in asked.running()] == ["second"]
    assert run(asked) == {"a": "FAILED_CONTINUE"}
    turned = machine_of(stage("a", kind="two", **IGNORE))
    assert run(turned, ("a", Status.TERMINAL)) == {"a": "FAILED_CONTINUE"}
    assert [task.status for task in turned.execution.stages[0].tasks] == ["FAILED_CONTINUE", "NOT_STARTED"]


def test_a_stage_without_tasks_is_skipped_however_long_the_chain():
    """A thousand stages without tasks end in one go."""
    chain = [stage(str(n), *([str(n - 1)] if n else []), kind="none") for n in range(1000)]
    machine = machine_of(*chain)
    assert {each.status for each in chain} == {Status.SKIPPED}
    assert machine.execution.status is Status.SUCCEEDED


def test_an_unknown_type_fails_its_stage_in_orcas_words():
    """The sentence lists the known types; failure options apply."""
    machine = machine_of(stage("a", kind="deploy", **IGNORE), stage("b", "a"))
    run(machine)
    (a, b) = machine.execution.stages
    assert a.context["exception"]["details"]["errors"] == [
        "No StageDefinitionBuilder implementation for deploy(alias: null) found (knownTypes: none, one, two)"
    ]
    assert a.context["beforeStagePlanningFailed"] is True
    assert (a.status, b.status) == (Status.FAILED_CONTINUE, Status.SUCCEEDED)


def test_an_alias_replaces_the_type_for_the_look_up():
    """The context's alias decides which code runs."""
    machine = machine_of(stage("a", kind="deploy", alias="one"))
    assert run(machine) == {"a": "SUCCEEDED"}


@pytest.mark.parametrize(
    ("stages", "part"),
    [
        ((), "There is no stage to run."),
        ((stage("a", "b"), stage("b", "a")), "Invalid stage relationships found: "),
        ((stage("a"), stage("b", "ghost")), "'ghost'"),
        ((stage("a"), stage("a")), "Invalid stage relationships found: "),
    ],
)
def test_a_graph_that_cannot_run_ends_terminal_and_says_why(stages, part):
    """Nothing hangs: no stage, a cycle, an unknown and a repeated refId end at once."""
    machine = machine_of(*stages)
    assert machine.execution.status is Status.TERMINAL
    assert machine.execution.cancellation_reason.startswith("Failed on startup: ")
    assert part in machine.execution.cancellation_reason
    assert machine.next_due() is None


def test_cancelling_ends_what_runs():
    """Running stages are CANCELED, the others stay as they are."""
    machine = machine_of(stage("a"), stage("b", "a"))
    cancel_by(machine.execution, "ann", "enough")
    machine.advance()
    assert [each.status for each in machine.execution.stages] == [Status.CANCELED, Status.NOT_STARTED]
    assert machine.execution.status is Status.CANCELED
    assert (machine.execution.canceled_by, machine.execution.cancellation_reason) == ("ann", "enough")


def test_an_execution_whose_start_came_too_late_is_cancelled():
    """Start time expiry is honoured, in Orca's words."""
    execution = Execution(
        id="X", type=ExecutionType.PIPELINE, application="a", stages=[stage("a")], start_time_expiry=999
    )
    Machine(execution, TYPES, lambda: 1000).advance()
    assert execution.status is Status.CANCELED
    assert execution.cancellation_reason == "Could not begin execution before start time expiry"


def test_a_stage_whose_start_came_too_late_is_skipped():
    """Its followers run."""
    late = stage("a")
    late.start_time_expiry = 999
    assert run(machine_of(late, stage("b", "a"))) == {"a": "SKIPPED", "b": "SUCCEEDED"}


def test_a_running_task_is_due_after_the_larger_back_off():
    """The stage's backoffPeriodMs counts when it is longer than the task's own."""
    machine = machine_of(stage("a"), stage("b", backoffPeriodMs=5000))
    for step in machine.running():
        machine.report(step, TaskResult(Status.RUNNING))
    assert [step.due_at() for step in machine.running()] == [2000, 6000]
    assert machine.next_due() == 2000


def test_a_task_of_another_release_fails_with_a_sentence():
    """What this release cannot run is not passed over."""
    execution = machine_of(stage("a")).execution
    execution.stages[0].tasks[0].name = "gone"
    machine = Machine(execution, TYPES, lambda: 1000)
    assert machine.running()[0].type.name == "missing"


def test_outputs_are_merged_without_the_timeout():
    """Results go into context and outputs; stageTimeoutMs never becomes an output."""
    machine = machine_of(stage("a"))
    result = TaskResult(Status.SUCCEEDED, context={"c": 1}, outputs={"o": 2, "stageTimeoutMs": 3})
    machine.report(machine.running()[0], result)
    (only,) = machine.execution.stages
    assert (only.context, only.outputs) == ({"c": 1}, {"o": 2})


OPTIONS = st.sampled_from([{}, HALT, HALT_THEN_FAIL, IGNORE])
RESULTS = st.sampled_from([Status.SUCCEEDED, Status.TERMINAL, Status.FAILED_CONTINUE, Status.CANCELED])


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 9))
    stages = []
    for n in range(count):
        before = draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else set()
        kind = draw(st.sampled_from(["one", "two", "none"]))
        stages.append(stage(str(n), *map(str, sorted(before)), kind=kind, **draw(OPTIONS)))
    return draw(st.permutations(stages))


@given(stages=graphs(), data=st.data())
def test_every_graph_ends_and_no_stage_starts_too_early(stages, data):
    """Whatever the graph, the options, the results and their order: it ends, and as the rules say."""
    machine = machine_of(*stages)
    by_ref = {each.ref_id: each for each in stages}
    while machine.running():
        for step in machine.running():
            assert all(by_ref[ref].status.is_fine for ref in step.stage.requisite_stage_ref_ids)
        step = data.draw(st.sampled_from(machine.running()))
        machine.report(step, TaskResult(data.draw(RESULTS)))
    statuses = {each.status for each in stages}
    status = machine.execution.status
    assert status.is_complete
    assert not any(each.is_active for each in statuses)
    assert (status is Status.TERMINAL) >= (Status.TERMINAL in statuses)
    if statuses <= {Status.SUCCEEDED, Status.SKIPPED, Status.FAILED_CONTINUE}:
        assert status is Status.SUCCEEDED
    if status is Status.SUCCEEDED:
        for each in stages:
            may_start = all(by_ref[ref].status.is_fine for ref in each.requisite_stage_ref_ids)
            assert each.status.is_complete is may_start


@given(stages=graphs(), data=st.data())
def test_a_machine_can_be_put_down_and_taken_up_anywhere(stages, data):
    """Rebuilding the machine from its execution after any step changes nothing."""
    machine = machine_of(*stages)
    while machine.running():
        again = Machine(machine.execution, TYPES, lambda: 1000)
        again.advance()
        assert {step.key for step in again.running()} == {step.key for step in machine.running()}
        machine = again
        machine.report(machine.running()[0], TaskResult(data.draw(RESULTS)))
    assert machine.execution.status.is_complete
