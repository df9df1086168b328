"""The values that expressions know, and what Java would say of them.

A value is what JSON has (None, bool, int, float, str, list, mapping) or a :class:`JavaValue`: a date, a type,
and so on. Nothing else is ever the value of an expression, and none of these has an attribute that an expression
could reach: methods and properties come from tables.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from masthead.pipelines.expressions.bounds import Budget
from masthead.pipelines.expressions.errors import ExpressionError, TooMuch

__all__ = [
    "INT_LIMIT",
    "LONG_LIMIT",
    "Entry",
    "JavaValue",
    "NotEvaluated",
    "Value",
    "double_text",
    "is_equal",
    "is_same",
    "java_text",
    "joined_text",
    "order",
    "plain",
    "sound",
    "truth",
    "type_name",
    "whole",
]

#: What JSON has, or a JavaValue.
Value = Any
INT_LIMIT = 2**31
LONG_LIMIT = 2**63
_TRUE = frozenset({"true", "on", "yes", "1"})
_FALSE = frozenset({"false", "off", "no", "0"})
_NAMES: tuple[tuple[type, str], ...] = (
    (type(None), "null"),
    (bool, "java.lang.Boolean"),
    (float, "java.lang.Double"),
    (str, "java.lang.String"),
    (list, "java.util.ArrayList"),
)
#: Java writes smaller and larger doubles with an exponent.
_DECIMAL = (1e-3, 1e7)


class JavaValue:
    """A value that JSON does not have."""

    __slots__ = ()

    #: Its class in Java.
    java: ClassVar[str] = "java.lang.Object"

    def text(self) -> str:
        """Give what ``toString()`` says."""
        raise NotImplementedError

    def json(self) -> Value:
        """Give what stands in JSON for it."""
        return self.text()

    def rank(self) -> Any:
        """Give what it is compared by; None when it has no order."""
        return None

    def is_same(self, other: Value) -> bool:
        """Tell whether *other* is equal to it."""
        return type(other) is type(self) and other.rank() == self.rank() is not None


class Entry(JavaValue):
    """A key of a map with its value, as selections and projections see it."""

    __slots__ = ("key", "value")

    java = "java.util.Map$Entry"

    def __init__(self, key: str, value: Value) -> None:
        self.key = key
        self.value = value

    def text(self) -> str:
        """Give ``key=value``, the value only by its type when it holds others."""
        nested = isinstance(self.value, (list, Mapping))
        return f"{self.key}={type_name(self.value) if nested else java_text(self.value)}"

    def json(self) -> Value:
        """Give a map of one entry."""
        return {self.key: self.value}


class NotEvaluated(JavaValue):
    """What ``#doNotEval`` gives: a value whose texts may look like expressions."""

    __slots__ = ("value",)

    java = "com.netflix.spinnaker.kork.expressions.NotEvaluableExpression"

    def __init__(self, value: Value) -> None:
        self.value = value

    def text(self) -> str:
        """Give the text of the value."""
        return java_text(self.value)

    def json(self) -> Value:
        """Give the value."""
        return self.value


def type_name(value: Value) -> str:
    """Give the Java class of *value*, as sentences name it."""
    if isinstance(value, JavaValue):
        return value.java
    if isinstance(value, int) and not isinstance(value, bool):
        return "java.lang.Integer" if -INT_LIMIT <= value < INT_LIMIT else "java.lang.Long"
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "java.util.LinkedHashMap")


def whole(number: int) -> int:
    """Give *number* if a Java ``long`` can hold it.

    Raises:
        ExpressionError: it cannot.
    """
    if not -LONG_LIMIT <= number < LONG_LIMIT:
        raise ExpressionError("The result is a number of more than 64 bits.")
    return number


