"""``restrictExecutionDuringTimeWindow``: the stage that another brings along to wait for its execution window.

It stands before the stage that has the window. While it waits nothing runs; ``skipRemainingWait`` ends the wait, and no
time-out applies to it.

Source: Spinnaker compatibility facts, section 4.5.3.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from typing import ClassVar

from masthead.executions.failure import TaskFailed
from masthead.executions.model import Stage
from masthead.executions.stages.base import (
    Field,
    Kind,
    StageType,
    Synthetic,
    TaskContext,
    TaskResult,
    TaskType,
)
from masthead.executions.status import Status
from masthead.executions.window import WindowError, parse_jitter, parse_window
from masthead.kernel.clock import from_ms, to_ms

__all__ = ["TimeWindowStage", "window_of"]

_TYPE = "restrictExecutionDuringTimeWindow"
_WINDOW = "restrictedExecutionWindow"
#: What the stage does not take over from the one that has the window.
_NOT_COPIED = frozenset({_TYPE, "stageTimeoutMs", "alias"})


def window_of(stage: Stage) -> tuple[Synthetic, ...]:
    """Give the stage that waits for the execution window of *stage*, if it has one."""
    if stage.context.get(_TYPE) is not True or stage.type == _TYPE or stage.parent_stage_id is not None:
        return ()
    context = {key: value for key, value in stage.context.items() if key not in _NOT_COPIED}
    return (Synthetic(_TYPE, _TYPE, context, is_first=True),)


class SuspendDuringTimeWindowTask(TaskType):
    """Waits until the window opens."""

    name = "suspendExecutionDuringTimeWindow"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.RestrictExecutionDuringTimeWindow$SuspendExecutionDuringTimeWindowTask"
    backoff_s = 30.0
    is_instant = True
    is_unlimited = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Look at the clock."""
        if work.context.get("skipRemainingWait") is True:
            return TaskResult(Status.SUCCEEDED)
        try:
            window = parse_window(work.context.get(_WINDOW))
            parse_jitter(work.context.get(_WINDOW))
        except WindowError as error:
            reason = f"Exception occurred while calculating time window: {error.sentence}"
            raise TaskFailed(error.sentence, context={"failureReason": reason}) from error
        opens = window.next_opening(work.now, work.services.window_zone)
        if opens <= work.now:
            return TaskResult(Status.SUCCEEDED)
        return TaskResult(Status.RUNNING, again_at=opens, scheduled_at=opens)


class WaitForJitterTask(TaskType):
    """Waits for a time that chance gave, so that not everything begins when a window opens."""

    name = "waitForJitter"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.tasks.WaitTask"
    is_instant = True
    is_unlimited = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Look at the clock."""
        jitter = parse_jitter(work.context.get(_WINDOW))
        is_manual = work.execution.trigger.get("type") == "manual"
        if jitter is None or (jitter.skips_manual and is_manual):
            return TaskResult(Status.SKIPPED)
        if work.context.get("skipRemainingWait") is True:
            return TaskResult(Status.SUCCEEDED)
        wait_s = jitter.least_s + _chance(work.stage.id, jitter.most_s - jitter.least_s)
        begun = from_ms(work.task.start_time or to_ms(work.now))
        end = begun + timedelta(seconds=wait_s)
        status = Status.SUCCEEDED if work.now >= end else Status.RUNNING
        return TaskResult(status, context={"waitTime": wait_s}, again_at=end)


class TimeWindowStage(StageType):
    """Waits for an execution window."""

    type = _TYPE
    label = "Restrict execution during time window"
    doc = (
        "Comes before a stage that has an execution window, and waits until that opens. Nothing runs or polls "
        "meanwhile."
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field(_WINDOW, Kind.OBJECT, "Times of day (`whitelist`), days of the week (`days`) and `jitter`."),
        Field("skipRemainingWait", Kind.BOOLEAN, "True ends the wait at once."),
    )
    tasks = (SuspendDuringTimeWindowTask(), WaitForJitterTask())

    def plan(self, stage: Stage) -> tuple[TaskType, ...]:
        """Leave out the jitter where none is asked for."""
        suspend, jitter = self.tasks
        try:
            wanted = parse_jitter(stage.context.get(_WINDOW))
        except WindowError:
            wanted = None  # the first task says so
        return (suspend,) if wanted is None else (suspend, jitter)


def _chance(seed: str, most: int) -> int:
    """Give a number from 0 to *most*, always the same for one stage: a run may be repeated."""
    digest = blake2b(seed.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (most + 1)
