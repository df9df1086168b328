"""A page's own keys are found in what it says, be they few or many."""

from __future__ import annotations

import pytest

from masthead.kernel.secret import Secret
from masthead.paging.hiding import holds_key, without_keys_in


def keys(number: int) -> list[Secret]:
    return [Secret(f"{at:032x}") for at in range(1, number + 1)]


@pytest.mark.parametrize("number", [1, 16, 17, 500])
def test_a_key_is_found_and_shown_by_its_end(number):
    """The last one as well as the first; other words stay."""
    own = keys(number)
    text = f"for {own[-1].reveal()}, not {'f' * 32}"
    assert holds_key(own, ["", text])
    assert without_keys_in(text, own) == f"for {own[-1].label}, not {'f' * 32}"
    assert not holds_key(own, ["db down", "f" * 32])


def test_what_is_too_short_to_be_a_key_is_a_word():
    """A key that can be none is passed on beside others; it blots out nothing."""
    own = [Secret("down"), *keys(1)]
    assert not holds_key(own, ["db down"])
    assert without_keys_in(f"down {own[1].reveal()}", own) == "down key …0001"
