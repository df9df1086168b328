"""Arithmetic as Java does it: whole numbers stay whole, a text takes anything on with ``+``.

Whole numbers are counted in 64 bits; what is larger is an error, where Java would silently begin anew.

Source: Spring's documentation, "Mathematical operators"; Java's language specification, 15.17 and 15.18.
"""

from __future__ import annotations

import math

from masthead.pipelines.expressions.bounds import Budget
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.values import INT_LIMIT, Value, joined_text, type_name, whole

__all__ = ["calculate", "divided", "negative", "power", "power_of", "remainder"]

_NAMES = {"+": "ADD", "-": "SUBTRACT", "*": "MULTIPLY", "/": "DIVIDE", "%": "MODULUS", "^": "POWER"}


def calculate(operator: str, left: Value, right: Value, budget: Budget) -> Value:
    """Give ``left operator right`` for ``+ - * / %``.

    Spring lets a text be repeated with ``*``, and one of a single character be moved back with ``-``: ``'5' - 1`` is ``'4'``.

    Raises:
        ExpressionError: the two do not go together, or the result is too large.
    """
    if _is_number(left) and _is_number(right):
        return _numbers(operator, left, right)
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        return _joined(left, right, budget)
    if operator == "*" and isinstance(left, str) and _is_number(right) and isinstance(right, int):
        budget.text(len(left) * max(right, 0))
        return left * right
    if operator == "-" and isinstance(left, str) and len(left) == 1 and _is_number(right) and _is_int(right):
        return chr((ord(left) - right) & 0xFFFF)
    raise _apart(operator, left, right)


def power(base: Value, exponent: Value) -> Value:
    """Give ``base ^ exponent``."""
    if not _is_number(base) or not _is_number(exponent):
        raise _apart("^", base, exponent)
    if isinstance(base, int) and isinstance(exponent, int):
        return _whole_power(base, exponent)
    return power_of(base, exponent)


def power_of(base: float, exponent: float) -> float:
    """Give what ``Math.pow`` does."""
    is_negative = math.copysign(1, base) < 0 and exponent % 2 == 1
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if is_negative else math.inf
    except ValueError:
        return math.nan if base else -math.inf if is_negative else math.inf


def _whole_power(base: int, exponent: int) -> int:
    if exponent < 0:
        return divided(1, _whole_power(base, -exponent))
    if abs(base) <= 1:
        return base if exponent % 2 else base * base or int(exponent == 0)
    if exponent > 64:
        raise ExpressionError("The result is a number of more than 64 bits.")
    return whole(base**exponent)


def negative(value: Value, operator: str) -> Value:
    """Give ``-value`` or ``+value``."""
    if not _is_number(value):
        raise ExpressionError(f"The operator '{operator}' is not supported for {type_name(value)}")
    return (whole(-value) if isinstance(value, int) else -value) if operator == "-" else value


def divided(left: int, right: int) -> int:
    """Divide whole numbers as Java does: towards zero.

    Raises:
        ExpressionError: *right* is zero.
    """
    if right == 0:
        raise ExpressionError("/ by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def remainder(left: int, right: int) -> int:
    """Give what is left by :func:`divided`; it has the sign of *left*."""
    return left - right * divided(left, right)


def _is_int(value: Value) -> bool:
    return isinstance(value, int) and -INT_LIMIT <= value < INT_LIMIT


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(operator: str, left: float, right: float) -> float:
    if isinstance(left, int) and isinstance(right, int):
        return whole(_WHOLE[operator](left, right))
    return _doubles(operator, float(left), float(right))


def _doubles(operator: str, left: float, right: float) -> float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "%":
        return math.fmod(left, right) if right and math.isfinite(left) else math.nan
    if right:
        return left / right
    return (
        math.nan if not left or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    )


_WHOLE = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divided,
    "%": remainder,
}


def _joined(left: Value, right: Value, budget: Budget) -> str:
    one, other = joined_text(left, budget), joined_text(right, budget)
    budget.text(len(one) + len(other))
    return one + other


def _apart(operator: str, left: Value, right: Value) -> ExpressionError:
    return ExpressionError(
        f"The operator '{_NAMES[operator]}' is not supported between objects of type "
        f"'{type_name(left)}' and '{type_name(right)}'"
    )
