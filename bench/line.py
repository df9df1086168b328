"""What a measure gives: figures, each with the limit that it must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Absent", "Line", "at_least", "at_most", "figure"]


class Absent(Exception):
    """A program that a measure needs is not installed; the message names it."""


@dataclass(frozen=True)
class Line:
    """One measured figure."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    holds: bool | None = None
    #: "at most" or "at least"; empty without a limit.
    bound: str = ""

    def document(self) -> dict[str, Any]:
        """Give the entry of results.json."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "holds": self.holds,
        }

    def row(self) -> str:
        """Give the row of the printed table."""
        verdict = {True: "holds", False: "MISSED", None: ""}[self.holds]
        limit = "" if self.limit is None else f"{self.bound} {self.limit:g} {self.unit}"
        return f"{self.name:66} {self.value:10.3f} {self.unit:8} {limit:20} {verdict}".rstrip()


def figure(name: str, value: float, unit: str) -> Line:
    """Give a figure that nothing is asked of; it explains another."""
    return Line(name, round(value, 3), unit)


def at_most(limit: float, name: str, value: float, unit: str) -> Line:
    """Give a figure that may not be above *limit*."""
    return Line(name, round(value, 3), unit, limit, value <= limit, "at most")


def at_least(limit: float, name: str, value: float, unit: str) -> Line:
    """Give a figure that may not be below *limit*."""
    return Line(name, round(value, 3), unit, limit, value >= limit, "at least")
