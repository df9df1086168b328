"""The methods of Java's numbers and booleans, ``Math``, ``Random`` and ``UUID``.

Source: Java's documentation, ``java.lang.Integer``, ``Long``, ``Double``, ``Boolean``, ``Math``, ``java.util.Random``.
"""

from __future__ import annotations

import math
import struct
import uuid
from collections.abc import Callable
from typing import Any

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add, number_of, whole_of
from masthead.pipelines.expressions.operators import divided, power_of
from masthead.pipelines.expressions.values import (
    INT_LIMIT,
    LONG_LIMIT,
    JavaValue,
    Value,
    double_text,
    is_same,
    java_text,
    order,
    whole,
)

__all__ = [
    "BOOLEAN",
    "NUMBER",
    "RANDOM",
    "UUID_METHODS",
    "JavaRandom",
    "JavaUuid",
    "java_hash_of_long",
    "narrow",
]

NUMBER: Methods = {}
BOOLEAN: Methods = {}
RANDOM: Methods = {}
UUID_METHODS: Methods = {}


def narrow(number: float, limit: int = LONG_LIMIT) -> int:
    """Give *number* as a Java cast to a whole number does: cut off, and no larger than fits."""
    if math.isnan(number):
        return 0
    return (
        int(min(max(number, -limit), limit - 1))
        if math.isfinite(number)
        else (limit - 1 if number > 0 else -limit)
    )


def _wrapped(number: float, limit: int) -> int:
    """Give *number* in as many bits as *limit* says, as a cast between whole numbers does."""
    cut = narrow(number)
    return (cut + limit) % (2 * limit) - limit


for _name, _limit in {"intValue": INT_LIMIT, "shortValue": 2**15, "byteValue": 2**7}.items():
    add(NUMBER, _name)(lambda _, number, limit=_limit: _wrapped(number, limit))
add(NUMBER, "longValue")(lambda _, number: narrow(number))
add(NUMBER, "doubleValue")(lambda _, number: float(number))
add(NUMBER, "floatValue")(lambda _, number: float(number))
add(NUMBER, "isNaN")(lambda _, number: math.isnan(number))
add(NUMBER, "isInfinite")(lambda _, number: math.isinf(number))
add(NUMBER, "toString")(lambda running, number: java_text(number, running.budget))
add(BOOLEAN, "toString")(lambda running, flag: java_text(flag, running.budget))
add(BOOLEAN, "booleanValue")(lambda _, flag: flag)
add(BOOLEAN, "hashCode")(lambda _, flag: 1231 if flag else 1237)


@add(NUMBER, "equals", Kind.ANY)
@add(BOOLEAN, "equals", Kind.ANY)
def _equals(running: Running, value: Value, other: Value) -> bool:
    return type(value) is type(other) and is_same(value, other, running.budget)


@add(NUMBER, "compareTo", Kind.ANY)
@add(BOOLEAN, "compareTo", Kind.ANY)
def _compare_to(_: Running, value: Value, other: Value) -> int:
    return order(value, other)


@add(NUMBER, "hashCode")
def _hash_code(_: Running, number: float) -> int:
    if isinstance(number, int):
        return number if -INT_LIMIT <= number < INT_LIMIT else java_hash_of_long(number)
    bits = int.from_bytes(struct.pack(">d", number), "big")
    return java_hash_of_long(bits)


def java_hash_of_long(number: int) -> int:
    """Give ``Long.hashCode`` of *number*."""
    return _wrapped((number ^ (number >> 32)) & 0xFFFFFFFF, INT_LIMIT)


# -- Integer, Long, Double, Boolean -----------------------------------------------------------------


def whole_statics(limit: int) -> Methods:
    """Give the static methods of a whole number's class whose largest value is *limit* - 1."""
    table: Methods = {}

    def parse(_: Running, text: str, radix: int = 10) -> int:
        number = whole_of(text) if radix == 10 else _in_radix(text, radix)
        if not -limit <= number < limit:
            raise ExpressionError(f'For input string: "{text}"')
        return number

    for name in ("parseInt", "parseLong", "parseByte", "valueOf"):
        add(table, name, Kind.TEXT)(parse)
        add(table, name, Kind.TEXT, Kind.WHOLE)(parse)
    for name, base in {"toHexString": "x", "toBinaryString": "b", "toOctalString": "o"}.items():
        add(table, name, Kind.WHOLE)(lambda _, number, base=base: f"{number % (2 * limit):{base}}")
    add(table, "compare", Kind.WHOLE, Kind.WHOLE)(lambda _, one, other: order(one, other))
    add(table, "max", Kind.WHOLE, Kind.WHOLE)(lambda _, one, other: max(one, other))
    add(table, "min", Kind.WHOLE, Kind.WHOLE)(lambda _, one, other: min(one, other))
    add(table, "sum", Kind.WHOLE, Kind.WHOLE)(lambda _, one, other: _summed(one + other, limit))
    add(table, "signum", Kind.WHOLE)(lambda _, number: (number > 0) - (number < 0))
    add(table, "toString", Kind.WHOLE)(lambda _, number: str(number))
    add(table, "toString", Kind.WHOLE, Kind.WHOLE)(lambda _, number, radix: _written(number, radix))
    return table


