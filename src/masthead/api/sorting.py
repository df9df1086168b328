"""JSON with the keys of every object in alphabetical order, however many keys an object has.

msgspec sorts them with a quicksort that takes quadratic time when the first of an object's many keys is out of its place and
the others are not: seconds for twenty thousand keys, half a minute for two hundred thousand. What is sorted already it
passes through, so that such objects are brought into order before.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["in_order", "sorted_json"]

_plain = msgspec.json.Encoder()
_sorted = msgspec.json.Encoder(order="sorted")
#: Keys of an object that msgspec sorts in less than a millisecond in whatever order they are.
_WIDE = 500
#: Bytes of a document in which no object has so many keys that it matters.
_SHORT = 16_000


def sorted_json(document: Any) -> bytes:
    """Give *document*, anything that JSON has a word for, as JSON with its keys in order."""
    is_short = len(_plain.encode(document)) <= _SHORT
    return _sorted.encode(document if is_short else in_order(document))


def in_order(document: Any) -> Any:
    """Give *document* itself, or one that is equal to it with the keys of its wide objects in order."""
    return _ordered(document) if _has_wide(document) else document


def _has_wide(document: Any) -> bool:
    left = [document]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if len(one) > _WIDE:
                return True
            left.extend(one.values())
        elif isinstance(one, (list, tuple)):
            left.extend(one)
    return False


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        items = sorted(value.items(), key=_name) if len(value) > _WIDE else value.items()
        return {key: _ordered(each) for key, each in items}
    return [_ordered(each) for each in value] if isinstance(value, (list, tuple)) else value


def _name(item: tuple[Any, Any]) -> str:
    return str(item[0])
