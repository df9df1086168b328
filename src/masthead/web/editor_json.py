"""Pipelines as text: how they are written, and on which line a part stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from masthead.kernel.errors import InvalidRequest

__all__ = ["line_of", "lines_of", "read_object", "written"]

_WORD = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|NaN|-?Infinity")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_BLANKS = re.compile(r"[ \t\r\n]*")


def written(value: Any) -> str:
    """Write JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def read_object(text: str, *, what: str = "This") -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InvalidRequest: it is none; the sentence names the line, and ``pointer`` is ``line N``.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        sentence = f"{what} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        raise InvalidRequest(sentence, pointer=f"line {error.lineno}") from None
    except RecursionError:
        raise InvalidRequest(f"{what} is nested too deep.", pointer="line 1") from None
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} must be a JSON object, in {{}}.", pointer="line 1")
    return value


def lines_of(text: str) -> dict[str, int]:
    """Give for every JSON pointer (RFC 6901) in *text* the line, from 1, on which its value or its key begins.

    Returns:
        As far as the text is JSON.
    """
    found: dict[str, int] = {}
    lines = _Lines(text)
    try:
        for pointer, at in _places(text, 0, "", [0]):
            found[pointer] = lines.of(at)
    except (ValueError, IndexError, RecursionError):
        pass
    return found


def line_of(pointer: str, lines: dict[str, int]) -> int:
    """Give the line of *pointer*, or of the nearest thing around it that is there."""
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer, 1)


class _Lines:
    def __init__(self, text: str) -> None:
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def of(self, at: int) -> int:
        low, high = 0, len(self._ends)
        while low < high:
            middle = (low + high) // 2
            if self._ends[middle] < at:
                low = middle + 1
            else:
                high = middle
        return low + 1


def _places(text: str, at: int, pointer: str, end: list[int]) -> Iterator[tuple[str, int]]:
    """Give every pointer of the value at *at* with its place; ``end[0]`` becomes where the value ends.

    Raises:
        ValueError: it is no JSON.
    """
    at = _skip(text, at)
    if pointer == "" or text[at] not in "{[":
        yield pointer, at
    if text[at] == "{":
        yield from _members(text, at + 1, pointer, end)
    elif text[at] == "[":
        yield from _items(text, at + 1, pointer, end)
    elif text[at] == '"':
        end[0] = _string(text, at)[1]
    elif word := _WORD.match(text, at):
        end[0] = word.end()
    else:
        raise ValueError(at)


def _members(text: str, at: int, pointer: str, end: list[int]) -> Iterator[tuple[str, int]]:
    at = _skip(text, at)
    while text[at] != "}":
        key_at = at
        key, at = _string(text, at)
        at = _skip(text, at)
        if text[at] != ":":
            raise ValueError(at)
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        yield place, key_at
        yield from (each for each in _places(text, at + 1, place, end) if each[0] != place)
        at = _next(text, end[0], "}")
    end[0] = at + 1


def _items(text: str, at: int, pointer: str, end: list[int]) -> Iterator[tuple[str, int]]:
    at, number = _skip(text, at), 0
    while text[at] != "]":
        place = f"{pointer}/{number}"
        yield place, at
        yield from (each for each in _places(text, at, place, end) if each[0] != place)
        at, number = _next(text, end[0], "]"), number + 1
    end[0] = at + 1


def _next(text: str, at: int, closing: str) -> int:
    at = _skip(text, at)
    if text[at] == closing:
        return at
    if text[at] != ",":
        raise ValueError(at)
    return _skip(text, at + 1)


def _string(text: str, at: int) -> tuple[str, int]:
    found = _STRING.match(text, at)
    if found is None:
        raise ValueError(at)
    return str(json.loads(found[0])), found.end()


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at