def _summed(number: int, limit: int) -> int:
    if not -limit <= number < limit:
        raise ExpressionError(f"The result is a number of more than {limit.bit_length()} bits.")
    return number


def _written(number: int, radix: int) -> str:
    """Write a whole number to another base; to ten when the base is none."""
    if not 2 <= radix <= 36:
        return str(number)
    digits, rest = "", abs(number)
    while rest or not digits:
        rest, digit = divmod(rest, radix)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"-{digits}" if number < 0 else digits


def _in_radix(text: str, radix: int) -> int:
    if not 2 <= radix <= 36 or len(text) > 64 or not text.lstrip("+-").isalnum():
        raise ExpressionError(f'For input string: "{text[:64]}" under radix {radix}')
    try:
        return whole(int(text, radix))
    except ValueError as error:
        raise ExpressionError(f'For input string: "{text}" under radix {radix}') from error


def double_statics() -> Methods:
    """Give the static methods of ``Double``."""
    table: Methods = {}
    for name in ("parseDouble", "valueOf"):
        add(table, name, Kind.NUMBER)(lambda _, number: number)
    add(table, "toString", Kind.NUMBER)(lambda _, number: double_text(number))
    add(table, "compare", Kind.NUMBER, Kind.NUMBER)(lambda _, one, other: order(one, other))
    add(table, "isNaN", Kind.NUMBER)(lambda _, number: math.isnan(number))
    add(table, "isInfinite", Kind.NUMBER)(lambda _, number: math.isinf(number))
    add(table, "max", Kind.NUMBER, Kind.NUMBER)(lambda _, one, other: max(one, other))
    add(table, "min", Kind.NUMBER, Kind.NUMBER)(lambda _, one, other: min(one, other))
    return table


def boolean_statics() -> Methods:
    """Give the static methods of ``Boolean``."""
    table: Methods = {}
    for name in ("parseBoolean", "valueOf"):
        add(table, name, Kind.ANY)(lambda running, value: java_text(value, running.budget).lower() == "true")
    add(table, "toString", Kind.FLAG)(lambda running, flag: java_text(flag, running.budget))
    add(table, "compare", Kind.FLAG, Kind.FLAG)(lambda _, one, other: order(one, other))
    add(table, "logicalAnd", Kind.FLAG, Kind.FLAG)(lambda _, one, other: one and other)
    add(table, "logicalOr", Kind.FLAG, Kind.FLAG)(lambda _, one, other: one or other)
    add(table, "logicalXor", Kind.FLAG, Kind.FLAG)(lambda _, one, other: one is not other)
    return table


# -- Math -------------------------------------------------------------------------------------------


def math_statics() -> Methods:
    """Give the static methods of ``Math``."""
    table: Methods = {}
    for name, run in _MATH.items():
        add(table, name, Kind.NUMBER)(lambda _, number, run=run: _guarded(run, number))
    for name, pair in _PAIRS.items():
        add(table, name, Kind.NUMBER, Kind.NUMBER)(lambda _, one, other, run=pair: _guarded(run, one, other))
    for name, whole_pair in _WHOLE_PAIRS.items():
        add(table, name, Kind.WHOLE, Kind.WHOLE)(lambda _, one, other, run=whole_pair: whole(run(one, other)))
    for name, either in {"max": max, "min": min}.items():
        add(table, name, Kind.ANY, Kind.ANY)(
            lambda _, one, other, run=either: run(_number(one), _number(other))
        )
    add(table, "abs", Kind.ANY)(lambda _, number: _absolute(_number(number)))
    add(table, "round", Kind.NUMBER)(
        lambda _, number: narrow(_rounded(number) if math.isfinite(number) else number)
    )
    add(table, "toIntExact", Kind.WHOLE)(_int_exact)
    add(table, "negateExact", Kind.WHOLE)(lambda _, number: whole(_exact(-number, number)))
    add(table, "random")(lambda running: running.context.chance.random())
    return table


def _rounded(number: float) -> int:
    floor = math.floor(number)
    return floor + (number - floor >= 0.5)


def _logarithm(run: Callable[[float], float]) -> Callable[[float], float]:
    return lambda number: run(number) if number else -math.inf


_MATH: dict[str, Callable[[float], float]] = {
    "floor": lambda number: math.copysign(math.floor(number), number),
    "ceil": lambda number: math.copysign(math.ceil(number), number),
    "rint": lambda number: math.copysign(round(number), number),
    "sqrt": math.sqrt,
    "cbrt": math.cbrt,
    "exp": math.exp,
    "log": _logarithm(math.log),
    "log10": _logarithm(math.log10),
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "signum": lambda number: math.copysign(1.0, number) if number and not math.isnan(number) else number,
    "toRadians": math.radians,
    "toDegrees": math.degrees,
}
_PAIRS: dict[str, Callable[[float, float], float]] = {
    "pow": power_of,
    "hypot": math.hypot,
    "atan2": math.atan2,
}
_WHOLE_PAIRS: dict[str, Callable[[int, int], int]] = {
    "addExact": lambda one, other: _exact(one + other, one, other),
    "subtractExact": lambda one, other: _exact(one - other, one, other),
    "multiplyExact": lambda one, other: _exact(one * other, one, other),
    "floorDiv": lambda one, other: one // (other or divided(one, 0)),
    "floorMod": lambda one, other: one % (other or divided(one, 0)),
}


