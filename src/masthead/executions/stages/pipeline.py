"""``pipeline``: runs another pipeline, and waits for it or not.

The child's trigger has a correlation id made of the parent, the stage and the parent's start, so that a crash between
the start and its record starts no second child; a parent that is started anew starts a new one.

Source: Spinnaker compatibility facts, section 4.9.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from masthead.executions.children import child_trigger, too_deep
from masthead.executions.failure import TaskFailed
from masthead.executions.model import Document, Stage
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.errors import InvalidRequest, NotFound

__all__ = ["KEEPS_CHILD", "PipelineStage"]

#: Key of a context, Orca's: the child has been restarted by itself, and is waited for again.
KEEPS_CHILD = "_skipPipelineRestart"

_NO_ID = "`pipeline` must be the id of a pipeline."
_FAILED = "At least one monitored pipeline failed, look for errors in failed pipelines"
_CANCELLED = "At least one monitored pipeline was cancelled"


class StartPipelineTask(TaskType):
    """Starts the child once."""

    name = "startPipeline"
    implementing_class = "com.netflix.spinnaker.orca.front50.tasks.StartPipelineTask"

    async def run(self, work: TaskContext) -> TaskResult:
        """Start the child and keep its id."""
        config_id = _config_id(work.context)
        if (sentence := too_deep(work.execution.trigger)) is not None:
            raise TaskFailed(sentence)
        try:
            config = await work.services.pipelines.get(config_id)
        except NotFound as error:
            raise TaskFailed(f"The referenced pipeline cannot be located ({config_id})") from error
        if config.get("disabled") is True:
            raise TaskFailed("The referenced pipeline is disabled")
        trigger = _trigger(work, config_id)
        try:
            child = await work.services.runs.start_pipeline({**config, "trigger": trigger}, work.caller)
        except InvalidRequest as error:
            raise TaskFailed(f"The referenced pipeline cannot be started: {error.message}") from error
        name = config.get("name")
        return TaskResult(Status.SUCCEEDED, context={"executionId": child, "executionName": name})


class MonitorPipelineTask(TaskType):
    """Ends as the child ended; its end wakes this task."""

    name = "monitorPipeline"
    implementing_class = "com.netflix.spinnaker.orca.front50.tasks.MonitorPipelineTask"
    backoff_s = 15.0
    timeout_s = 12 * 3600.0
    is_overridable = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Look how far the child has come."""
        child_id = work.context.get("executionId")
        if not isinstance(child_id, str):
            raise TaskFailed("no pipeline execution ids to monitor")
        child = await work.services.runs.get_pipeline(child_id)
        status = Status(child["status"])
        context = {"status": str(status)}
        if not status.is_complete:
            return TaskResult(Status.RUNNING, context=context)
        if status is Status.SUCCEEDED:
            return TaskResult(Status.SUCCEEDED, context=context, outputs=_outputs(child, work.context))
        is_cancelled = status is Status.CANCELED
        failure = _failure(child, _CANCELLED if is_cancelled else _FAILED)
        return TaskResult(Status.CANCELED if is_cancelled else Status.TERMINAL, context=context | failure)

    async def overdue(self, work: TaskContext, sentence: str) -> TaskResult:
        """Cancel the child, unless the pipeline goes on all the same, and fail."""
        is_success = work.context.get("markSuccessfulOnTimeout") is True
        if not is_success and work.stage.failure_status().is_halt:
            await self.cancelled(work)
        return await super().overdue(work, sentence)

    async def cancelled(self, work: TaskContext) -> None:
        """Cancel the child too."""
        child_id = work.context.get("executionId")
        if isinstance(child_id, str):
            await work.services.runs.cancel(child_id, replace(work.caller, user="parent pipeline"))


