"""Searching applications by their attributes."""

from __future__ import annotations

from masthead.applications.search import search

DOCUMENTS = [
    {"name": "ADEMO", "email": "a@x"},
    {"name": "DEMO", "email": "b@x", "count": 7, "tags": ["blue"]},
    {"name": "DEMONSTRATION", "email": "c@y", "slug": None},
]


def found(**filters: str) -> list[str]:
    return [document["name"] for document in search(DOCUMENTS, filters)]


def test_matches_contain_the_text_in_any_case_best_first():
    """The fuller and the earlier match stands first."""
    assert found(name="demo") == ["DEMO", "ADEMO", "DEMONSTRATION"]


def test_every_filter_must_match():
    """Filters narrow each other."""
    assert found(name="demo", email="@x") == ["DEMO", "ADEMO"]
    assert found(name="demo", email="@z") == []


def test_other_types_are_searched_as_their_json():
    """Numbers and lists are texts; null and absent contain nothing."""
    assert found(count="7") == ["DEMO"]
    assert found(tags="blue") == ["DEMO"]
    assert found(slug="n") == []


def test_an_empty_text_asks_nothing():
    """An empty filter keeps all, in their order."""
    assert found(name="") == ["ADEMO", "DEMO", "DEMONSTRATION"]


def test_equal_matches_keep_their_order():
    """Sorting by name survives where the match is equally good."""
    assert [d["name"] for d in search(DOCUMENTS[:2], {"email": "@x"})] == ["ADEMO", "DEMO"]
