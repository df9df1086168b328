"""The methods of ``java.lang.String``, and its ``format``.

Places are counted in characters; Java counts UTF-16 units, which differs behind an emoji only.

Source: Java's documentation, ``java.lang.String``, ``java.util.Formatter``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import ExpressionError, shown
from masthead.pipelines.expressions.methods import patterns
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add, number_of, whole_of
from masthead.pipelines.expressions.values import INT_LIMIT, LONG_LIMIT, Value, double_text, java_text

__all__ = ["TEXT", "format_text", "java_hash", "spread"]

TEXT: Methods = {}
_SPECIFIER = re.compile(r"%(?:(\d{1,3})\$)?([-#+ 0,(]*)(\d{1,4})?(?:\.(\d{1,3}))?([a-zA-Z%])")
_WIDTH_LIMIT = 1_000
#: What stands before the zeros that fill a number up, and the number.
_FILLED = re.compile(r"([-+( ]?(?:0[xX])?)([0-9A-Fa-f].*)")
#: Digits that hold any double with as many places behind its point as may be asked for.
_PRECISION = 1_400


def java_hash(text: str) -> int:
    """Give ``hashCode()`` of *text*: the same number as Java's, so that what was derived from it stays the same."""
    units = text.encode("utf-16-be", "surrogatepass")
    code = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (code * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return code - (1 << 32) if code >> 31 else code


_SIMPLE: dict[str, Callable[[str], Value]] = {
    "length": len,
    "isEmpty": lambda text: not text,
    "isBlank": lambda text: not text.strip(),
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": lambda text: text.strip("".join(map(chr, range(33)))),
    "strip": str.strip,
    "stripLeading": str.lstrip,
    "stripTrailing": str.rstrip,
    "toString": str,
    "intern": str,
    "hashCode": java_hash,
}
for _name, _run in _SIMPLE.items():
    add(TEXT, _name)(lambda _, text, run=_run: run(text))


def _last_place(text: str, other: str) -> int:
    """Give where *other* begins for the last time, or -1.

    Looked for in reverse: ``find`` takes time with the length of the text, ``rfind`` with that of both multiplied.
    """
    place = text[::-1].find(other[::-1])
    return -1 if place < 0 else len(text) - place - len(other)


def _compare(one: str, other: str) -> int:
    """Give what ``compareTo`` does: the difference of the first characters that differ, or of the lengths."""
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return ord(mine) - ord(theirs)
    return len(one) - len(other)


def _find_character(_: Running, text: str, code: int, at: int = 0) -> int:
    return text.find(_character(code), max(at, 0))


# Java takes a number here for a character, which it is not anywhere else.
add(TEXT, "indexOf", int)(_find_character)
add(TEXT, "indexOf", int, Kind.WHOLE)(_find_character)
add(TEXT, "lastIndexOf", int)(lambda _, text, code: _last_place(text, _character(code)))


for _name, _test in {
    "contains": lambda text, other: other in text,
    "endsWith": str.endswith,
    "startsWith": str.startswith,
    "equalsIgnoreCase": lambda text, other: text.lower() == other.lower(),
    "contentEquals": str.__eq__,
    "compareTo": _compare,
    "compareToIgnoreCase": lambda text, other: _compare(text.lower(), other.lower()),
    "indexOf": str.find,
    "lastIndexOf": _last_place,
    "concat": str.__add__,
}.items():
    add(TEXT, _name, Kind.TEXT)(lambda _, text, other, test=_test: test(text, other))


@add(TEXT, "equals", Kind.ANY)
def _equals(_: Running, text: str, other: Value) -> bool:
    return isinstance(other, str) and text == other


@add(TEXT, "startsWith", Kind.TEXT, Kind.WHOLE)
def _starts_at(_: Running, text: str, other: str, at: int) -> bool:
    return 0 <= at <= len(text) and text.startswith(other, at)


@add(TEXT, "indexOf", Kind.TEXT, Kind.WHOLE)
def _index_from(_: Running, text: str, other: str, at: int) -> int:
    return text.find(other, max(at, 0))


@add(TEXT, "lastIndexOf", Kind.TEXT, Kind.WHOLE)
def _last_index_from(_: Running, text: str, other: str, at: int) -> int:
    return -1 if at < 0 else _last_place(text[: at + len(other)], other)


@add(TEXT, "charAt", Kind.WHOLE)
def _char_at(_: Running, text: str, at: int) -> str:
    if not 0 <= at < len(text):
        raise ExpressionError(f"String index out of range: {at}, the text has {len(text)} characters")
    return text[at]


@add(TEXT, "toCharArray")
def _characters(running: Running, text: str) -> list[str]:
    running.budget.items(len(text))
    return list(text)


@add(TEXT, "codePointAt", Kind.WHOLE)
def _code_point_at(running: Running, text: str, at: int) -> int:
    return ord(_char_at(running, text, at))


@add(TEXT, "substring", Kind.WHOLE)
def _substring_from(running: Running, text: str, begin: int) -> str:
    return _substring(running, text, begin, len(text))


@add(TEXT, "substring", Kind.WHOLE, Kind.WHOLE)
@add(TEXT, "subSequence", Kind.WHOLE, Kind.WHOLE)
def _substring(_: Running, text: str, begin: int, end: int) -> str:
    if not 0 <= begin <= end <= len(text):
        raise ExpressionError(f"begin {begin}, end {end}, length {len(text)}")
    return text[begin:end]


@add(TEXT, "replace", Kind.TEXT, Kind.TEXT)
def _replace(running: Running, text: str, old: str, new: str) -> str:
    return patterns.replace_text(text, old, new, running.budget)


@add(TEXT, "replaceAll", Kind.TEXT, Kind.TEXT)
def _replace_all(running: Running, text: str, pattern: str, replacement: str) -> str:
    return patterns.replace(pattern, text, replacement, running.budget)


@add(TEXT, "replaceFirst", Kind.TEXT, Kind.TEXT)
def _replace_first(running: Running, text: str, pattern: str, replacement: str) -> str:
    return patterns.replace(pattern, text, replacement, running.budget, only_first=True)


@add(TEXT, "matches", Kind.TEXT)
def _matches(running: Running, text: str, pattern: str) -> bool:
    return patterns.matches(pattern, text, running.budget)


@add(TEXT, "split", Kind.TEXT)
def _split(running: Running, text: str, pattern: str) -> list[str]:
    return patterns.split(pattern, text, 0, running.budget)


@add(TEXT, "split", Kind.TEXT, Kind.WHOLE)
def _split_some(running: Running, text: str, pattern: str, limit: int) -> list[str]:
    return patterns.split(pattern, text, limit, running.budget)


@add(TEXT, "repeat", Kind.WHOLE)
def _repeat(running: Running, text: str, count: int) -> str:
    if count < 0:
        raise ExpressionError(f"count is negative: {count}")
    running.budget.text(len(text) * count)
    return text * count


@add(TEXT, "formatted", rest=Kind.ANY)
def _formatted(running: Running, text: str, *arguments: Value) -> str:
    return format_text(running, text, spread(arguments))


# -- format -----------------------------------------------------------------------------------------


def format_text(running: Running, pattern: str, arguments: Sequence[Value]) -> str:
    """Give what ``String.format`` does, for ``%s %d %f %e %g %x %o %c %b %h %n %%`` with flags, width and precision.

    Raises:
        ExpressionError: an argument is missing or of the wrong kind, or the specifier is another.
    """
    out: list[str] = []
    at = taken = length = 0
    while (place := pattern.find("%", at)) >= 0:
        specifier = _SPECIFIER.match(pattern, place)
        if specifier is None:
            raise ExpressionError(f"Unknown format conversion in {shown(pattern)}")
        out.append(pattern[at:place])
        conversion = specifier[5]
        if conversion == "n":
            out.append("\n")
        elif conversion == "%":
            width = min(int(specifier[3] or 0), _WIDTH_LIMIT)
            out.append("%".ljust(width) if "-" in specifier[2] else "%".rjust(width))
        else:
            number = int(specifier[1]) - 1 if specifier[1] else taken
            taken += 0 if specifier[1] else 1
            if not 0 <= number < len(arguments):
                raise ExpressionError(f"Format specifier '{specifier[0]}' has no argument")
            out.append(_formatted_one(running, specifier, arguments[number]))
        length += len(out[-1])
        running.budget.text(length)
        at = specifier.end()
    return "".join((*out, pattern[at:]))


def spread(arguments: Sequence[Value]) -> Sequence[Value]:
    """Give the arguments of a method that takes any number: a list that stands alone is all of them."""
    only = arguments[0] if len(arguments) == 1 else None
    return only if isinstance(only, list) else arguments


def _formatted_one(running: Running, specifier: re.Match[str], value: Value) -> str:
    flags, width, precision, conversion = specifier[2], int(specifier[3] or 0), specifier[4], specifier[5]
    if width > _WIDTH_LIMIT:
        raise ExpressionError(f"A width of more than {_WIDTH_LIMIT} is not supported")
    text = _converted(running, conversion.lower(), flags, precision, value)
    if conversion.isupper():
        text = text.upper()
    if "-" in flags:
        return text.ljust(width)
    filled = (
        _FILLED.fullmatch(text) if "0" in flags and conversion in "dfegxXoEG" and value is not None else None
    )
    return text.rjust(width) if filled is None else filled[1] + filled[2].rjust(width - len(filled[1]), "0")


def _converted(running: Running, conversion: str, flags: str, precision: str | None, value: Value) -> str:
    if conversion == "b":
        return "false" if value is None or value is False else "true"
    if conversion in "sc" or value is None:
        if conversion == "c" and isinstance(value, int) and not isinstance(value, bool):
            return _character(value)
        text = java_text(value, running.budget)
        return text if precision is None else text[: int(precision)]
    if conversion in "dxo":
        return _whole(flags, whole_of(value), conversion)
    if conversion == "h":
        return f"{_hash(value) & 0xFFFFFFFF:x}"
    if conversion in "feg":
        write = _general if conversion == "g" else _real
        return write(flags, number_of(value), int(precision or 6), conversion)
    raise ExpressionError(f"Unknown format conversion '{conversion}'")


def _whole(flags: str, number: int, conversion: str) -> str:
    if conversion == "d":
        return _signed(flags, Decimal(number), "")
    prefix = {"x": "0x", "o": "0"}[conversion] if "#" in flags else ""
    return f"{prefix}{_unsigned(number):{conversion}}"


def _hash(value: Value) -> int:
    if isinstance(value, str):
        return java_hash(value)
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, int):
        return value if -INT_LIMIT <= value < INT_LIMIT else value ^ (value >> 32)
    raise ExpressionError("The format %h takes a text or a whole number here")


