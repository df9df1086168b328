"""Every error of ours speaks for itself."""

from __future__ import annotations

import inspect

import pytest

from masthead.kernel import errors
from masthead.kernel.errors import MastheadError, OutsideFailure, Reason, ValidationFailed

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, MastheadError)]


def make(cls: type[MastheadError]) -> MastheadError:
    if cls is OutsideFailure:
        return OutsideFailure(reason=Reason.NETWORK)
    if cls is ValidationFailed:
        return ValidationFailed(("Application must have a non-empty name",))
    return cls()


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_without_words_says_its_docstring(cls):
    """So an error without a sentence is impossible."""
    assert len(make(cls).message) > 10


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_stands_in_the_tree(cls):
    """The module's docstring draws the whole tree."""
    assert cls.__name__ in (errors.__doc__ or "")
