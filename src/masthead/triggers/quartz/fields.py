"""One field of a cron line: its numbers and names, lists, ranges that wrap, and steps.

Source: Quartz 2.3.2, ``CronExpression``, and its tutorial, lesson 6. What Quartz reads past without an error, and then
takes for something else, is refused here: ``MON-FRI/2`` (the step), ``MONDAY-FRIDAY`` (the end), ``1W,15W`` (the second day).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from masthead.triggers.quartz.errors import BadCronLine

__all__ = [
    "DAY_OF_MONTH",
    "DAY_OF_WEEK",
    "FIRST_YEAR",
    "HOURS",
    "LAST_YEAR",
    "MINUTES",
    "MONTH",
    "SECONDS",
    "YEAR",
    "FieldKind",
]

FIRST_YEAR, LAST_YEAR = 1970, 2199
_ITEM = re.compile(
    r"(?:(?P<all>\*)|(?P<first>\d{1,9}|[A-Z]+)(?:-(?P<last>\d{1,9}|[A-Z]+))?)?(?:/(?P<step>\d{1,9}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class FieldKind:
    """One of the seven fields."""

    name: str
    least: int
    most: int
    names: Mapping[str, int] = field(default_factory=dict)
    #: Whether a range may begin late and end early, as ``22-2`` does in the hours.
    wraps: bool = True

    def values(self, text: str) -> frozenset[int]:
        """Read *text*, which is in capitals.

        Raises:
            BadCronLine: it is none of what may stand in this field.
        """
        items = [item for item in text.split(",") if item]
        if not items:
            raise self.wrong(text, f"write numbers from {self.least} to {self.most}, or *")
        return frozenset(value for item in items for value in self._item(item))

    def one(self, text: str) -> int:
        """Read a single number or name."""
        if text in self.names:
            return self.names[text]
        if not (text.isascii() and text.isdecimal()):
            names = f", or a name from {', '.join(self.names)}" if self.names else ""
            raise self.wrong(text, f"write numbers from {self.least} to {self.most}{names}")
        if not self.least <= int(text) <= self.most:
            raise self.wrong(text, f"its values are {self.least} to {self.most}")
        return int(text)

    def wrong(self, text: str, sentence: str) -> BadCronLine:
        """Give the error about *text* in this field."""
        return BadCronLine(f"the {self.name} cannot be '{text}': {sentence}")

    def _item(self, item: str) -> Iterator[int]:
        found = _ITEM.fullmatch(item)
        if found is None or not any(found.group("all", "first", "step")):
            raise self.wrong(item, "it is no number, name, range (a-b), step (a/n) or *")
        step = int(found["step"] or 0)
        if found["first"] is None:
            return iter(range(self.least, self.most + 1, self._step(item, step) or 1))
        if step and not found["first"].isdecimal():
            raise self.wrong(item, "a step needs numbers, as in 2-6/2")
        return self._from(item, found["first"], found["last"], step if found["step"] else None)

    def _from(self, item: str, given_first: str, given_last: str | None, step: int | None) -> Iterator[int]:
        first = self.one(given_first)
        if given_last is None:
            # Quartz: a step of 0 is none, and a number without a step is that number alone.
            return iter(range(first, self.most + 1, self._step(item, step)) if step else (first,))
        if given_first.isdecimal() != given_last.isdecimal():
            raise self.wrong(item, "both ends of a range are numbers, or both are names")
        last = self.one(given_last)
        if step == 0:
            return iter((first,))
        if last >= first:
            return iter(range(first, last + 1, step or 1))
        if not self.wraps:
            raise self.wrong(item, "the range must begin before it ends")
        span = self.most - self.least + 1
        numbers = range(first - self.least, last - self.least + span + 1, step or 1)
        return (number % span + self.least for number in numbers)

    def _step(self, item: str, step: int) -> int:
        longest = self.most if self.wraps else self.most - self.least
        if step > longest:
            raise self.wrong(item, f"a step is at most {longest}")
        return step


def _numbered(first: int, names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), first)}


SECONDS = FieldKind("seconds", 0, 59)
MINUTES = FieldKind("minutes", 0, 59)
HOURS = FieldKind("hours", 0, 23)
DAY_OF_MONTH = FieldKind("day of month", 1, 31)
MONTH = FieldKind("month", 1, 12, _numbered(1, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"))
#: 1 is Sunday, unlike in Unix.
DAY_OF_WEEK = FieldKind("day of week", 1, 7, _numbered(1, "SUN MON TUE WED THU FRI SAT"))
YEAR = FieldKind("year", FIRST_YEAR, LAST_YEAR, wraps=False)
