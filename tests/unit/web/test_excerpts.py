"""What pages show of documents of megabytes: the beginning, and that there is more."""

from __future__ import annotations

import json

import pytest

from masthead.web.excerpts import MOST_FACTS, first_facts, json_excerpt


@pytest.mark.parametrize("value", [{"b": [1, None, "é"], "a": {"c": 2.5}}, [], "text", 5, None])
@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_short_is_shown_whole(value, indent):
    """Keys in order, as everywhere."""
    assert str(json_excerpt(value, indent)) == json.dumps(value, indent=indent, sort_keys=True)


def test_nothing_of_it_means_anything_to_html():
    """In keys and values; it is the same JSON."""
    given = {"<b>": "'</script>&amp;"}
    shown = str(json_excerpt(given))
    assert not set(shown) & set("<>&'")
    assert json.loads(shown) == given


@pytest.mark.parametrize(
    "value", [{f"k{n}": n for n in range(300_000)}, "x" * 5_000_000, [["a" * 100] * 1000] * 50]
)
def test_what_is_long_is_cut_and_says_so(value):
    """Whatever makes it long."""
    shown = str(json_excerpt(value, 2))
    assert shown.endswith("cut here: the rest is longer than anybody reads")
    assert len(shown) < 51_000


def test_the_first_of_many_names_are_listed():
    """In their order."""
    given = {f"k{n}": n for n in range(1000)}
    assert first_facts(given) == list(given.items())[:MOST_FACTS]
