"""Values that know where they were written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Mapped", "Problems", "Source", "Value", "fold"]


@dataclass(frozen=True, order=True)
class Source:
    """A file and a line, or a variable of the environment (line 0)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Value:
    """A scalar or list and its place."""

    value: Any
    source: Source
    #: Whether it is a block scalar (``|``), quoted or plain: folding can only have harmed a plain one.
    style: str = ""


@dataclass
class Mapped:
    """A mapping and its place; keys as written."""

    source: Source
    items: dict[str, Value | Mapped] = field(default_factory=dict)
    key_sources: dict[str, Source] = field(default_factory=dict)

    def get(self, *path: str) -> Value | Mapped | None:
        """Follow *path*, whatever the spelling of its keys; None when it leads nowhere."""
        here: Value | Mapped | None = self
        for step in path:
            if not isinstance(here, Mapped):
                return None
            here = next((item for key, item in here.items.items() if fold(key) == fold(step)), None)
        return here

    def __iter__(self) -> Iterator[tuple[str, Value | Mapped]]:
        return iter(self.items.items())


class Problems:
    """Everything that is wrong, collected, so that an administrator corrects it in one go."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def error(self, source: Source | str, text: str) -> None:
        """Note what makes the configuration unusable."""
        self.errors.append(f"{source}: {text}")

    def warn(self, source: Source | str, text: str) -> None:
        """Note what is probably not meant."""
        self.warnings.append(f"{source}: {text}")


def fold(key: str) -> str:
    """Make spellings equal: ``pager-duty``, ``pagerDuty`` and ``pager_duty`` are one key (compat 1.12)."""
    return key.replace("-", "").replace("_", "").casefold()
