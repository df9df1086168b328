"""``noop``: does nothing, and succeeds.

Source: Spinnaker compatibility facts, section 4.9.7.
"""

from __future__ import annotations

from masthead.executions.stages.base import StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status

__all__ = ["NoOpStage"]


class NoOpTask(TaskType):
    """Succeeds."""

    name = "noop"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.tasks.NoOpTask"
    is_instant = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Succeed."""
        del work
        return TaskResult(Status.SUCCEEDED)


class NoOpStage(StageType):
    """Does nothing."""

    type = "noop"
    label = "No operation"
    doc = "Does nothing and succeeds: a place where branches meet."
    tasks = (NoOpTask(),)
