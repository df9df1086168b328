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
#: Values that hold no other.
_PLAIN = frozenset({str, int, float, bool, type(None)})
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
        names = sorted(value, key=str) if len(value) > _WIDE else value
        return {name: each if type(each := value[name]) in _PLAIN else _ordered(each) for name in names}
    if isinstance(value, (list, tuple)):
        return [each if type(each) in _PLAIN else _ordered(each) for each in value]
    return value
