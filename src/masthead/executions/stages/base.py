"""What a stage type is: a name, its fields, and its tasks in order.

A new type is one file beside this one and one line in ``registry.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from masthead.executions.failure import TaskTimedOut
from masthead.executions.model import Execution, Stage, TaskExecution
from masthead.executions.ports import Services
from masthead.executions.status import Status
from masthead.kernel.caller import Caller
from masthead.pipelines import Problem

__all__ = ["Field", "Kind", "StageType", "Synthetic", "TaskContext", "TaskResult", "TaskType"]


class Kind(StrEnum):
    """What a field of a stage holds; forms and lint derive from it."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OBJECT = "object"
    TEXTS = "list of texts"
    OBJECTS = "list of objects"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Field:
    """One key of the stage's JSON."""

    name: str
    kind: Kind
    #: One sentence for people.
    doc: str
    is_required: bool = False
    #: The values a choice may have.
    choices: tuple[str, ...] = ()
    #: Whether it may hold integration keys: shown by their labels only.
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What one run of a task came to.

    Attributes:
        status: RUNNING to be run again; anything complete to end the task.
        context: Merged into the stage's context.
        outputs: Merged into the stage's outputs, where later stages find them.
        again_at: For RUNNING: when to run again, if not after the task's back-off.
    """

    status: Status
    context: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    again_at: datetime | None = None
    #: For types with ``is_once`` that go on: the attempt is not over, and the next run is told of it again.
    keeps_attempt: bool = False
    #: When the stage is to go on, for people to see (``scheduledTime``).
    scheduled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskContext:
    """What one run of a task is given. Everything in it is to be read only; changes go into the result."""

    execution: Execution
    stage: Stage
    task: TaskExecution
    #: The stage's own fields and what its tasks added.
    context: dict[str, Any]
    #: In whose name it runs.
    caller: Caller
    now: datetime
    #: When the task's or the stage's time is over, or None.
    deadline: datetime | None
    services: Services
    #: For types with ``is_once``: names this attempt, the same when it is made again because nobody knows what came of it.
    attempt: str = ""
    #: For types with ``is_once``: whether an earlier run made this attempt and never reported what came of it.
    is_repeated: bool = False
    #: What that attempt came to, when the machine that made it has told since.
    answer: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A stage that another brings along, before its tasks, after them or when it failed.

    Attributes:
        type: As in a pipeline.
        name: What people see.
        context: Its own; nothing of its parent's is added.
        written: Keys of *context* that stand as the pipeline's owner wrote them: their expressions are evaluated when
            it starts. All else is data.
        is_next: Whether it waits for the one before it; else they run side by side.
        is_first: Whether all the others of its kind that would begin at once wait for it; for the first one only.
    """

    type: str
    name: str
    context: dict[str, Any]
    written: frozenset[str] = frozenset()
    is_next: bool = False
    is_first: bool = False


class TaskType:
    """One step. It may be run again at any time, also after a crash in its middle: it must not act twice."""

    #: Orca's name of the step, as clients see it.
    name: ClassVar[str]
    #: Orca's class name; clients show it at most.
    implementing_class: ClassVar[str]
    #: Seconds between two runs of a task that is RUNNING.
    backoff_s: ClassVar[float] = 1.0
    #: Seconds until it has failed, or None.
    timeout_s: ClassVar[float | None] = None
    #: Whether the stage's ``stageTimeoutMs`` takes the place of ``timeout_s``.
    is_overridable: ClassVar[bool] = False
    #: Whether neither its own limit nor the stage's ``stageTimeoutMs`` applies.
    is_unlimited: ClassVar[bool] = False
    #: Whether it ends at once and touches nothing outside, so that nobody needs to see it begin.
    is_instant: ClassVar[bool] = False
    #: Whether each attempt is noted before it is made, so that one whose end nobody saw (the machine was killed, or the
    #: execution was changed meanwhile) is recognised: see ``attempt`` and ``is_repeated`` of :class:`TaskContext`.
    is_once: ClassVar[bool] = False

    async def run(self, work: TaskContext) -> TaskResult:
        """Do what can be done now.

        Raises:
            TaskFailed: it cannot be done; the stage fails with these sentences.
            MastheadError: the same, or another run after the back-off when it may then succeed.
        """
        raise NotImplementedError

    async def cancelled(self, work: TaskContext) -> None:
        """Undo or end what runs outside, after the execution was cancelled."""

    async def overdue(self, work: TaskContext, sentence: str) -> TaskResult:  # noqa: ARG002 - for types
        """End the task whose time is over: it fails with *sentence*, unless a type knows more to say."""
        raise TaskTimedOut(sentence)

    def settled(self, context: dict[str, Any]) -> dict[str, Any]:
        """Give what changes in the stage's *context* when the task ended, however it ended."""
        del context
        return {}


