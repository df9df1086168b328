"""JSONPath as pipelines use it: Jayway's rules on the python-jsonpath library, within bounds.

What Jayway does and RFC 9535 does not: a path may begin without ``$``; a definite path that leads nowhere is an error while
an indefinite one (``..``, ``*``, filters, slices, several names) gives a list, also an empty one; functions may end a path.
Not here: ``nin``, ``subsetof``, ``anyof``, ``noneof``, ``size`` and ``empty`` in filters, ``[(@.length-1)]``, ``.stddev()``,
``.concat()`` and ``.append()``: such a path does not parse. The library's own extensions ``|`` and ``&`` do not parse either.

Source: https://github.com/json-path/JsonPath, README ("Operators", "Functions", "Filters", "What is returned when?").
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import jsonpath
import regex
from jsonpath.exceptions import JSONPathError

from masthead.kernel.errors import InvalidRequest

__all__ = ["JsonPath", "JsonPathInvalid", "PathNotFound", "parse_json_path"]

_LONGEST = 1000
#: Places that one reading may look at: far more than a status needs, less than half a second.
_MOST_STEPS = 20_000
_PATTERN_TIMEOUT_S = 0.1
_KEPT = 500
_FUNCTION = re.compile(r"\.(\w+)\(\s*(-?\d*)\s*\)\s*$")
#: Names that the library takes in brackets only.
_BARE = re.compile(r"\.([0-9$][\w$-]*)(?=[.\[]|$)")


class JsonPathInvalid(InvalidRequest):
    """The JSONPath does not parse."""


class PathNotFound(InvalidRequest):
    """The JSONPath leads nowhere in this document, or cannot be read within the bounds."""


class JsonPath:
    """A path that parsed."""

    def __init__(self, text: str, path: jsonpath.JSONPath, function: Callable[[Any], Any] | None) -> None:
        self.text = text
        self._path = path
        self._function = function
        #: Whether it leads to one place at most, which takes no time.
        self.is_definite = path.singular_query()

    def read(self, document: Any) -> Any:
        """Give what the path leads to in *document*: a value, or for an indefinite path the list of all values.

        Raises:
            PathNotFound: nothing is there, it is not what the path's function takes, or it would take too long.
        """
        token = _steps_left.set([_MOST_STEPS])
        try:
            found = self._found(document)
        except (JSONPathError, TimeoutError, RecursionError) as error:
            raise PathNotFound(
                f"The JSON path '{self.text}' cannot be read here within its bounds"
            ) from error
        finally:
            _steps_left.reset(token)
        if self.is_definite and not found:
            raise self._missing()
        value = found[0] if self.is_definite else found
        return value if self._function is None else self._applied(value)

    def _found(self, document: Any) -> list[Any]:
        if not isinstance(document, dict | list):
            return [] if self._path.segments else [document]
        if self.is_definite:
            return self._path.findall(document)
        return [_plain(each) for each in self._path.findall(_counted(document))]

    def _applied(self, value: Any) -> Any:
        assert self._function is not None
        try:
            return self._function(value)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
            raise self._missing() from error

    def _missing(self) -> PathNotFound:
        return PathNotFound(f"No results for path: {self.text}")


@functools.lru_cache(maxsize=_KEPT)
def parse_json_path(text: str) -> JsonPath:
    """Read a path.

    Raises:
        JsonPathInvalid: it does not parse; the message says where.
    """
    text = text.strip()
    if not text:
        raise JsonPathInvalid("The JSON path is empty.")
    if len(text) > _LONGEST:
        raise JsonPathInvalid(f"The JSON path is longer than {_LONGEST} characters.")
    bare, function = _split_function(text)
    try:
        path = _environment.compile(_normal(bare))
    except (JSONPathError, RecursionError, re.error) as error:
        reason = str(error).partition("\n")[0].partition(", line")[0]
        raise JsonPathInvalid(f"The JSON path '{text}' cannot be read: {reason}") from error
    if not isinstance(path, jsonpath.JSONPath):
        raise JsonPathInvalid(f"The JSON path '{text}' cannot be read: | and & are not part of it")
    return JsonPath(text, path, function)


def _split_function(text: str) -> tuple[str, Callable[[Any], Any] | None]:
    found = _FUNCTION.search(text)
    if found is None:
        return text, None
    name, argument = found[1], found[2]
    if name == "index" and argument:
        place = int(argument)
        return text[: found.start()], lambda values: values[place]
    if name not in _FUNCTIONS or argument:
        raise JsonPathInvalid(
            f"The JSON path '{text}' cannot be read: there is no function {name}({argument})"
        )
    return text[: found.start()] or "$", _FUNCTIONS[name]


def _normal(text: str) -> str:
    if text.startswith("@"):
        text = f"${text[1:]}"
    elif not text.startswith("$"):
        text = f"${text}" if text.startswith("[") else f"$.{text}"
    if "?" in text or "'" in text or '"' in text:
        return text
    return _BARE.sub(r"['\1']", text.replace(".[", "["))


def _numbers(values: Any) -> list[float]:
    found = [each for each in values if isinstance(each, int | float) and not isinstance(each, bool)]
    if not found:
        raise ValueError("no numbers")
    return found


def _length(value: Any) -> int:
    if isinstance(value, list | dict | str):
        return len(value)
    raise TypeError("no length")


_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "length": _length,
    "size": _length,
    "min": lambda values: min(_numbers(values)),
    "max": lambda values: max(_numbers(values)),
    "sum": lambda values: sum(_numbers(values)),
    "avg": lambda values: sum(_numbers(values)) / len(_numbers(values)),
    "keys": lambda value: list(value.keys()),
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}

_steps_left: ContextVar[list[int]] = ContextVar("steps_left")


def _spend(steps: int = 1) -> None:
    left = _steps_left.get()
    left[0] -= steps
    if left[0] < 0:
        raise TimeoutError


class _CountedDict(dict[str, Any]):
    """An object of the document whose members cost a step each when they are walked through."""

    def items(self) -> Any:
        for pair in super().items():
            _spend()
            yield pair


class _CountedList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        for each in super().__iter__():
            _spend()
            yield each


def _counted(value: Any) -> Any:
    if isinstance(value, dict):
        return _CountedDict({key: _counted(each) for key, each in value.items()})
    return _CountedList([_counted(each) for each in value]) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Give *value* as it stood in the document."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in dict.items(value)}
    return [_plain(each) for each in list.__iter__(value)] if isinstance(value, list) else value


class _Environment(jsonpath.JSONPathEnvironment):
    def compare(self, left: object, operator: str, right: object) -> bool:
        _spend(1 + sum(len(side) for side in (left, right) if isinstance(side, list | dict)))
        if operator == "=~" and isinstance(right, re.Pattern) and isinstance(left, str):
            return _matches(right.pattern, left, right.flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL))
        return super().compare(left, operator, right)

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        for name in ("match", "search"):  # their patterns could come from the document
            del self.function_extensions[name]


def _matches(pattern: str, text: str, flags: int) -> bool:
    try:
        return regex.compile(pattern, flags).fullmatch(text, timeout=_PATTERN_TIMEOUT_S) is not None
    except regex.error:
        return False


_environment = _Environment()
