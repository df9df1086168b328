"""``waitUntil``: waits for an instant. While it does, nothing runs and nothing is kept in memory.

Source: Spinnaker compatibility facts, section 4.9.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.any_stage import problems_in
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.clock import from_ms, to_ms
from masthead.pipelines import Problem

__all__ = ["WaitUntilStage"]


class WaitUntilTask(TaskType):
    """Succeeds once the instant has come."""

    name = "waitUntil"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.tasks.WaitUntilTask"
    is_instant = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Look at the clock."""
        until = _instant(work.context.get("epochMillis"))
        if until is None or work.now >= until:
            return TaskResult(Status.SUCCEEDED)
        begun = {} if "startTime" in work.context else {"startTime": to_ms(work.now)}
        return TaskResult(Status.RUNNING, context=begun, again_at=until)


class WaitUntilStage(StageType):
    """Waits until an instant."""

    type = "waitUntil"
    label = "Wait until"
    doc = "Waits until an instant. Nothing runs or polls meanwhile."
    fields = (
        Field("epochMillis", Kind.NUMBER, "The instant, in milliseconds since 1970; missing means now."),
    )
    tasks = (WaitUntilTask(),)

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Look at the instant."""
        return problems_in(stage, "epochMillis", _instant)


def _instant(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        return from_ms(int(value) if isinstance(value, float) else int(str(value)))
    except (ValueError, OverflowError):
        raise TaskFailed("`epochMillis` must be an instant in milliseconds since 1970.") from None
