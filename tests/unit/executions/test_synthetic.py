"""Stages that bring others along: before their tasks, after them, when they failed."""

from __future__ import annotations

import pytest

from masthead.executions import control
from masthead.executions.machine import Machine
from masthead.executions.model import Execution, ExecutionType, Stage, from_document, to_document
from masthead.executions.stages.base import StageType, Synthetic, TaskResult, TaskType
from masthead.executions.stages.registry import StageTypes
from masthead.executions.status import Status
from masthead.kernel.ids import SequentialIds


class Step(TaskType):
    name = "step"
    implementing_class = "example.StepTask"


class One(StageType):
    type = "one"
    label = doc = "One step"
    tasks = (Step(),)


class Around(One):
    """Its context says what it brings along: lists of names under before, after and failure."""

    type = "around"

    def before(self, stage):
        return self._drafts(stage, "before")

    def after(self, stage):
        if stage.context.get("breaks"):
            raise ValueError("no after-stages")
        return self._drafts(stage, "after")

    def on_failure(self, stage):
        return self._drafts(stage, "failure")

    def _drafts(self, stage, key):
        options = stage.context.get("options", {})
        return tuple(
            Synthetic("one", name, options, is_next=stage.context.get("line", False))
            for name in stage.context.get(key, ())
        )


class Shell(Around):
    """As Around, without a task of its own."""

    type = "shell"
    tasks = ()


TYPES = StageTypes((One(), Around(), Shell()))


def machine_of(*stages: Stage) -> Machine:
    execution = Execution(id="X", type=ExecutionType.PIPELINE, application="demo", stages=list(stages))
    machine = Machine(execution, TYPES, lambda: 1000, new_id=SequentialIds().new)
    machine.advance()
    return machine


def stage(ref: str, *waits: str, kind: str = "around", **context) -> Stage:
    return Stage(
        id=f"id-{ref}", type=kind, name=ref, ref_id=ref, requisite_stage_ref_ids=list(waits), context=context
    )


def names(machine: Machine) -> list[str]:
    return [step.stage.name for step in machine.running()]


def end(machine: Machine, name: str, status: Status = Status.SUCCEEDED) -> None:
    machine.report(next(step for step in machine.running() if step.stage.name == name), TaskResult(status))


def statuses(machine: Machine) -> dict[str, str]:
    return {each.name: each.status.value for each in machine.execution.stages}


def test_before_stages_run_side_by_side_and_then_the_tasks_and_then_the_after_stages():
    """The stage is SUCCEEDED when all of it is; what waits for it starts then."""
    machine = machine_of(stage("1", before=["b", "c"], after=["d"]), stage("2", "1", kind="one"))
    assert names(machine) == ["b", "c"]
    end(machine, "c")
    assert names(machine) == ["b"]
    end(machine, "b")
    assert names(machine) == ["1"]
    end(machine, "1")
    assert names(machine) == ["d"]
    assert machine.execution.stages[2].status is Status.RUNNING
    end(machine, "d")
    assert names(machine) == ["2"]
    end(machine, "2")
    assert machine.execution.status is Status.SUCCEEDED


def test_they_stand_around_their_parent_with_its_ref_and_name_it():
    """Before-stages before it, after-stages directly after it; refIds with < and >."""
    machine = machine_of(stage("1", before=["b", "c"], after=["d", "e"]), stage("2", "1", kind="one"))
    for name in "bc1de2":
        end(machine, name)
    stages = machine.execution.stages
    assert [(each.name, each.ref_id) for each in stages] == [
        ("b", "1<1"), ("c", "1<2"), ("1", "1"), ("d", "1>1"), ("e", "1>2"), ("2", "2")
    ]  # fmt: skip
    assert {(each.parent_stage_id, each.synthetic_stage_owner) for each in stages} == {
        ("id-1", "STAGE_BEFORE"), (None, None), ("id-1", "STAGE_AFTER")
    }  # fmt: skip


def test_those_in_a_line_run_one_after_the_other():
    """Each waits for the one before it, and the parent for the last."""
    machine = machine_of(stage("1", before=["b", "c"], line=True))
    assert names(machine) == ["b"]
    end(machine, "b")
    assert names(machine) == ["c"]
    end(machine, "c")
    assert names(machine) == ["1"]


@pytest.mark.parametrize(
    ("inner", "outer", "result"),
    [
        ({}, {}, "TERMINAL"),
        ({"failPipeline": False}, {}, "STOPPED"),
        ({}, {"failPipeline": False}, "STOPPED"),
        ({}, {"failPipeline": False, "continuePipeline": True}, "FAILED_CONTINUE"),
        ({"failPipeline": False, "continuePipeline": True}, {}, "FAILED_CONTINUE"),
    ],
)
def test_a_failing_before_stage_ends_its_parent_once_the_others_have_ended(inner, outer, result):
    """Its tasks never run; the status follows from the options of both."""
    machine = machine_of(stage("1", before=["b", "c"], options=inner, **outer))
    end(machine, "b", Status.TERMINAL)
    assert names(machine) == ["c"]
    end(machine, "c")
    assert statuses(machine)["1"] == result
    assert machine.execution.status.is_complete
    assert machine.execution.stages[2].tasks[0].status is Status.NOT_STARTED


