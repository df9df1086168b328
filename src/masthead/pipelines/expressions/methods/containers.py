"""The methods of Java's ``List``, ``Set`` and ``Map``: those that read. Those that change something are refused.

Source: Java's documentation, ``java.util.List``, ``java.util.Map``, ``java.util.Map.Entry``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add
from masthead.pipelines.expressions.values import Entry, Value, is_equal, java_text

__all__ = ["CHANGING", "ENTRY", "LIST", "MAP", "at"]

LIST: Methods = {}
MAP: Methods = {}
ENTRY: Methods = {}
#: Methods that would change the list or map.
CHANGING = frozenset(
    [
        "add",
        "addAll",
        "addFirst",
        "addLast",
        "clear",
        "compute",
        "computeIfAbsent",
        "computeIfPresent",
        "merge",
        "put",
        "putAll",
        "putIfAbsent",
        "remove",
        "removeAll",
        "removeFirst",
        "removeIf",
        "removeLast",
        "replaceAll",
        "retainAll",
        "set",
        "setValue",
        "sort",
    ]
)


def at(values: Sequence[Any], index: int) -> Value:
    """Give the item at *index*.

    Raises:
        ExpressionError: there is none.
    """
    if not 0 <= index < len(values):
        raise ExpressionError(f"The collection has '{len(values)}' elements, index '{index}' is invalid")
    return values[index]


def _find(running: Running, values: list[Any], wanted: Value) -> list[int]:
    return [place for place, each in enumerate(values) if is_equal(each, wanted, running.budget)]


@add(LIST, "size")
@add(MAP, "size")
def _size(_: Running, values: Any) -> int:
    return len(values)


@add(LIST, "isEmpty")
@add(MAP, "isEmpty")
def _is_empty(_: Running, values: Any) -> bool:
    return not len(values)


@add(LIST, "toString")
@add(MAP, "toString")
@add(ENTRY, "toString")
def _to_string(running: Running, values: Any) -> str:
    return java_text(values, running.budget)


@add(LIST, "equals", Kind.ANY)
@add(MAP, "equals", Kind.ANY)
@add(ENTRY, "equals", Kind.ANY)
def _equals(running: Running, values: Any, other: Value) -> bool:
    return is_equal(values, other, running.budget)


# -- lists ------------------------------------------------------------------------------------------


@add(LIST, "get", Kind.WHOLE)
@add(LIST, "elementAt", Kind.WHOLE)
def _get_at(_: Running, values: list[Any], index: int) -> Value:
    return at(values, index)


@add(LIST, "getFirst")
def _first(_: Running, values: list[Any]) -> Value:
    return at(values, 0)


@add(LIST, "getLast")
def _last(_: Running, values: list[Any]) -> Value:
    return at(values, len(values) - 1)


@add(LIST, "contains", Kind.ANY)
def _contains(running: Running, values: list[Any], wanted: Value) -> bool:
    return any(is_equal(each, wanted, running.budget) for each in values)


@add(LIST, "containsAll", Kind.LIST)
def _contains_all(running: Running, values: list[Any], wanted: list[Any]) -> bool:
    return all(_contains(running, values, each) for each in wanted)


@add(LIST, "indexOf", Kind.ANY)
def _index_of(running: Running, values: list[Any], wanted: Value) -> int:
    return next(iter(_find(running, values, wanted)), -1)


@add(LIST, "lastIndexOf", Kind.ANY)
def _last_index_of(running: Running, values: list[Any], wanted: Value) -> int:
    return max(_find(running, values, wanted), default=-1)


@add(LIST, "subList", Kind.WHOLE, Kind.WHOLE)
def _sub_list(running: Running, values: list[Any], begin: int, end: int) -> list[Any]:
    if not 0 <= begin <= end <= len(values):
        raise ExpressionError(f"fromIndex: {begin}, toIndex: {end}, size: {len(values)}")
    running.budget.items(end - begin)
    return values[begin:end]


@add(LIST, "reversed")
def _reversed(running: Running, values: list[Any]) -> list[Any]:
    running.budget.items(len(values))
    return values[::-1]


@add(LIST, "toArray")
def _to_array(_: Running, values: list[Any]) -> list[Any]:
    return values


# -- maps -------------------------------------------------------------------------------------------


@add(MAP, "get", Kind.ANY)
def _get(_: Running, values: Mapping[str, Any], key: Value) -> Value:
    return values.get(key) if isinstance(key, str) else None


@add(MAP, "getOrDefault", Kind.ANY, Kind.ANY)
def _get_or(_: Running, values: Mapping[str, Any], key: Value, default: Value) -> Value:
    return values.get(key, default) if isinstance(key, str) else default


@add(MAP, "containsKey", Kind.ANY)
def _contains_key(_: Running, values: Mapping[str, Any], key: Value) -> bool:
    return isinstance(key, str) and key in values


@add(MAP, "containsValue", Kind.ANY)
def _contains_value(running: Running, values: Mapping[str, Any], wanted: Value) -> bool:
    return any(is_equal(each, wanted, running.budget) for each in values.values())


@add(MAP, "keySet")
def _keys(running: Running, values: Mapping[str, Any]) -> list[str]:
    running.budget.items(len(values))
    return list(values)


@add(MAP, "values")
def _values(running: Running, values: Mapping[str, Any]) -> list[Any]:
    running.budget.items(len(values))
    return list(values.values())


@add(MAP, "entrySet")
def _entries(running: Running, values: Mapping[str, Any]) -> list[Entry]:
    running.budget.items(len(values))
    return [Entry(key, value) for key, value in values.items()]


@add(ENTRY, "getKey")
def _key(_: Running, entry: Entry) -> str:
    return entry.key


@add(ENTRY, "getValue")
def _value(_: Running, entry: Entry) -> Value:
    return entry.value
