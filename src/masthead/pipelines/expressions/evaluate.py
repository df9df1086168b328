"""What each node of an expression is worth.

The evaluator knows values (``values``), tables of methods and functions, and nothing else: a name in an expression
is only ever looked up in a mapping of the context or in one of those tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import ExpressionError, TooMuch, shown
from masthead.pipelines.expressions.functions import FUNCTIONS
from masthead.pipelines.expressions.methods import patterns, types
from masthead.pipelines.expressions.methods.containers import at
from masthead.pipelines.expressions.methods.signature import choose, cut
from masthead.pipelines.expressions.operators import calculate, negative, power
from masthead.pipelines.expressions.syntax import nodes
from masthead.pipelines.expressions.syntax.nodes import Node, Part, Pick
from masthead.pipelines.expressions.values import (
    Entry,
    Value,
    is_same,
    joined_text,
    order,
    truth,
    type_name,
)

__all__ = ["evaluate"]


def evaluate(node: Node, running: Running) -> Value:
    """Give the value of *node*.

    Raises:
        ExpressionError: it has none; the sentence says why.
        Wanted: an answer from outside is needed.
    """
    try:
        return _Evaluation(running).value(node, running.context.root)
    except RecursionError as error:
        raise TooMuch("The expression, or a value in it, is nested too deeply.") from error


class _Evaluation:
    """One evaluation. *present* is the object that names are looked up in: the root, or the item of a selection."""

    __slots__ = ("_spend", "running")

    def __init__(self, running: Running) -> None:
        self.running = running
        self._spend = running.budget.spend

    def value(self, node: Node, present: Value) -> Value:
        """Give the value of *node*."""
        self._spend()
        return _WORTH[type(node)](self, node, present)

    def _values(self, given: tuple[Node, ...], present: Value) -> list[Value]:
        return [self.value(each, present) for each in given]

    # -- literals and names

    def literal(self, node: nodes.Literal, _: Value) -> Value:
        return node.value

    def inline_list(self, node: nodes.InlineList, present: Value) -> Value:
        return self._values(node.items, present)

    def inline_map(self, node: nodes.InlineMap, present: Value) -> Value:
        return {self._map_key(key, present): self.value(value, present) for key, value in node.entries}

    def _map_key(self, key: Node, present: Value) -> str:
        if isinstance(key, nodes.Property):
            return key.name
        return joined_text(self.value(key, present), self.running.budget)

    def variable(self, node: nodes.Variable, present: Value) -> Value:
        if node.name == "this":
            return present
        return self.running.context.root if node.name == "root" else None

    def function(self, node: nodes.Function, present: Value) -> Value:
        ways = FUNCTIONS.get(node.name)
        if ways is None:
            raise ExpressionError(f"The function '{shown(node.name)}' could not be found")
        arguments = self._values(node.arguments, present)
        way, converted = choose(ways, f"#{node.name}", arguments, self.running)
        return way.run(self.running, *converted)

    def type_named(self, node: nodes.TypeName, _: Value) -> Value:
        return types.find_type(node.name)

    def constructed(self, node: nodes.New, present: Value) -> Value:
        kind = types.find_type(node.name)
        ways = kind.statics.get("new")
        if ways is None:
            raise ExpressionError(
                f"A problem occurred whilst attempting to construct an object of type '{node.name}'"
            )
        way, converted = choose(ways, f"new {node.name}", self._values(node.arguments, present), self.running)
        return way.run(self.running, *converted)

    # -- chains

    def chain(self, node: nodes.Chain, present: Value) -> Value:
        value = self.value(node.first, present)
        for step in node.steps:
            self._spend()
            if value is None and step.is_safe:
                continue
            value = _APPLIED[type(step)](self, step, value, present)
        return value

    def alone(self, node: Part, present: Value) -> Value:
        return _APPLIED[type(node)](self, node, present, present)

    def property_of(self, node: nodes.Property, target: Value, _: Value) -> Value:
        if isinstance(target, Mapping):
            return self._entry_of(target, node.name)
        if target is None:
            raise ExpressionError(f"Property or field '{node.name}' cannot be found on null")
        return types.read(self.running, target, node.name)

    def _entry_of(self, target: Mapping[str, Any], key: str) -> Value:
        value = target.get(key)
        if value is None and not self.running.context.allow_unknown_keys and key not in target:
            raise ExpressionError(f"Map does not contain a value for key '{shown(key)}'")
        return value

    def call(self, node: nodes.Call, target: Value, present: Value) -> Value:
        if target is None:
            raise ExpressionError(
                f"Method call: Attempted to call method {node.name}() on null context object"
            )
        return types.call(self.running, target, node.name, self._values(node.arguments, present))

    def index(self, node: nodes.Index, target: Value, present: Value) -> Value:
        if isinstance(target, Mapping):
            if isinstance(node.key, nodes.Property):
                return target.get(node.key.name)
            return target.get(joined_text(self.value(node.key, present), self.running.budget))
        if target is None:
            raise ExpressionError("Cannot index into a null value")
        key = self.value(node.key, present)
        if isinstance(target, (list, str)):
            return at(target, cut(key))
        if isinstance(key, str):
            return types.read(self.running, target, key)
        raise ExpressionError(f"Indexing into type '{type_name(target)}' is not supported")

    def select(self, node: nodes.Select, target: Value, _: Value) -> Value:
        if isinstance(target, Mapping):
            chosen = self._chosen(self._entries(target), node)
            if not chosen and node.pick is not Pick.ALL:
                return None
            return {entry.key: entry.value for entry in chosen}
        if not isinstance(target, list):
            raise ExpressionError(f"Cannot perform selection on input data of type '{type_name(target)}'")
        chosen = self._chosen(target, node)
        if node.pick is Pick.ALL:
            return chosen
        return chosen[0] if chosen else None

    def _entries(self, target: Mapping[str, Any]) -> list[Entry]:
        self._spend(len(target))
        return [Entry(key, value) for key, value in target.items()]

    def _chosen(self, items: list[Any], node: nodes.Select) -> list[Any]:
        """Give the items that pass the test: all of them, or only the first or the last."""
        if node.pick is Pick.ALL:
            return [item for item in items if truth(self.value(node.test, item))]
        searched = items if node.pick is Pick.FIRST else reversed(items)
        found = (item for item in searched if truth(self.value(node.test, item)))
        return list(islice(found, 1))

    def project(self, node: nodes.Project, target: Value, _: Value) -> Value:
        if isinstance(target, Mapping):
            return [self.value(node.item, entry) for entry in self._entries(target)]
        if not isinstance(target, list):
            raise ExpressionError(f"Projection is not supported on the type '{type_name(target)}'")
        return [self.value(node.item, item) for item in target]

    # -- operators

    def arithmetic(self, node: nodes.Arithmetic, present: Value) -> Value:
        value = self.value(node.first, present)
        for operator, operand in node.rest:
            value = calculate(operator, value, self.value(operand, present), self.running.budget)
        return value

    def raised(self, node: nodes.Power, present: Value) -> Value:
        return power(self.value(node.base, present), self.value(node.exponent, present))

    def sign(self, node: nodes.Sign, present: Value) -> Value:
        return negative(self.value(node.operand, present), node.operator)

    def negation(self, node: nodes.Not, present: Value) -> Value:
        return not truth(self.value(node.operand, present))

    def logic(self, node: nodes.Logic, present: Value) -> Value:
        for operand in node.operands:
            if truth(self.value(operand, present)) is not node.is_and:
                return not node.is_and
        return node.is_and

    def comparison(self, node: nodes.Comparison, present: Value) -> Value:
        left, right = self.value(node.left, present), self.value(node.right, present)
        return _COMPARED[node.operator](self.running, left, right)

    def ternary(self, node: nodes.Ternary, present: Value) -> Value:
        return self.value(node.yes if truth(self.value(node.test, present)) else node.no, present)

    def elvis(self, node: nodes.Elvis, present: Value) -> Value:
        value = self.value(node.value, present)
        return self.value(node.otherwise, present) if value is None or value == "" else value


def _matches(running: Running, left: Value, right: Value) -> bool:
    if left is None or isinstance(left, Mapping):
        raise ExpressionError(f"First operand to matches operator must be text: it is '{type_name(left)}'")
    if not isinstance(right, str):
        raise ExpressionError(f"Second operand to matches operator must be text: it is '{type_name(right)}'")
    return patterns.matches(right, joined_text(left, running.budget), running.budget)


def _is_instance(_: Running, left: Value, right: Value) -> bool:
    if not isinstance(right, types.JavaType):
        raise ExpressionError(
            f"The operator 'instanceof' needs a type, such as T(String): it is '{type_name(right)}'"
        )
    return right.holds(left)


def _is_between(_: Running, left: Value, right: Value) -> bool:
    if not isinstance(right, list) or len(right) != 2:
        raise ExpressionError("Right operand for the between operator has to be a two-element list")
    return order(left, right[0]) >= 0 and order(left, right[1]) <= 0


_COMPARED: dict[str, Callable[[Running, Value, Value], bool]] = {
    "==": lambda running, left, right: is_same(left, right, running.budget),
    "!=": lambda running, left, right: not is_same(left, right, running.budget),
    "<": lambda _, left, right: order(left, right) < 0,
    "<=": lambda _, left, right: order(left, right) <= 0,
    ">": lambda _, left, right: order(left, right) > 0,
    ">=": lambda _, left, right: order(left, right) >= 0,
    "matches": _matches,
    "instanceof": _is_instance,
    "between": _is_between,
}

#: Node → what gives its value.
_WORTH: dict[type[Node], Callable[..., Value]] = {
    nodes.Literal: _Evaluation.literal,
    nodes.InlineList: _Evaluation.inline_list,
    nodes.InlineMap: _Evaluation.inline_map,
    nodes.Variable: _Evaluation.variable,
    nodes.Function: _Evaluation.function,
    nodes.TypeName: _Evaluation.type_named,
    nodes.New: _Evaluation.constructed,
    nodes.Chain: _Evaluation.chain,
    nodes.Property: _Evaluation.alone,
    nodes.Call: _Evaluation.alone,
    nodes.Index: _Evaluation.alone,
    nodes.Select: _Evaluation.alone,
    nodes.Project: _Evaluation.alone,
    nodes.Arithmetic: _Evaluation.arithmetic,
    nodes.Power: _Evaluation.raised,
    nodes.Sign: _Evaluation.sign,
    nodes.Not: _Evaluation.negation,
    nodes.Logic: _Evaluation.logic,
    nodes.Comparison: _Evaluation.comparison,
    nodes.Ternary: _Evaluation.ternary,
    nodes.Elvis: _Evaluation.elvis,
}
#: Part of a chain → what gives its value for what stands before it.
_APPLIED: dict[type[Part], Callable[..., Value]] = {
    nodes.Property: _Evaluation.property_of,
    nodes.Call: _Evaluation.call,
    nodes.Index: _Evaluation.index,
    nodes.Select: _Evaluation.select,
    nodes.Project: _Evaluation.project,
}
