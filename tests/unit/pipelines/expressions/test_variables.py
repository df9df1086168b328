"""The variables of an evaluateVariables stage, one after the other."""

from __future__ import annotations

import pytest

from masthead.pipelines.expressions import Nothing, evaluate_variables, stage_root
from masthead.pipelines.expressions.bounds import Limits
from support.expressing import EXECUTION, context


async def evaluated(*variables, root=None, **more):
    return await evaluate_variables(list(variables), context(root, **more), Nothing())


async def test_later_variables_see_earlier_ones():
    """And the stage's own context."""
    result = await evaluated(
        {"key": "region", "value": "${trigger.parameters.env}-eu", "description": "d"},
        {"key": "host", "value": "${region}.example.com ${message}"},
        {"key": "upper", "value": "${host.toUpperCase()}"},
    )
    assert result.outputs == {
        "region": "prod-eu",
        "host": "prod-eu.example.com down",
        "upper": "PROD-EU.EXAMPLE.COM DOWN",
    }
    assert result.variables[0] == {
        "key": "region",
        "value": "prod-eu",
        "description": "d",
        "sourceValue": "{trigger.parameters.env}-eu",
    }
    assert result.summary == {}


async def test_a_variable_named_like_something_else_wins():
    """Over the context, as the last one said."""
    result = await evaluated({"key": "a", "value": "new"}, {"key": "b", "value": "${a}"}, root={"a": "old"})
    assert result.outputs["b"] == "new"


async def test_values_that_are_no_expressions_are_taken_as_they_are():
    """Numbers, maps, and texts without one; keys are not evaluated."""
    result = await evaluated(
        {"key": "${k}", "value": {"x": "${y}"}}, {"key": "n", "value": 5}, {"value": "no key"}
    )
    assert result.outputs == {"${k}": {"x": "${y}"}, "n": 5}
    assert len(result.variables) == 3


async def test_one_that_fails_stays_as_it_is_and_the_others_go_on():
    """With its report."""
    result = await evaluated({"key": "a", "value": "${1/0}"}, {"key": "b", "value": "${1 + 1}"})
    assert result.outputs == {"a": "${1/0}", "b": 2}
    assert "Failed to evaluate [a]" in result.summary["1/0"][0]["description"]


async def test_what_a_variable_gives_is_data_for_the_next():
    """A parameter that looks like an expression stays one."""
    root = stage_root({}, execution={**EXECUTION, "trigger": {"parameters": {"evil": "${1 + 1}"}}})
    result = await evaluated(
        {"key": "a", "value": "${parameters.evil}"}, {"key": "b", "value": "${a}"}, root=root
    )
    assert result.outputs == {"a": "${1 + 1}", "b": "${1 + 1}"}


@pytest.mark.parametrize("limits", [Limits(document_steps=100), Limits(given=60)])
async def test_variables_together_have_the_limits_of_a_document(limits):
    """However many there are; the first ones have their values."""
    variables = [{"key": f"k{number}", "value": f"${{'x' + {number}}}"} for number in range(60)]
    result = await evaluated(*variables, root={}, limits=limits)
    assert result.outputs["k9"] == "x9"
    assert result.outputs["k59"] == "${'x' + 59}"
    assert result.summary["'x' + 59"][0]["level"] == "ERROR"
