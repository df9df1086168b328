"""The parsed form of an expression: plain data, made once and shared by every evaluation.

``depth`` is the nesting below a node, itself included; the parser refuses what is nested too deeply, so that
the evaluator may call itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

__all__ = [
    "Arithmetic",
    "Call",
    "Chain",
    "Comparison",
    "Elvis",
    "Function",
    "Index",
    "InlineList",
    "InlineMap",
    "Literal",
    "Logic",
    "New",
    "Node",
    "Not",
    "Part",
    "Pick",
    "Power",
    "Project",
    "Property",
    "Select",
    "Sign",
    "Ternary",
    "TypeName",
    "Variable",
    "walk",
]


class Node:
    """Anything that has a value."""

    __slots__ = ()


class Pick(StrEnum):
    """Which of the matching items a selection gives."""

    ALL = "?["
    FIRST = "^["
    LAST = "$["


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A text, a number, true, false or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Part(Node):
    """A step of a chain: applied to what stands before it; on its own, to the present object."""

    #: Whether null before it gives null (``?.``).
    is_safe: bool


@dataclass(frozen=True, slots=True)
class Property(Part):
    """``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Call(Part):
    """``name(a, b)``: a method."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Index(Part):
    """``[key]``."""

    key: Node


@dataclass(frozen=True, slots=True)
class Select(Part):
    """``?[test]``, ``^[test]``, ``$[test]``."""

    pick: Pick
    test: Node


@dataclass(frozen=True, slots=True)
class Project(Part):
    """``![item]``."""

    item: Node


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """``first.step[step]…``."""

    first: Node
    steps: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """``#name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Function(Node):
    """``#name(a, b)``."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class TypeName(Node):
    """``T(name)``."""

    name: str


@dataclass(frozen=True, slots=True)
class New(Node):
    """``new name(a, b)``."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InlineList(Node):
    """``{a, b}``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InlineMap(Node):
    """``{a: 1, b: 2}``."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """``first + a - b`` or ``first * a / b % c``: one level of precedence, from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Power(Node):
    """``base ^ exponent``."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Sign(Node):
    """``-operand`` or ``+operand``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Not(Node):
    """``!operand``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """``a and b and c`` (``is_and``) or ``a or b or c``."""

    is_and: bool
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """``left operator right``: ``== != < <= > >= matches between instanceof``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Ternary(Node):
    """``test ? yes : no``."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Elvis(Node):
    """``value ?: otherwise``."""

    value: Node
    otherwise: Node


def walk(node: Node) -> Iterator[Node]:
    """Give *node* and every node below it."""
    waiting = [node]
    while waiting:
        present = waiting.pop()
        yield present
        waiting.extend(children(present))


def children(node: Node) -> list[Node]:
    """Give the nodes directly below *node*."""
    found: list[Node] = []
    values: list[Any] = [getattr(node, each.name) for each in fields(node)]  # type: ignore[arg-type]
    while values:
        value = values.pop()
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            values.extend(value)
    return found
