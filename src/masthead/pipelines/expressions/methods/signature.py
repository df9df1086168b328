"""How a method is declared: what it takes, and how Java would turn a value into that.

A method is a function of ours with the arguments it declares; an expression never reaches one that is not
in a table.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import ExpressionError, shown
from masthead.pipelines.expressions.values import (
    LONG_LIMIT,
    JavaValue,
    Value,
    joined_text,
    truth,
    type_name,
    whole,
)

__all__ = ["Kind", "Method", "Methods", "Takes", "add", "choose", "cut", "number_of", "whole_of"]


class Kind(Enum):
    """What an argument is turned into."""

    ANY = "any"
    TEXT = "java.lang.String"
    WHOLE = "long"
    NUMBER = "double"
    FLAG = "boolean"
    LIST = "java.util.Collection"


#: A kind, or the class that it must be of as it is.
Takes = Kind | type[JavaValue] | type[int]
Run = Callable[..., Value]
_Run = TypeVar("_Run", bound=Run)
#: What ``Double.parseDouble`` reads.
_DOUBLE = re.compile(
    r"([+-]?(?:NaN|Infinity|(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,4})?))[fFdD]?", re.ASCII
)


class _Unfit(Exception):
    """An argument cannot be turned into what is wanted."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to call a method.

    Attributes:
        run: Given the evaluation, the target (methods only) and the arguments.
        takes: What each argument is turned into.
        rest: What all further arguments are turned into, if there may be more.
    """

    run: Run
    takes: tuple[Takes, ...] = ()
    rest: Kind | None = None

    def fits(self, count: int) -> bool:
        """Tell whether it takes so many arguments."""
        return count == len(self.takes) or (self.rest is not None and count >= len(self.takes))

    def convert(self, arguments: Sequence[Value], running: Running) -> list[Value]:
        """Turn *arguments* into what is taken."""
        kinds = [*self.takes, *([self.rest] * (len(arguments) - len(self.takes)))]
        return [_convert(each, kind, running) for each, kind in zip(arguments, kinds, strict=True)]


#: Name → the ways to call it.
Methods = dict[str, list[Method]]


def add(table: Methods, name: str, *takes: Takes, rest: Kind | None = None) -> Callable[[_Run], _Run]:
    """Give a decorator that puts a function into *table* as one way to call *name*."""

    def put(run: _Run) -> _Run:
        table.setdefault(name, []).append(Method(run, takes, rest))
        return run

    return put


def choose(
    ways: Sequence[Method], name: str, arguments: Sequence[Value], running: Running
) -> tuple[Method, list[Value]]:
    """Give the first way to call *name* that the *arguments* fit, and the arguments as it wants them.

    Raises:
        ExpressionError: there is none.
    """
    for way in ways:
        if way.fits(len(arguments)):
            try:
                return way, way.convert(arguments, running)
            except _Unfit:
                continue
    given = ",".join(type_name(each) for each in arguments)
    raise ExpressionError(f"Method {name}({given}) cannot be found: it does not take these arguments")


def _convert(value: Value, kind: Takes | None, running: Running) -> Value:
    if kind is Kind.ANY or kind is None:
        return value
    if isinstance(kind, type):
        if isinstance(value, kind):
            return value
        raise _Unfit
    try:
        return _CONVERTERS[kind](value, running)
    except (ExpressionError, ValueError) as error:
        raise _Unfit from error


def _text(value: Value, running: Running) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        raise _Unfit
    return joined_text(value, running.budget)


def whole_of(value: Value) -> int:
    """Give the whole number that *value* is, or is the text of.

    Raises:
        ExpressionError: it is none.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < LONG_LIMIT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 20:
        text = value[1:] if value[:1] in ("+", "-") else value
        if text.isascii() and text.isdecimal():
            return whole(int(value))
    if isinstance(value, str):
        raise ExpressionError(f'For input string: "{shown(value)}"')
    raise ExpressionError(
        f"Type conversion problem, cannot convert from {type_name(value)} to a whole number"
    )


def cut(value: Value) -> int:
    """Give the whole number that *value* is or is the text of; of any other number what stands before its point.

    Raises:
        ExpressionError: it is none.
    """
    if isinstance(value, float) and math.isfinite(value):
        return whole(math.trunc(value))
    return whole_of(value)


def number_of(value: Value) -> float:
    """Give the floating-point number that *value* is, or is the text of.

    Raises:
        ExpressionError: it is none.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and (written := _DOUBLE.fullmatch(value.strip())) is not None:
        return float(written[1])
    if isinstance(value, str):
        raise ExpressionError(f'For input string: "{shown(value)}"')
    raise ExpressionError(f"Type conversion problem, cannot convert from {type_name(value)} to a number")


def _list(value: Value, _: Running) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, (str, Mapping)) or value is None:
        raise _Unfit
    return [value]


_CONVERTERS: dict[Kind, Callable[[Value, Running], Value]] = {
    Kind.TEXT: _text,
    Kind.WHOLE: lambda value, _: cut(value),
    Kind.NUMBER: lambda value, _: number_of(value),
    Kind.FLAG: lambda value, _: truth(value),
    Kind.LIST: _list,
}
