"""The variables of an ``evaluateVariables`` stage.

Source: Spinnaker compatibility facts, section 4.9.4.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from masthead.pipelines.expressions.context import EvaluationContext, Outside
from masthead.pipelines.expressions.document import new_budget, resolve
from masthead.pipelines.expressions.syntax.templates import PREFIX, has_expression, holds_expression

__all__ = ["EvaluatedVariables", "evaluate_variables"]


@dataclass(frozen=True, slots=True)
class EvaluatedVariables:
    """Variables with their values.

    Attributes:
        variables: As they were given, each with its value; ``sourceValue`` keeps what it was made from.
        outputs: Key → value, for those with a key.
        summary: As a document's.
        given: As a document's.
    """

    variables: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    given: int = 0


async def evaluate_variables(
    variables: Sequence[Mapping[str, Any]],
    context: EvaluationContext,
    outside: Outside,
    *,
    is_sequential: bool = True,
) -> EvaluatedVariables:
    """Evaluate *variables* one after the other; together they have the limits of one document.

    With v4 a value that is no text is taken as it is. One that fails stays as its text, and the others go on.

    Args:
        variables: Each with ``key`` and ``value``; left as they are.
        context: What the expressions read.
        outside: Whom they may ask.
        is_sequential: Whether each sees those before it (v4), or none another (v3).
    """
    done = EvaluatedVariables()
    budget = new_budget(context)
    for variable in variables:
        key, value = variable.get("key"), variable.get("value")
        earlier = done.outputs if is_sequential else {}
        seen = replace(context, root=ChainMap(earlier, context.root))  # type: ignore[arg-type]
        if has_expression(value) if is_sequential else holds_expression(value):
            evaluated = await resolve({key or "value": value}, seen, outside, budget)
            for name, notes in evaluated.summary.items():
                done.summary.setdefault(name, []).extend(notes)
            done.variables.append(_with_source(variable, evaluated.value[key or "value"]))
        else:
            done.variables.append(dict(variable))
        if key:
            done.outputs[key] = done.variables[-1].get("value")
    return replace(done, given=budget.given)


def _with_source(variable: Mapping[str, Any], value: Any) -> dict[str, Any]:
    source = variable["value"]
    return {
        **variable,
        "value": value,
        "sourceValue": source.replace(PREFIX, "{") if isinstance(source, str) else source,
    }
