"""JSON with its keys in order, in a time that grows with the document."""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from masthead.api.sorting import in_order, sorted_json

#: The first key out of its place, which a quicksort takes longest for.
WIDE = {"zone": 1, "email": 2, **{f"key{n:04}": n for n in range(3000)}}


@pytest.mark.parametrize(
    "document",
    [
        {"b": 1, "a": [{"d": 1, "c": 2}]},
        WIDE,
        [{"x": {"y": WIDE}}, (WIDE, 1)],
        dict(list(WIDE.items())[:9]),
        5,
        None,
    ],
)
def test_keys_are_in_order_at_every_depth(document):
    """What it says is the same, also of a document of many keys."""
    given = sorted_json(document)
    assert given == msgspec.json.Encoder(order="sorted").encode(document)
    assert json.loads(given) == json.loads(json.dumps(document))


def test_what_is_wide_is_in_order_before_it_is_written():
    """Two hundred thousand keys took half a minute, in which nobody else was answered."""
    keys = list(WIDE)
    random.Random(1).shuffle(keys)
    ordered = in_order({"b": [{"z": dict.fromkeys(keys)}], "a": 1})
    assert list(ordered["b"][0]["z"]) == sorted(keys)
    assert list(ordered) == ["b", "a"]
    narrow = {"b": [1], "a": {"c": 2}}
    assert in_order(narrow) is narrow
