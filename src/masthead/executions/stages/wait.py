"""``wait``: lets time pass, without occupying anything.

Source: Spinnaker compatibility facts, section 4.9.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.any_stage import problems_in
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.clock import from_ms, to_ms
from masthead.pipelines import Problem

__all__ = ["WaitStage"]

#: The longest that a timedelta and a calendar can still express; a longer wait is a mistake.
_LONGEST_S = 100 * 365 * 86400


class WaitTask(TaskType):
    """Succeeds once the time is over."""

    name = "wait"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.tasks.WaitTask"
    is_instant = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Look at the clock."""
        if work.context.get("skipRemainingWait") is True:
            return TaskResult(Status.SUCCEEDED)
        start_ms = work.stage.start_time if work.stage.start_time is not None else to_ms(work.now)
        end = from_ms(start_ms) + timedelta(seconds=_seconds(work.context.get("waitTime")))
        if work.now >= end:
            return TaskResult(Status.SUCCEEDED)
        return TaskResult(Status.RUNNING, again_at=end)


class WaitStage(StageType):
    """Waits."""

    type = "wait"
    label = "Wait"
    doc = "Waits for a number of seconds. Nothing runs or polls meanwhile."
    fields = (
        Field("waitTime", Kind.NUMBER, "Seconds to wait, a number or digits; missing means 0."),
        Field("skipRemainingWait", Kind.BOOLEAN, "True ends the wait at once."),
    )
    tasks = (WaitTask(),)

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Look at the time to wait."""
        return problems_in(stage, "waitTime", _seconds)

    def doubts(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Tell of a time below zero, which Orca takes for one that is over."""
        given = stage.get("waitTime")
        if isinstance(given, (int, float)) and given < 0:
            yield Problem("/waitTime", "`waitTime` is negative, so the stage ends at once.")

    def restarted(self, context: dict[str, Any]) -> None:
        """Wait anew, also when the last wait was skipped."""
        context.pop("skipRemainingWait", None)


def _seconds(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = float("nan")
    if isinstance(value, bool) or not -_LONGEST_S < seconds < _LONGEST_S:
        raise TaskFailed("`waitTime` must be a number of seconds.")
    return seconds
