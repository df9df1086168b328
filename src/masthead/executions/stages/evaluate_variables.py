"""``evaluateVariables``: gives names to values that later stages read.

Source: Spinnaker compatibility facts, section 4.9.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from masthead.executions.failure import TaskFailed
from masthead.executions.given import note_given
from masthead.executions.stages.any_stage import problems_in
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.pipelines import Problem
from masthead.pipelines.expressions import SUMMARY, EvaluatedVariables, Version, evaluate_variables

__all__ = ["EvaluateVariablesStage"]

#: Where a variable keeps what its owner wrote, for a restart.
_WRITTEN = "expression"


class EvaluateVariablesTask(TaskType):
    """Evaluates them in their order."""

    name = "evaluateVariables"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.tasks.EvaluateVariablesTask"

    async def run(self, work: TaskContext) -> TaskResult:
        """Give each variable its value; one that has none keeps its text."""
        given = _variables(work.context)
        expressions = work.services.expressions
        context = expressions.context_of(work.execution, work.stage)
        found = await evaluate_variables(
            given,
            context,
            expressions.outside,
            is_sequential=Version.of(work.execution.spel_evaluator) is Version.V4,
        )
        # The values stand in the context and in the outputs.
        note_given(work.execution, 2 * found.given)
        return TaskResult(
            Status.SUCCEEDED, context=_context(work.context, given, found), outputs=found.outputs
        )


class EvaluateVariablesStage(StageType):
    """Gives names to values."""

    type = "evaluateVariables"
    label = "Evaluate variables"
    doc = "Evaluates expressions and gives their values names that later stages can read."
    fields = (
        Field(
            "variables",
            Kind.OBJECTS,
            "Each with a `key`, a `value` and perhaps a `description`. With v4 a value may use the keys before it.",
            is_required=True,
        ),
    )
    raw_fields: ClassVar[frozenset[str]] = frozenset({"variables"})
    tasks = (EvaluateVariablesTask(),)

    def may_give(self, stage: Mapping[str, Any], names: Sequence[str]) -> bool:
        """Give the keys that are written; a list that an expression gives may hold any."""
        given = stage.get("variables")
        if not isinstance(given, list):
            return given is not None
        return any(not isinstance(one, Mapping) or one.get("key") in names for one in given)

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Look at the shape of the list."""
        return problems_in(stage, "variables", lambda value: _variables({"variables": value}), is_raw=True)

    def restarted(self, context: dict[str, Any]) -> None:
        """Put back what the owner wrote."""
        variables = context.get("variables")
        for variable in variables if isinstance(variables, list) else ():
            if isinstance(variable, dict) and _WRITTEN in variable:
                variable["value"] = variable.pop(_WRITTEN)
                variable.pop("sourceValue", None)
        context.pop(SUMMARY, None)


def _variables(context: dict[str, Any]) -> list[dict[str, Any]]:
    variables = context.get("variables")
    if variables is None:
        return []
    if not isinstance(variables, list) or not all(isinstance(each, dict) for each in variables):
        raise TaskFailed("`variables` must be a list of objects, each with a `key` and a `value`.")
    return variables


def _context(
    context: dict[str, Any], given: list[dict[str, Any]], found: EvaluatedVariables
) -> dict[str, Any]:
    changed: dict[str, Any] = {
        "variables": [
            {**new, _WRITTEN: old["value"]} if "sourceValue" in new else new
            for old, new in zip(given, found.variables, strict=True)
        ]
    }
    if found.summary:
        before = context.get(SUMMARY)
        changed[SUMMARY] = {**(before if isinstance(before, dict) else {}), **found.summary}
    return changed