class PipelineStage(StageType):
    """Runs another pipeline."""

    type = "pipeline"
    label = "Pipeline"
    doc = "Runs another pipeline, and waits until it has ended unless it is told not to."
    fields = (
        Field("application", Kind.TEXT, "The other pipeline's application."),
        Field("pipeline", Kind.TEXT, "The other pipeline's id.", is_required=True),
        Field("pipelineParameters", Kind.OBJECT, "Parameters for it; missing ones take their defaults."),
        Field("waitForCompletion", Kind.BOOLEAN, "Whether to wait for its end; true if missing."),
        Field("skippable", Kind.BOOLEAN, "Let people go on without waiting for its end (`manualSkip`)."),
        Field("skipDownstreamOutput", Kind.BOOLEAN, "Keep its outputs out of this stage's."),
    )
    tasks = (StartPipelineTask(), MonitorPipelineTask())
    # A strategy is named by pipelineId; one that has a child already starts none.
    needs = ("pipeline", "pipelineId", "executionId")
    missing = _NO_ID

    def may_give(self, stage: Mapping[str, Any], names: Sequence[str]) -> bool:
        """Give whatever the stages of the child give."""
        del names
        return stage.get("skipDownstreamOutput") is not True

    def plan(self, stage: Stage) -> tuple[TaskType, ...]:
        """Leave out the start of a child that is there already, and the wait that is not wanted."""
        start, monitor = self.tasks
        is_waiting = str(stage.context.get("waitForCompletion", True)).lower() != "false"
        wanted = [] if stage.context.get("executionId") else [start]
        return (*wanted, monitor) if is_waiting else tuple(wanted)

    def can_skip(self, stage: Stage) -> bool:
        """Let people skip it while the child runs, which goes on."""
        return stage.context.get("skippable") is True

    def restarted(self, context: dict[str, Any]) -> None:
        """Forget the child, so that a new one starts, unless it is the child that was restarted."""
        keeps_child = context.pop(KEEPS_CHILD, None) is True
        for name in ("status",) if keeps_child else ("status", "executionName", "executionId"):
            context.pop(name, None)


def _config_id(context: dict[str, Any]) -> str:
    config_id = context.get("pipeline")
    if not isinstance(config_id, str) or not config_id:
        raise TaskFailed(_NO_ID)
    return config_id


def _trigger(work: TaskContext, config_id: str) -> Document:
    parent, stage = work.execution, work.stage
    correlation_id = f"{parent.id}_{stage.id}_{config_id}_{parent.start_time}"
    restart = work.context.get("restartDetails")
    if isinstance(restart, dict):
        correlation_id += f"_{restart.get('restartTime')}"
    return child_trigger(
        parent,
        user=work.caller.user,
        correlation_id=correlation_id,
        stage_id=stage.id,
        parameters=work.context.get("pipelineParameters"),
    )


def _outputs(child: Document, context: dict[str, Any]) -> Document:
    if context.get("skipDownstreamOutput") is True:
        return {}
    merged: Document = {}
    for stage in child["stages"]:
        merged |= stage.get("outputs") or {}
    return merged


def _errors(child: Document) -> list[str]:
    found: list[str] = []
    for stage in child["stages"]:
        exception = (stage.get("context") or {}).get("exception")
        details = exception.get("details") if isinstance(exception, dict) else None
        where = f"Exception in child pipeline stage ({child.get('name')}: {stage.get('name')})"
        found.extend(f"{where}: {sentence}" for sentence in (details or {}).get("errors") or ())
    return found


def _source(child: Document) -> Document:
    failed = [
        (number, stage) for number, stage in enumerate(child["stages"]) if stage["status"] == Status.TERMINAL
    ]
    source: Document = {"executionId": child["id"]}
    if failed:
        number, stage = failed[0]
        source |= {"stageId": stage["id"], "stageName": stage.get("name"), "stageIndex": number}
    return source


def _failure(child: Document, sentence: str) -> Document:
    return {"exception": {"source": _source(child), "details": {"errors": [*_errors(child), sentence]}}}
