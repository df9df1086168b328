"""The methods of ``java.lang.String``, and its ``format``.

Places are counted in characters; Java counts UTF-16 units, which differs behind an emoji only.

Source: Java's documentation, ``java.lang.String``, ``java.util.Formatter``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import ExpressionError, shown
from masthead.pipelines.expressions.methods import patterns
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add, number_of, whole_of
from masthead.pipelines.expressions.values import Value, java_text

__all__ = ["TEXT", "format_text", "java_hash"]

TEXT: Methods = {}
_SPECIFIER = re.compile(r"%(?:(\d{1,3})\$)?([-#+ 0,(]*)(\d{1,4})?(?:\.(\d{1,3}))?([a-zA-Z%])")
_WIDTH_LIMIT = 1_000


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
    return format_text(running, text, arguments)


# -- format -----------------------------------------------------------------------------------------


def format_text(running: Running, pattern: str, arguments: Sequence[Value]) -> str:
    """Give what ``String.format`` does, for ``%s %d %f %e %x %o %c %b %n %%`` with flags, width and precision.

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
        if conversion in "%n":
            out.append("%" if conversion == "%" else "\n")
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


def _formatted_one(running: Running, specifier: re.Match[str], value: Value) -> str:
    flags, width, precision, conversion = specifier[2], int(specifier[3] or 0), specifier[4], specifier[5]
    if width > _WIDTH_LIMIT:
        raise ExpressionError(f"A width of more than {_WIDTH_LIMIT} is not supported")
    text = _converted(running, conversion.lower(), flags, precision, value)
    if conversion.isupper():
        text = text.upper()
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and conversion in "dfexo":
        sign = text[:1] if text[:1] in ("-", "+") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _converted(running: Running, conversion: str, flags: str, precision: str | None, value: Value) -> str:
    if conversion == "b":
        return "false" if (value in (None, False) and value != 0) or value is False else "true"
    if conversion in "sc" or value is None:
        text = java_text(value, running.budget)
        return text if precision is None else text[: int(precision)]
    sign = "+" if "+" in flags else ""
    comma = "," if "," in flags else ""
    if conversion == "d":
        return f"{whole_of(value):{sign}{comma}}"
    if conversion in "xo":
        return (
            f"{whole_of(value) & 0xFFFFFFFFFFFFFFFF if whole_of(value) < 0 else whole_of(value):{conversion}}"
        )
    if conversion in "fe":
        return f"{number_of(value):{sign}{comma}.{precision or 6}{conversion}}"
    raise ExpressionError(f"Unknown format conversion '{conversion}'")
