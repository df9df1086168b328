"""A secret hides itself everywhere but in reveal()."""

from __future__ import annotations

import pickle

import pytest

from masthead.kernel.secret import Secret

KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "show", [str, repr, "{}".format, "%s".__mod__, lambda s: f"{s!r:>10}", lambda s: str([s])]
)
def test_no_way_of_printing_shows_it(show):
    """Not by str, repr, format or within a list."""
    assert KEY not in show(Secret(KEY))


def test_its_label_shows_four_characters_of_a_long_key_and_none_of_a_short_one():
    """Enough to recognise, too little to use."""
    assert Secret(KEY).label == "key …cdef"
    assert Secret("short").label == "key …"


def test_equal_values_are_equal_secrets():
    """It can be the key of a mapping."""
    assert {Secret(KEY): 1}[Secret(KEY)] == 1
    assert Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY


def test_it_is_not_pickled():
    """It must not leave the process in clear."""
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))
