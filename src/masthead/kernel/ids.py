"""Ids: ULIDs, as Orca gives executions and stages (26 characters of Crockford's base 32, sortable by time).

Source: Spinnaker compatibility facts, section 4.3.
"""

from __future__ import annotations

from typing import Protocol

from ulid import ULID

__all__ = ["Ids", "SequentialIds", "UlidIds"]


class Ids(Protocol):
    """Where new ids come from."""

    def new(self) -> str:
        """Give an id that was never given before."""
        ...


class UlidIds:
    """Random ULIDs; those of one process made in one millisecond are in no particular order."""

    def new(self) -> str:
        """Give a new ULID."""
        return str(ULID())


class SequentialIds:
    """Ids for tests: well-formed ULIDs that count up from 1."""

    def __init__(self) -> None:
        self._count = 0

    def new(self) -> str:
        """Give the next id."""
        self._count += 1
        return str(ULID.from_int(self._count))