def test_a_failure_that_is_passed_over_lets_the_others_and_the_tasks_go_on_when_it_says_so():
    """allowSiblingStagesToContinueOnFailure: a line goes on, and so does the parent."""
    options = {"failPipeline": False, "continuePipeline": True, "allowSiblingStagesToContinueOnFailure": True}
    machine = machine_of(stage("1", before=["b", "c"], line=True, options=options))
    end(machine, "b", Status.TERMINAL)
    end(machine, "c")
    end(machine, "1")
    assert statuses(machine) == {"b": "FAILED_CONTINUE", "c": "SUCCEEDED", "1": "FAILED_CONTINUE"}


def test_on_failure_stages_run_once_and_the_stage_stays_failed():
    """Before-stages that never began are dropped; the execution ends after the on-failure stages."""
    machine = machine_of(stage("1", before=["b", "c"], line=True, failure=["f"]))
    end(machine, "b", Status.TERMINAL)
    assert names(machine) == ["f"]
    assert [each.name for each in machine.execution.stages] == ["b", "1", "f"]
    end(machine, "f", Status.TERMINAL)
    assert statuses(machine) == {"b": "TERMINAL", "1": "TERMINAL", "f": "TERMINAL"}
    assert machine.execution.status is Status.TERMINAL


def test_a_stage_without_tasks_succeeds_with_what_is_inside_it_and_is_skipped_when_there_is_nothing():
    """CheckPreconditions with and without preconditions."""
    machine = machine_of(stage("1", kind="shell", before=["b"]), stage("2", kind="shell"))
    end(machine, "b")
    assert statuses(machine) == {"b": "SUCCEEDED", "1": "SUCCEEDED", "2": "SKIPPED"}


def test_after_stages_that_cannot_be_planned_end_the_stage_terminal():
    """Whatever planning raises becomes the stage's exception."""
    machine = machine_of(stage("1", breaks=True))
    end(machine, "1")
    assert machine.execution.status is Status.TERMINAL
    assert machine.execution.stages[0].context["exception"]["exceptionType"] == "ValueError"


def test_cancelling_ends_what_runs_inside():
    """The inner stage and the one around it are CANCELED."""
    machine = machine_of(stage("1", before=["b", "c"], line=True))
    control.cancel(machine.execution, "ann", "enough", 0)
    machine.advance()
    assert statuses(machine) == {"b": "CANCELED", "c": "NOT_STARTED", "1": "CANCELED"}
    assert machine.execution.status is Status.CANCELED


def test_an_execution_goes_on_from_where_it_was_stored_at_each_point():
    """Stored and read back before every step, it comes to the same end."""
    machine = machine_of(stage("1", before=["b", "c"], after=["d"]), stage("2", "1", kind="one"))
    ids = SequentialIds()
    while machine.running():
        stored = from_document(to_document(machine.execution))
        machine = Machine(stored, TYPES, lambda: 1000, new_id=lambda: f"again-{ids.new()}")
        machine.advance()
        machine.report(machine.running()[0], TaskResult(Status.SUCCEEDED))
    assert machine.execution.status is Status.SUCCEEDED
    assert set(statuses(machine).values()) == {"SUCCEEDED"}


def test_a_restart_makes_the_inner_stages_anew():
    """Those of before are gone; the new ones run."""
    machine = machine_of(stage("1", before=["b"], failure=["f"]))
    end(machine, "b", Status.TERMINAL)
    end(machine, "f")
    control.restart(machine.execution, "id-1", "ann", 2000, TYPES)
    assert [each.name for each in machine.execution.stages] == ["1"]
    again = Machine(machine.execution, TYPES, lambda: 3000)
    again.advance()
    assert names(again) == ["b"]
    end(again, "b")
    end(again, "1")
    assert again.execution.status is Status.SUCCEEDED


def test_what_may_be_skipped_by_hand_is_skipped_with_all_that_is_inside():
    """The stage around and its inner stages are SKIPPED, and what waits for it starts."""
    machine = machine_of(stage("1", before=["b"], canManuallySkip=True), stage("2", "1", kind="one"))
    control.change_stage(machine.execution, "id-1", {"manualSkip": True}, "ann", 2000)
    machine.advance()
    assert statuses(machine) == {"b": "SKIPPED", "1": "SKIPPED", "2": "RUNNING"}


def test_a_dry_run_passes_over_what_does_not_run_here():
    """Without a dry run the same stage is TERMINAL with Orca's sentence."""
    for is_dry, status in ((True, Status.SUCCEEDED), (False, Status.TERMINAL)):
        execution = Execution(
            id="X",
            type=ExecutionType.PIPELINE,
            application="demo",
            trigger={"dryRun": is_dry},
            stages=[stage("1", kind="deploy")],
        )
        machine = Machine(execution, TYPES, lambda: 1000)
        machine.advance()
        assert execution.status is status
    assert (
        execution.stages[0]
        .context["exception"]["details"]["errors"][0]
        .startswith("No StageDefinitionBuilder implementation for deploy(alias: null) found")
    )