def _general(flags: str, number: float, precision: int, _: str) -> str:
    """Write *number* with so many digits: with a power of ten only where it is very small or has more before its point."""
    precision = precision or 1
    if not math.isfinite(number):
        return _real(flags, number, precision, "f")
    with localcontext() as present:
        present.prec, present.rounding = precision, ROUND_HALF_UP
        rounded = +Decimal(repr(number))
    place = rounded.adjusted() if rounded else 0
    if -4 <= place < precision:
        return _real(flags, number, precision - 1 - place, "f")
    return _real(flags, number, precision - 1, "e")


def _character(code: int) -> str:
    if not 0 <= code <= 0x10FFFF:
        raise ExpressionError(f"Code point = {code:#x}")
    return chr(code)


def _unsigned(number: int) -> int:
    """Give the bits of *number*: of 32 if an ``int`` holds it, else of 64."""
    if number >= 0:
        return number
    return number + (2 * INT_LIMIT if number >= -INT_LIMIT else 2 * LONG_LIMIT)


def _real(flags: str, number: float, precision: int, conversion: str) -> str:
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        sign = "+" if "+" in flags and number > 0 else ""
        return f"{sign}{double_text(number)}"
    exact = Decimal(repr(number))
    if conversion == "f":
        # A number of Java's has some seventeen digits; behind them stand zeros, and half is rounded up.
        with localcontext() as present:
            present.prec = _PRECISION
            exact = exact.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)
        return _signed(flags, exact, f".{precision}f")
    with localcontext() as present:
        present.prec, present.rounding = precision + 1, ROUND_HALF_UP
        digits, _, exponent = f"{+exact:.{precision}e}".partition("e")
    return _signed(flags, Decimal(digits), f".{precision}f") + f"e{int(exponent):+03d}"


def _signed(flags: str, number: Decimal, form: str) -> str:
    """Write *number* with the sign and the commas that *flags* ask for."""
    text = f"{abs(number):{',' if ',' in flags else ''}{form or 'f'}}"
    if number.is_signed():
        return f"({text})" if "(" in flags else f"-{text}"
    return ("+" if "+" in flags else " " if " " in flags else "") + text
