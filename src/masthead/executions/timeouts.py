"""How long a stage and a task may take, and the sentence when they took longer.

Source: Spinnaker compatibility facts, section 4.5.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from masthead.executions.model import Execution, Stage, TaskExecution

__all__ = ["UNLIMITED", "Limits", "duration_ms", "in_words", "limits_of", "overdue_text"]

_WINDOW = "restrictExecutionDuringTimeWindow"
#: A hundred years: what is longer would leave the calendar, and the columns of the database.
_LONGEST_MS = 100 * 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Limits:
    """When a task's time is over, and what then is said. Instants are milliseconds, None without a limit."""

    task_ends_at: int | None
    task_limit_ms: int
    stage_ends_at: int | None
    stage_limit_ms: int
    #: How long the execution was held while the task ran, which does not count.
    paused_ms: int = 0

    @property
    def ends_at(self) -> int | None:
        """Give the earlier of the two ends."""
        ends = [end for end in (self.task_ends_at, self.stage_ends_at) if end is not None]
        return min(ends, default=None)


#: Of what may take for ever.
UNLIMITED = Limits(None, 0, None, 0)


def limits_of(
    execution: Execution,
    stage: Stage,
    task: TaskExecution,
    *,
    timeout_s: float | None,
    is_overridable: bool,
) -> Limits:
    """Give when *task* must have ended.

    Args:
        execution: The run, for the stage's parents.
        stage: The task's stage, started.
        task: The running task.
        timeout_s: The task type's own limit in seconds; None for no limit.
        is_overridable: Whether ``stageTimeoutMs`` takes the place of *timeout_s*.
    """
    stage_limit = _stage_limit(execution, stage)
    task_limit = None if timeout_s is None else int(timeout_s * 1000)
    if is_overridable and stage_limit is not None:
        task_limit = stage_limit
    paused_ms = _paused_since(execution, task.start_time)
    return Limits(
        task_ends_at=_end(task.start_time, task_limit, paused_ms),
        task_limit_ms=task_limit or 0,
        stage_ends_at=_end(
            stage.start_time,
            stage_limit,
            0
            if stage_limit is None
            else _paused_since(execution, stage.start_time) + _waited_for_window(execution, stage),
        ),
        stage_limit_ms=stage_limit or 0,
        paused_ms=paused_ms,
    )


def overdue_text(limits: Limits, stage: Stage, task: TaskExecution, *, now_ms: int) -> str | None:
    """Give Orca's sentence when the time of *task* is over at *now_ms*, else None."""
    if limits.stage_ends_at is not None and now_ms >= limits.stage_ends_at:
        return f"Stage {stage.name} timed out after {in_words(limits.stage_limit_ms)}"
    if limits.task_ends_at is not None and now_ms >= limits.task_ends_at:
        elapsed = now_ms - (task.start_time or now_ms) - limits.paused_ms
        return (
            f"{task.implementing_class.rpartition('.')[2]} of stage {stage.name} timed out after"
            f" {in_words(limits.task_limit_ms)}. pausedDuration: {in_words(limits.paused_ms)},"
            f" elapsedTime: {in_words(elapsed)}, timeoutValue: {in_words(limits.task_limit_ms)}"
        )
    return None


def duration_ms(value: Any) -> int | None:
    """Give the milliseconds that a stage's field says, from none to a hundred years; None where it is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124 - NaN
        return None
    return int(max(0, min(value, _LONGEST_MS)))


def in_words(milliseconds: int) -> str:
    """Give a duration as Orca does: ``1 hour 5 minutes``; zeros at both ends are left out.

    Source: Apache Commons Lang, DurationFormatUtils.formatDurationWords(ms, true, true).
    """
    seconds = milliseconds // 1000
    amounts = [
        (seconds // 86400, "day"),
        (seconds // 3600 % 24, "hour"),
        (seconds // 60 % 60, "minute"),
        (seconds % 60, "second"),
    ]
    while len(amounts) > 1 and amounts[0][0] == 0:
        amounts.pop(0)
    while len(amounts) > 1 and amounts[-1][0] == 0:
        amounts.pop()
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in amounts)


def _end(start: int | None, limit: int | None, paused_ms: int) -> int | None:
    return None if start is None or limit is None else start + limit + paused_ms


def _paused_since(execution: Execution, start: int | None) -> int:
    """Give how long the execution was held after *start*; as Orca, only the last pause is known."""
    paused = execution.paused or {}
    is_later = start is not None and int(paused.get("pauseTime") or 0) >= start
    return int(paused.get("pausedMs") or 0) if is_later else 0


def _waited_for_window(execution: Execution, stage: Stage) -> int:
    """Give how long *stage* waited for its execution window, which counts for no time-out."""
    return sum(
        (each.end_time or 0) - (each.start_time or 0)
        for each in execution.stages
        if each.parent_stage_id == stage.id and each.type == _WINDOW and each.end_time is not None
    )


def _stage_limit(execution: Execution, stage: Stage) -> int | None:
    """Give ``stageTimeoutMs`` of the stage or of its nearest parent that has one."""
    own = duration_ms(stage.context.get("stageTimeoutMs"))
    if own is not None or stage.parent_stage_id is None:
        return own
    parent = next((each for each in execution.stages if each.id == stage.parent_stage_id), None)
    return None if parent is None else _stage_limit(execution, parent)
