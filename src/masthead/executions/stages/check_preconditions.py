"""``checkPreconditions``: goes on only while what the pipeline's owner demands holds.

Each precondition is a stage of its own inside this one, and all are looked at, side by side.

Orca evaluates ``${…}`` in an expression first and the outcome once more, so that what a caller sent is evaluated. Here
the inner ones become part of the expression as they are written; the outcome is the same, and is never evaluated.

Source: Spinnaker compatibility facts, sections 4.9.3 and 7.5 (52).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec

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
from masthead.pipelines import Problem
from masthead.pipelines.expressions import SUMMARY, one_expression, resolve

__all__ = ["CheckPreconditionsStage"]

#: What a stage that checks one precondition does not take over from the one around it.
_NOT_COPIED = frozenset({"preconditions", "restrictExecutionDuringTimeWindow", "restrictedExecutionWindow"})
_SHAPE = "`preconditions` must be a list of objects, each with a `type`."
_MOST = 100
#: Characters that its preconditions take over from a stage, all together.
_MOST_COPIED = 10_000_000
_LARGE = (
    "Each precondition takes over the other fields of its stage, and here these are too large for so many."
)
_CLOUD = "A precondition of type clusterSize asks a cloud, and Masthead deploys to none."


class CheckPreconditionTask(TaskType):
    """Looks at one precondition."""

    name = "checkPrecondition"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.tasks.PreconditionTask"
    timeout_s = 120.0

    async def run(self, work: TaskContext) -> TaskResult:
        """Look."""
        kind = work.context.get("preconditionType")
        given = work.context.get("context") or {}
        if not isinstance(given, dict):
            raise TaskFailed("The `context` of a precondition must be an object.")
        if kind == "expression":
            return await _expression(work, given)
        if kind == "stageStatus":
            return await _stage_status(work, given)
        if kind == "noop":
            return TaskResult(Status.SUCCEEDED)
        raise TaskFailed(
            _CLOUD if kind == "clusterSize" else f"no Precondition implementation for type {kind}"
        )


class CheckPreconditionsStage(StageType):
    """Checks what must hold."""

    type = "checkPreconditions"
    label = "Check preconditions"
    doc = "Goes on only when every precondition holds; each is a stage of its own inside this one."
    fields = (
        Field(
            "preconditions",
            Kind.OBJECTS,
            "Each with a `type` (`expression`, `stageStatus` or `noop`), its `context` and `failPipeline`.",
            is_required=True,
        ),
    )
    #: An expression is evaluated once, and nothing but what the owner wrote.
    raw_fields: ClassVar[frozenset[str]] = frozenset({"preconditions", "context"})
    tasks = (CheckPreconditionTask(),)

    def plan(self, stage: Stage) -> tuple[TaskType, ...]:
        """Give the look at one precondition; the stage around them only waits for theirs."""
        return self.tasks if _is_one(stage) else ()

    def before(self, stage: Stage) -> tuple[Synthetic, ...]:
        """Give a stage for each precondition."""
        if _is_one(stage):
            return ()
        preconditions = stage.context.get("preconditions")
        if not isinstance(preconditions, list) or not all(map(_is_precondition, preconditions)):
            raise TaskFailed(_SHAPE)
        if len(preconditions) > _MOST:
            raise TaskFailed(f"A stage can have {_MOST} preconditions at most.")
        inherited = {key: value for key, value in stage.context.items() if key not in _NOT_COPIED}
        if len(preconditions) > 1 and len(preconditions) * _size(inherited) > _MOST_COPIED:
            raise TaskFailed(_LARGE)
        return tuple(_one(each, inherited) for each in preconditions)

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Say which preconditions are none."""
        preconditions = stage.get("preconditions")
        if not isinstance(preconditions, list):
            yield Problem("/preconditions", _SHAPE)
            return
        if len(preconditions) > _MOST:
            yield Problem("/preconditions", f"A stage can have {_MOST} preconditions at most.")
        for at, each in enumerate(preconditions):
            if not _is_precondition(each):
                yield Problem(f"/preconditions/{at}", _SHAPE)

    def conditions(self, stage: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Give the preconditions that are expressions."""
        preconditions = stage.get("preconditions")
        for at, each in enumerate(preconditions if isinstance(preconditions, list) else ()):
            context = each.get("context") if isinstance(each, dict) else None
            written = context.get("expression") if isinstance(context, dict) else None
            if isinstance(written, str) and each.get("type") == "expression":
                yield f"/preconditions/{at}/context/expression", written


def _size(context: dict[str, Any]) -> int:
    return len(msgspec.json.encode(context, enc_hook=str))


def _is_one(stage: Stage) -> bool:
    return "preconditionType" in stage.context


def _is_precondition(each: Any) -> bool:
    return isinstance(each, dict) and isinstance(each.get("type"), str) and bool(each["type"])


def _one(precondition: dict[str, Any], inherited: dict[str, Any]) -> Synthetic:
    own = {key: value for key, value in precondition.items() if key != "type" and value is not None}
    kind = precondition["type"]
    context = {**inherited, **own, "preconditionType": kind}
    return Synthetic(
        "checkPreconditions", f"Check precondition ({kind})", context, written=frozenset(own) - {"context"}
    )


async def _expression(work: TaskContext, given: dict[str, Any]) -> TaskResult:
    expressions = work.services.expressions
    written = given.get("expression", "false")
    written = str(written).lower() if isinstance(written, bool) else str(written)
    context = expressions.context_of(work.execution, work.stage)
    found = await resolve({"expression": one_expression(written)}, context, expressions.outside)
    result = found.value["expression"]
    text = str(result).lower() if isinstance(result, bool) else str(result)
    changes: dict[str, Any] = {"context": {**given, "expressionResult": text}}
    if found.summary:
        changes[SUMMARY] = found.summary
    return TaskResult(Status.SUCCEEDED if text.lower() == "true" else Status.TERMINAL, context=changes)


async def _stage_status(work: TaskContext, given: dict[str, Any]) -> TaskResult:
    expressions = work.services.expressions
    context = expressions.context_of(work.execution, work.stage)
    asked = {name: given.get(name) for name in ("stageName", "stageStatus")}
    found = await resolve(asked, context, expressions.outside)
    name, wanted = found.value["stageName"], found.value["stageStatus"]
    if not name:
        raise TaskFailed("Stage name is required for preconditions of type stageStatus.")
    if not wanted:
        raise TaskFailed("Stage status is required for preconditions of type stageStatus.")
    stage = next((each for each in work.execution.stages if each.name == str(name)), None)
    if stage is None:
        raise TaskFailed(f"Failed to find stage {name} in execution. Please specify a valid stage name")
    if stage.status != str(wanted).upper():
        raise TaskFailed(
            f"The status of stage {name} was asserted to be {wanted}, but was actually {stage.status}"
        )
    return TaskResult(Status.SUCCEEDED)