def truth(value: Value) -> bool:
    """Give the boolean that *value* is, or is the text of.

    Raises:
        ExpressionError: it is none.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise ExpressionError(f"Type conversion problem, cannot convert from {type_name(value)} to boolean")


# -- texts ------------------------------------------------------------------------------------------


def java_text(value: Value, budget: Budget | None = None) -> str:
    """Give what ``toString()`` says of *value*: lists as ``[a, b]``, maps as ``{a=b}``."""
    return _Writer(budget).text(value)


def joined_text(value: Value, budget: Budget) -> str:
    """Give *value* as it stands inside a text: a list as ``a,b``, everything else as ``toString()``."""
    if isinstance(value, list):
        return _Writer(budget).joined(value)
    return java_text(value, budget)


class _Writer:
    """Writes texts, counting their length while they grow."""

    def __init__(self, budget: Budget | None) -> None:
        self._budget = budget
        self._length = 0

    def text(self, value: Value, depth: int = 0) -> str:
        return self._counted(self._write(value, depth))

    def joined(self, values: list[Value]) -> str:
        return ",".join(self._joined_one(each, 1) for each in values)

    def _joined_one(self, value: Value, depth: int) -> str:
        if not isinstance(value, list):
            return self.text(value, depth)
        _require_depth(depth)
        return self._counted(",".join(self._joined_one(each, depth + 1) for each in value))

    def _write(self, value: Value, depth: int) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return "[" + ", ".join(self._nested(each, depth) for each in value) + "]"
        if isinstance(value, Mapping):
            pairs = (f"{key}={self._nested(each, depth)}" for key, each in value.items())
            return "{" + ", ".join(pairs) + "}"
        return _scalar_text(value)

    def _nested(self, value: Value, depth: int) -> str:
        _require_depth(depth)
        return self.text(value, depth + 1)

    def _counted(self, text: str) -> str:
        if self._budget is not None:
            self._length += len(text)
            self._budget.spend()
            self._budget.text(self._length)
        return text


def _scalar_text(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double_text(value)
    return value.text() if isinstance(value, JavaValue) else str(value)


def double_text(number: float) -> str:
    """Give *number* as Java's ``Double.toString`` writes it: ``1.0``, ``1.0E10``, ``NaN``, ``Infinity``."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    least, most = _DECIMAL
    if number == 0 or least <= abs(number) < most:
        text = repr(number)
        return text if "e" not in text else f"{number:f}"
    digits, _, exponent = f"{number:e}".partition("e")
    for precision in range(17):
        digits, _, exponent = f"{number:.{precision}e}".partition("e")
        if float(f"{digits}e{exponent}") == number:
            break
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"


# -- comparing --------------------------------------------------------------------------------------


def is_same(left: Value, right: Value, budget: Budget) -> bool:
    """Tell whether ``left == right``: numbers by their value, everything else only with its own kind.

    Inside of lists and maps a number equals only one of its own kind.
    """
    budget.spend()
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            is_equal(one, other, budget) for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all(
            key in right and is_equal(value, right[key], budget) for key, value in left.items()
        )
    if isinstance(left, JavaValue):
        return left.is_same(right)
    if isinstance(right, JavaValue):
        return right.is_same(left)
    return bool(left == right)


def is_equal(left: Value, right: Value, budget: Budget) -> bool:
    """Tell whether ``left.equals(right)``: 1 is not 1.0."""
    return isinstance(left, float) is isinstance(right, float) and is_same(left, right, budget)


def order(left: Value, right: Value) -> int:
    """Give -1, 0 or 1 as *left* comes before, with or after *right*; null comes first.

    Raises:
        ExpressionError: the two cannot be compared.
    """
    if left is None or right is None:
        return (left is not None) - (right is not None)
    one, other = _rank(left), _rank(right)
    if one is None or other is None or one[0] != other[0]:
        raise ExpressionError(
            f"Cannot compare instances of type '{type_name(left)}' and '{type_name(right)}'"
        )
    return int(one[1] > other[1]) - int(one[1] < other[1])


def _rank(value: Value) -> tuple[object, Any] | None:
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, (int, float)):
        return float, value
    if isinstance(value, str):
        return str, value
    if isinstance(value, JavaValue) and (rank := value.rank()) is not None:
        return type(value), rank
    return None


#: Characters that an item of a list or a map counts as.
_ITEM = 8
_HALVES = re.compile("[\ud800-\udfff]")


def sound(text: str) -> str:
    """Give *text* without halves of characters, which Java knows and UTF-8 does not: a question mark stands for each."""
    return text if text.isascii() else _HALVES.sub("?", text)


# -- giving back ------------------------------------------------------------------------------------


def plain(value: Value, budget: Budget, depth: int = 0) -> Value:
    """Give a copy of *value* that is JSON and shares nothing with the context it was read from.

    Raises:
        TooMuch: it holds more, or is nested deeper, than expressions may give.
    """
    if isinstance(value, str):
        budget.give(len(value))
        return sound(str(value))
    if value is None or isinstance(value, (bool, int)):
        return whole(value) if isinstance(value, int) else None
    if isinstance(value, float):
        return value if math.isfinite(value) else double_text(value)
    if depth > budget.limits.nesting:
        raise TooMuch(f"The value is nested more than {budget.limits.nesting} levels deep.")
    if isinstance(value, list):
        budget.items(len(value))
        budget.give(_ITEM * len(value))
        return [plain(each, budget, depth + 1) for each in value]
    if isinstance(value, JavaValue):
        return plain(value.json(), budget, depth + 1)
    budget.items(len(value))
    budget.give(_ITEM * len(value))
    return {sound(str(key)): plain(each, budget, depth + 1) for key, each in value.items()}


def _require_depth(depth: int) -> None:
    if depth > 100:
        raise TooMuch("The value is nested too deeply to be written as text.")