class StageType:
    """One type of stage."""

    #: The type as pipelines write it.
    type: ClassVar[str]
    #: What people call it.
    label: ClassVar[str]
    #: What it does, in a sentence or two.
    doc: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()
    #: Fields whose expressions are left to the type: they belong to something else, or are evaluated in its own way.
    raw_fields: ClassVar[frozenset[str]] = frozenset()
    tasks: ClassVar[tuple[TaskType, ...]] = ()
    #: Fields of which it must have one, its own or out of an earlier stage's outputs, the one to name first.
    needs: ClassVar[tuple[str, ...]] = ()
    #: The sentence that the run would end with when it has none.
    missing: ClassVar[str] = ""
    #: Whether a dry run passes over it, because it changes something or reaches out of Masthead.
    is_left_out_of_dry_runs: ClassVar[bool] = False

    def plan(self, stage: Stage) -> tuple[TaskType, ...]:
        """Give the tasks that *stage* runs, in order; by default all."""
        del stage
        return self.tasks

    def before(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run before the tasks of *stage*, whose context is evaluated."""
        del stage
        return ()

    def after(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run when *stage* has not failed; it ends when they have."""
        del stage
        return ()

    def on_failure(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run when *stage* failed, once; it stays failed whatever they do."""
        del stage
        return ()

    def can_skip(self, stage: Stage) -> bool:
        """Tell whether people may skip *stage* while it runs (``manualSkip``)."""
        del stage
        return False

    def check_change(
        self, stage: Stage, changes: Mapping[str, Any], caller: Caller, *, asks_roles: bool
    ) -> None:
        """Refuse what *caller* wants to change in *stage*, where that means nothing or is not theirs to do.

        Args:
            stage: As it is stored.
            changes: What is to be merged into its context.
            caller: Who asks.
            asks_roles: Whether users have roles here; without users everybody may do everything.

        Raises:
            InvalidRequest: a value cannot be meant.
            Conflict: it is too late.
            AccessDenied: *caller* has none of the roles it takes.
        """

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Say what is certainly wrong with *stage* as a pipeline writes it; the pipeline is then not saved.

        Override it for fields whose values can be looked at before anything runs, and pass on what this gives. A text
        that holds an expression (``holds_expression``) is only known while running: say nothing of it.

        Args:
            stage: The stage's JSON, whatever is in it.

        Returns:
            Problems with pointers within the stage, such as ``/url``, with the sentence that the run would end with.
        """
        del stage
        return ()

    def may_give(self, stage: Mapping[str, Any], names: Sequence[str]) -> bool:
        """Tell whether *stage*, as a pipeline writes it, may have one of *names* among its outputs."""
        del stage, names
        return False

    def doubts(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Say what Orca runs but hardly anybody can mean; it is told while *stage* is edited and keeps nothing from being saved."""
        del stage
        return ()

    def conditions(self, stage: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Give the texts of *stage* that are expressions without ``${}`` around them, each with its pointer within it."""
        del stage
        return ()

    def restarted(self, context: dict[str, Any]) -> None:
        """Take out of a stage's *context*, in place, what must not stand there when it runs once more."""

    def task(self, name: str) -> TaskType | None:
        """Give the task type of *name*, or None."""
        return next((task for task in self.tasks if task.name == name), None)
