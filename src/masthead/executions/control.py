"""What people do to an execution while it runs, or after: each a change of the document, refused where it means nothing.

Orca answers 202 to all of this and logs what it could not do; here what cannot be done is an error.

Source: Spinnaker compatibility facts, sections 4.2.2 and 4.5.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from masthead.executions.evaluation import keep_as_data
from masthead.executions.machine import cancel_by, reschedule
from masthead.executions.model import Document, Execution, Stage
from masthead.executions.stages.pipeline import KEEPS_CHILD
from masthead.executions.stages.registry import StageTypes
from masthead.executions.status import Status
from masthead.kernel.errors import Conflict, NotFound

__all__ = [
    "awaited_by",
    "cancel",
    "change_stage",
    "keep_child",
    "pause",
    "renew_preconditions",
    "restart",
    "resume",
]


_PRECONDITIONS = "checkPreconditions"


def cancel(execution: Execution, user: str, reason: str | None, now_ms: int) -> None:
    """Mark it as cancelled; one that is complete stays as it is, one that is held goes on to be ended."""
    if execution.status.is_complete:
        return
    if execution.status is Status.PAUSED:
        resume(execution, user, now_ms)
    cancel_by(execution, user, reason)
    if execution.status is Status.NOT_STARTED:
        execution.status = Status.CANCELED


def pause(execution: Execution, user: str, now_ms: int) -> None:
    """Hold everything: what runs is run again from its last result after :func:`resume`.

    Raises:
        Conflict: it is not RUNNING, in Orca's words.
    """
    if execution.status is not Status.RUNNING:
        raise _not("pause", "RUNNING", execution)
    execution.status = Status.PAUSED
    execution.paused = {"pausedBy": user, "pauseTime": now_ms, "paused": True, "pausedMs": 0}
    _move(execution, Status.RUNNING, Status.PAUSED)


def resume(execution: Execution, user: str, now_ms: int) -> None:
    """Go on; the time of the pause counts for no time-out.

    Raises:
        Conflict: it is not PAUSED, in Orca's words.
    """
    if execution.status is not Status.PAUSED:
        raise _not("resume", "PAUSED", execution)
    paused = execution.paused or {}
    paused_ms = now_ms - int(paused.get("pauseTime") or now_ms)
    execution.status = Status.RUNNING
    execution.paused = paused | {
        "resumedBy": user,
        "resumeTime": now_ms,
        "paused": False,
        "pausedMs": paused_ms,
    }
    _move(execution, Status.PAUSED, Status.RUNNING)


def restart(execution: Execution, stage_id: str, user: str, now_ms: int, types: StageTypes) -> None:
    """Run a stage once more, and those after it that have ended.

    Args:
        execution: Changed in place.
        stage_id: Of the stage, or of one inside it.
        user: In whose name.
        now_ms: The present.
        types: What tells a type's context how to begin anew.

    Raises:
        NotFound: the execution has no such stage.
        Conflict: the stage has not come to an end, or the execution is held.
    """
    if execution.status is Status.PAUSED:
        raise Conflict("The execution is paused: resume it before a stage is restarted.")
    stage = _top_level(execution, _stage(execution, stage_id))
    if not (stage.status.is_complete or stage.status is Status.NOT_STARTED):
        raise Conflict(f"The stage {stage.name} is {stage.status}; only one that has ended can be restarted.")
    for each in _after(execution, stage):
        if each.status.is_complete:
            _reset(execution, each, types)
    _reset(execution, stage, types)
    stage.context["restartDetails"] = {
        "restartedBy": user,
        "restartTime": now_ms,
        "previousException": stage.context.pop("exception", None),
    }
    execution.status, execution.canceled = Status.RUNNING, False
    execution.start_time, execution.end_time = now_ms, None


def renew_preconditions(execution: Execution, config: Document) -> None:
    """Have stages that are to run check what *config* demands now; a stage that it does not have keeps its own."""
    stages = config.get("stages")
    wanted = {
        str(each.get("refId")): each["preconditions"]
        for each in (stages if isinstance(stages, list) else ())
        if isinstance(each, dict)
        and each.get("type") == _PRECONDITIONS
        and isinstance(each.get("preconditions"), list)
    }
    for stage in execution.stages:
        if (
            stage.type == _PRECONDITIONS
            and stage.status is Status.NOT_STARTED
            and stage.parent_stage_id is None
            and stage.ref_id in wanted
        ):
            stage.context["preconditions"] = wanted[stage.ref_id]


def awaited_by(child: Execution) -> tuple[str, str] | None:
    """Give the ids of the execution and of its stage that started *child*, if a stage did."""
    parent, stage_id = child.trigger.get("parentExecution"), child.trigger.get("parentPipelineStageId")
    if not isinstance(parent, dict) or not isinstance(stage_id, str):
        return None
    return str(parent.get("id")), stage_id


def keep_child(parent: Execution, stage_id: str, child: Execution) -> bool:
    """Have a stage that is about to be restarted wait for *child* again; False when it is not to be restarted.

    It is when it waited for just this child until the child had ended, and nobody holds *parent*.
    """
    stage = next((each for each in parent.stages if each.id == stage_id), None)
    if (
        stage is None
        or not stage.status.is_complete
        or parent.status is Status.PAUSED
        or stage.context.get("executionId") != child.id
        or all(task.name != "monitorPipeline" for task in stage.tasks)
    ):
        return False
    stage.context[KEEPS_CHILD] = True
    return True


def change_stage(execution: Execution, stage_id: str, changes: Document, user: str, now_ms: int) -> None:
    """Merge *changes* into the stage's context and have its running task look at them at once.

    Raises:
        NotFound: the execution has no such stage.
        Conflict: ``manualSkip`` on a stage that cannot be skipped, in Orca's words.
    """
    stage = _stage(execution, stage_id)
    if changes.get("manualSkip") and not stage.context.get("canManuallySkip"):
        raise Conflict("Cannot manually skip stage.")
    keep_as_data(stage)
    stage.context.update(changes)
    stage.context["lastModifiedBy"] = user
    stage.last_modified = {"user": user, "allowedAccounts": [], "lastModifiedTime": now_ms}
    reschedule(execution, stage_id)


def _not(what: str, wanted: str, execution: Execution) -> Conflict:
    return Conflict(
        f"Unable to {what} pipeline that is not {wanted}"
        f" (executionId: {execution.id}, currentStatus: {execution.status})"
    )


def _move(execution: Execution, before: Status, after: Status) -> None:
    for stage in execution.stages:
        if stage.status is before:
            stage.status = after
        for task in stage.tasks:
            if task.status is before:
                task.status, task.again_at = after, None


def _stage(execution: Execution, stage_id: str) -> Stage:
    found = next((stage for stage in execution.stages if stage.id == stage_id), None)
    if found is None:
        raise NotFound(f"Stage {stage_id} not found in execution {execution.id}")
    return found


def _top_level(execution: Execution, stage: Stage) -> Stage:
    while stage.parent_stage_id is not None:
        stage = _stage(execution, stage.parent_stage_id)
    return stage


def _after(execution: Execution, stage: Stage) -> Iterator[Stage]:
    """Give every stage that waits for *stage*, directly or not, each once."""
    seen, refs = {stage.id}, [stage.ref_id]
    while refs:
        ref = refs.pop()
        for each in execution.stages:
            if each.id not in seen and ref is not None and ref in each.requisite_stage_ref_ids:
                seen.add(each.id)
                refs.append(each.ref_id)
                yield each


def _reset(execution: Execution, stage: Stage, types: StageTypes) -> None:
    children: list[Any] = [each for each in execution.stages if each.parent_stage_id == stage.id]
    for child in children:
        _reset(execution, child, types)
        execution.stages.remove(child)
    for name in ("onFailureStagesPlanned", "beforeStagePlanningFailed", "manualSkip"):
        stage.context.pop(name, None)
    stage.status, stage.tasks = Status.NOT_STARTED, []
    stage.start_time = stage.end_time = None
    if (known := types.find(stage.lookup_type)) is not None:
        known.restarted(stage.context)
