"""Execution, stage and task, and the one place that turns them into Spinnaker's JSON and back.

Missing values are left out (Orca's NON_NULL), keys that are not known here are kept and written back, and
instants are milliseconds since 1970. The stored form has five fields more than the form others see:
``masthead`` on the execution, ``unevaluated`` on a stage, ``againAt``, ``begunAt`` and ``answer`` on a task.

Source: Spinnaker compatibility facts, section 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from masthead.executions.status import Status

__all__ = [
    "JUDGMENT",
    "PRIVATE_EXECUTION_KEY",
    "PRIVATE_STAGE_KEY",
    "PRIVATE_TASK_KEYS",
    "Document",
    "Execution",
    "ExecutionType",
    "Stage",
    "TaskExecution",
    "from_document",
    "json_names",
    "to_document",
]

#: The type of stage that waits for a person.
JUDGMENT = "manualJudgment"
#: A JSON object.
Document = dict[str, Any]
#: Keys of the stored form that nobody outside sees.
PRIVATE_EXECUTION_KEY = "masthead"
PRIVATE_STAGE_KEY = "unevaluated"
PRIVATE_TASK_KEYS = ("againAt", "begunAt", "answer")


class ExecutionType(StrEnum):
    """A run of a pipeline, or of ad-hoc task jobs."""

    PIPELINE = "PIPELINE"
    ORCHESTRATION = "ORCHESTRATION"


@dataclass(slots=True, kw_only=True, eq=False)
class TaskExecution:
    """One step of a stage."""

    id: str
    name: str
    implementing_class: str = ""
    status: Status = Status.NOT_STARTED
    start_time: int | None = None
    end_time: int | None = None
    stage_start: bool = False
    stage_end: bool = False
    loop_start: bool = False
    loop_end: bool = False
    task_exception_details: Document = field(default_factory=dict)
    #: When the task wants to be run again; stored, never shown.
    again_at: int | None = None
    #: When the run began that has not reported yet, for tasks that ask for it; stored, never shown.
    begun_at: int | None = None
    #: What that run came to, left by its machine when another had taken the execution over; stored, never shown.
    answer: Document | None = None
    extra: Document = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Stage:
    """One stage; synthetic ones have a parent."""

    id: str
    type: str
    name: str
    ref_id: str | None = None
    status: Status = Status.NOT_STARTED
    start_time: int | None = None
    end_time: int | None = None
    start_time_expiry: int | None = None
    scheduled_time: int | None = None
    context: Document = field(default_factory=dict)
    outputs: Document = field(default_factory=dict)
    tasks: list[TaskExecution] = field(default_factory=list)
    requisite_stage_ref_ids: list[str] = field(default_factory=list)
    parent_stage_id: str | None = None
    synthetic_stage_owner: str | None = None
    last_modified: Document | None = None
    #: Key of the context → what it is to be evaluated from; None before the first evaluation. Stored, never shown.
    unevaluated: Document | None = None
    extra: Document = field(default_factory=dict)

    @property
    def lookup_type(self) -> str:
        """Give the type to look the stage's code up by: a text ``alias`` in the context replaces its own."""
        alias = self.context.get("alias")
        return alias if isinstance(alias, str) and alias else self.type

    @property
    def is_judgment(self) -> bool:
        """Whether it waits for somebody's word now."""
        return self.type == JUDGMENT and self.status is Status.RUNNING

    def failure_status(self, default: Status = Status.TERMINAL) -> Status:
        """Give the status of this stage when it failed, as its failure options say.

        Source: Spinnaker compatibility facts, section 4.5 ("failure status").
        """
        if self.context.get("continuePipeline") is True:
            return Status.FAILED_CONTINUE
        if self.context.get("failPipeline") in (None, True):
            return default
        return Status.STOPPED


@dataclass(slots=True, kw_only=True, eq=False)
class Execution:
    """One run."""

    id: str
    type: ExecutionType
    application: str
    name: str | None = None
    description: str | None = None
    root_id: str | None = None
    status: Status = Status.NOT_STARTED
    build_time: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    start_time_expiry: int | None = None
    canceled: bool = False
    canceled_by: str | None = None
    cancellation_reason: str | None = None
    limit_concurrent: bool = False
    max_concurrent_executions: int = 0
    keep_waiting_pipelines: bool = False
    authentication: Document = field(default_factory=dict)
    paused: Document | None = None
    origin: str = "unknown"
    trigger: Document = field(default_factory=dict)
    pipeline_config_id: str | None = None
    source: Document | None = None
    notifications: list[Any] = field(default_factory=list)
    initial_config: Document = field(default_factory=dict)
    system_notifications: list[Any] = field(default_factory=list)
    spel_evaluator: str | None = None
    template_variables: Document | None = None
    stages: list[Stage] = field(default_factory=list)
    #: What only Masthead needs to know (who asked, from which address); stored, never shown.
    masthead: Document | None = None
    extra: Document = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Give the name people know this run by."""
        return self.name or self.description or ""

    @property
    def correlation_id(self) -> str | None:
        """Give what makes this run the same as another, or None."""
        value = self.trigger.get("correlationId")
        return value if isinstance(value, str) and value else None

    @property
    def is_dry_run(self) -> bool:
        """Whether it is only to show what would happen."""
        return self.trigger.get("dryRun") is True

    @property
    def awaits(self) -> str:
        """Give the type of the stage in which it waits for a person; empty when it waits for none."""
        is_running = self.status is Status.RUNNING and self.type is ExecutionType.PIPELINE
        return JUDGMENT if is_running and any(stage.is_judgment for stage in self.stages) else ""

    @property
    def user(self) -> str:
        """Give the user in whose name it runs."""
        return str(self.authentication.get("user") or "anonymous")


_NESTED = frozenset({"stages", "tasks"})
_Model = TypeVar("_Model", Execution, Stage, TaskExecution)


def from_document(document: Document) -> Execution:
    """Give the execution of its stored JSON object, whose containers it takes over."""
    execution = _read(Execution, document)
    execution.type = ExecutionType(execution.type)
    return execution


def to_document(execution: Execution) -> Document:
    """Give the stored JSON object of *execution*, sharing its containers."""
    return _write(execution)


def json_names(model: type[Any]) -> Mapping[str, str]:
    """Give the JSON keys of a model's class, each with its attribute."""
    return _NAMES[model]


def _read(model: type[_Model], document: Document) -> _Model:
    names = _NAMES[model]
    known: Document = {}
    extra: Document = {}
    for key, value in document.items():
        if value is None:
            continue
        attribute = names.get(key)
        if attribute is None:
            extra[key] = value
        else:
            known[attribute] = value
    if "status" in known:
        known["status"] = Status(known["status"])
    if "stages" in known:
        known["stages"] = [_read(Stage, each) for each in known["stages"]]
    if "tasks" in known:
        known["tasks"] = [_read(TaskExecution, each) for each in known["tasks"]]
    return model(extra=extra, **known)


def _write(model: Execution | Stage | TaskExecution) -> Document:
    document = dict(model.extra)
    for key, attribute in _NAMES[type(model)].items():
        value = getattr(model, attribute)
        if value is not None:
            document[key] = [_write(each) for each in value] if key in _NESTED else value
    return document


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _keys_of(*models: type[Any]) -> dict[type[Any], dict[str, str]]:
    return {
        model: {_camel(each.name): each.name for each in fields(model) if each.name != "extra"}
        for model in models
    }


#: Model → JSON key → attribute.
_NAMES = _keys_of(Execution, Stage, TaskExecution)
