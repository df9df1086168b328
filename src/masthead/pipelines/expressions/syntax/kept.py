"""Keeping what was made of texts lately, within bounds of memory: many short ones, few long ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

__all__ = ["keep"]

_Made = TypeVar("_Made")
#: (Most characters, how many of them are kept). A parsed form takes about a hundred times the memory of its text.
_CLASSES = ((120, 4096), (1_000, 256), (4_000, 16))


def keep(make: Callable[[str, int], _Made]) -> Callable[[str, int], _Made]:
    """Give a function that does as *make*, and remembers; longer texts than the last class's are made anew each time."""
    kept = [(most, lru_cache(maxsize=count)(make)) for most, count in _CLASSES]

    def made(text: str, limit: int) -> _Made:
        for most, remembered in kept:
            if len(text) <= most:
                return remembered(text, limit)
        return make(text, limit)

    return made