def _guarded(run: Callable[..., float], *numbers: float) -> float:
    """Give what Java does where Python raises: infinity or not a number."""
    try:
        return run(*numbers)
    except OverflowError:
        return numbers[0] if len(numbers) == 1 and not math.isfinite(numbers[0]) else math.inf
    except ValueError:
        return math.nan


def _number(value: Value) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return number_of(value)


def _absolute(number: float) -> float:
    return whole(abs(number)) if isinstance(number, int) else abs(number)


def _int_exact(_: Running, number: int) -> int:
    if not _is_int(number):
        raise ExpressionError("integer overflow")
    return number


def _exact(result: int, *numbers: int) -> int:
    """Give *result*, if it is of the kind that *numbers* are: an Integer of Integers."""
    if not _is_int(result) and all(map(_is_int, numbers)):
        raise ExpressionError("integer overflow")
    return result


def _is_int(number: int) -> bool:
    return -INT_LIMIT <= number < INT_LIMIT


# -- Random and UUID --------------------------------------------------------------------------------


class JavaRandom(JavaValue):
    """``java.util.Random``: with a seed, the same numbers as Java's."""

    __slots__ = ("_seed",)

    java = "java.util.Random"

    def __init__(self, seed: int) -> None:
        self._seed = (seed ^ 0x5DEECE66D) & ((1 << 48) - 1)

    def bits(self, count: int) -> int:
        """Give the next *count* bits as a signed number."""
        self._seed = (self._seed * 0x5DEECE66D + 0xB) & ((1 << 48) - 1)
        drawn = self._seed >> (48 - count)
        return drawn - (1 << count) if count == 32 and drawn >> 31 else drawn

    def below(self, bound: int) -> int:
        """Give a number from 0 to *bound* - 1."""
        if not 0 < bound < INT_LIMIT:
            raise ExpressionError("bound must be positive")
        if bound & (bound - 1) == 0:
            return (bound * self.bits(31)) >> 31
        while True:
            drawn = self.bits(31)
            number = drawn % bound
            if drawn - number + (bound - 1) < INT_LIMIT:
                return number

    def text(self) -> str:
        """Give its class; what it will draw is not told."""
        return self.java


@add(RANDOM, "nextInt")
def _next_int(_: Running, source: JavaRandom) -> int:
    return source.bits(32)


@add(RANDOM, "nextInt", Kind.WHOLE)
def _next_below(_: Running, source: JavaRandom, bound: int) -> int:
    return source.below(bound)


@add(RANDOM, "nextInt", Kind.WHOLE, Kind.WHOLE)
def _next_between(_: Running, source: JavaRandom, least: int, bound: int) -> int:
    return least + source.below(bound - least)


@add(RANDOM, "nextLong")
def _next_long(_: Running, source: JavaRandom) -> int:
    high = source.bits(32) << 32
    return _wrapped_long(high + source.bits(32))


@add(RANDOM, "nextDouble")
@add(RANDOM, "nextFloat")
def _next_double(_: Running, source: JavaRandom) -> float:
    high = source.bits(26) << 27
    return float((high + source.bits(27)) / (1 << 53))


@add(RANDOM, "nextBoolean")
def _next_boolean(_: Running, source: JavaRandom) -> bool:
    return source.bits(1) != 0


def _wrapped_long(number: int) -> int:
    return (number + LONG_LIMIT) % (2 * LONG_LIMIT) - LONG_LIMIT


class JavaUuid(JavaValue):
    """``java.util.UUID``."""

    __slots__ = ("_value",)

    java = "java.util.UUID"

    def __init__(self, value: uuid.UUID) -> None:
        self._value = value

    def text(self) -> str:
        """Give the familiar form."""
        return str(self._value)

    def rank(self) -> Any:
        """Give its number."""
        return self._value.int


add(UUID_METHODS, "version")(lambda _, one: uuid.UUID(one.text()).version or 0)


def uuid_statics() -> Methods:
    """Give the static methods of ``UUID``."""
    table: Methods = {}

    @add(table, "randomUUID")
    def _random(running: Running) -> JavaUuid:
        drawn = running.context.chance.getrandbits(128)
        return JavaUuid(uuid.UUID(int=drawn, version=4))

    @add(table, "fromString", Kind.TEXT)
    def _from_text(_: Running, text: str) -> JavaUuid:
        try:
            return JavaUuid(uuid.UUID(text))
        except ValueError as error:
            raise ExpressionError(f"Invalid UUID string: {text[:64]}") from error

    @add(table, "new", Kind.WHOLE, Kind.WHOLE)
    def _of(_: Running, high: int, low: int) -> JavaUuid:
        return JavaUuid(uuid.UUID(int=(high % (1 << 64)) << 64 | low % (1 << 64)))

    return table
