"""Values that know where they were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PLACEHOLDER", "Mapped", "Problems", "Source", "Value", "fold", "placeholder_message"]

#: What the seed's examples write for a token.
PLACEHOLDER = "***"
#: From so many lines on, one error stands for all of them.
_MANY = 4


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
    #: How YAML has it: ``|``, ``>``, a quote, or nothing for plain; only ``|`` keeps lines apart.
    style: str = ""
    #: As written, before YAML took it for a number: ``0012345`` is no number to who means a token.
    text: str = ""
    #: The same with its lines, quotes and indentation, as it stands in the file.
    raw: str = field(default="", repr=False)
    #: Whether its error was told already.
    is_reported: bool = False
    #: A tag that is none of YAML's own, such as ``!vault``.
    tag: str = ""
    #: Whether it stood in a script, where ``${…}`` means nothing.
    is_script: bool = False
    #: Of a list: what it holds, mappings too.
    parts: list[Value | Mapped] = field(default_factory=list, repr=False)


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

    def place(self, key: str) -> Source:
        """Give the line of *key* itself."""
        return self.key_sources.get(key, self.source)

    def __iter__(self) -> Iterator[tuple[str, Value | Mapped]]:
        return iter(self.items.items())


class Problems:
    """Everything that is wrong, collected, so that an administrator corrects it in one go."""

    def __init__(self) -> None:
        self._errors: list[tuple[Source, str]] = []
        self.warnings: list[str] = []

    def error(self, source: Source | str, text: str) -> None:
        """Note what makes the configuration unusable."""
        self._errors.append((source if isinstance(source, Source) else Source(source), text))

    def warn(self, source: Source | str, text: str) -> None:
        """Note what is probably not meant."""
        self.warnings.append(f"{source}: {text}")

    @property
    def errors(self) -> list[str]:
        """Give the errors as they were found."""
        return [f"{source}: {text}" for source, text in self._errors]

    def errors_in_order(self, files: Sequence[str]) -> list[str]:
        """Give each error once, by the order of *files* and their lines; the environment's come last.

        What is wrong in the same way with many lines of a file is told at the first, with the others' numbers.
        """
        rank = {file: number for number, file in reversed(list(enumerate(files)))}
        ordered = sorted(self._errors, key=lambda one: (rank.get(one[0].file, len(files)), one[0].line))
        alike: dict[tuple[str, str], list[int]] = {}
        for source, text in dict.fromkeys(ordered):
            alike.setdefault((source.file, text), []).append(source.line)
        told: dict[str, None] = {}
        for source, text in ordered:
            lines = alike[source.file, text]
            if len(lines) < _MANY:
                told[f"{source}: {text}"] = None
            elif source.line == lines[0]:
                told[f"{source}: {text} (the same in lines {_ranges(lines[1:])})"] = None
        return list(told)


def _ranges(numbers: Sequence[int]) -> str:
    """Write *numbers*, which rise, as ``4 to 7, 9``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def placeholder_message(key: str) -> str:
    """Give the sentence about ``***``, which YAML takes for an alias."""
    return f"{key}: *** is a placeholder: put the real token in its place, in quotes"


def fold(key: str) -> str:
    """Make spellings equal: ``pager-duty``, ``pagerDuty`` and ``pager_duty`` are one key (compat 1.12)."""
    return key.replace("-", "").replace("_", "").casefold()
