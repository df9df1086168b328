"""``dependsOnExecution``: waits until another execution has succeeded.

Source: Spinnaker compatibility facts, section 4.9.7.
"""

from __future__ import annotations

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.errors import NotFound

__all__ = ["DependsOnExecutionStage"]

_NO_ID = "`executionId` must be the id of an execution."


class DependsOnExecutionTask(TaskType):
    """Looks how far the other one is."""

    name = "dependsOnExecution"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.tasks.DependsOnExecutionTask"
    backoff_s = 10.0
    timeout_s = 2 * 3600.0
    is_overridable = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Look."""
        other = work.context.get("executionId")
        if not isinstance(other, str) or not other:
            raise TaskFailed(_NO_ID)
        if other == work.execution.id:
            raise TaskFailed("An execution cannot wait for itself.")
        status = await work.services.runs.status_of(other)
        if status is None:
            raise NotFound(f"No execution found for {other}")
        if status.is_successful:
            return TaskResult(Status.SUCCEEDED)
        if status.is_complete:
            reason = f"Depended upon execution {other}, which ended with status {status}"
            return TaskResult(Status.CANCELED, context={"reason": reason})
        return TaskResult(Status.RUNNING)


class DependsOnExecutionStage(StageType):
    """Waits for another execution."""

    type = "dependsOnExecution"
    label = "Depends on execution"
    doc = "Waits until another execution has succeeded; this one is cancelled when that fails."
    fields = (
        Field(
            "executionType",
            Kind.CHOICE,
            "Kind of the other execution; ids are unique among both.",
            choices=("PIPELINE", "ORCHESTRATION"),
        ),
        Field("executionId", Kind.TEXT, "Id of the other execution.", is_required=True),
    )
    tasks = (DependsOnExecutionTask(),)
    needs = ("executionId",)
    missing = _NO_ID
