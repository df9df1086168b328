"""``java.text.SimpleDateFormat``: writing and reading dates by a pattern, in English and UTC.

Source: Java's documentation, ``java.text.SimpleDateFormat``, "Date and Time Patterns".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from masthead.pipelines.expressions.errors import ExpressionError, shown
from masthead.pipelines.expressions.methods.dates import DAYS, MONTHS, JavaDate, Moment
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add
from masthead.pipelines.expressions.values import JavaValue

__all__ = ["DATE_FORMAT", "DateFormat", "date_format_statics"]

DATE_FORMAT: Methods = {}
_LENGTH_LIMIT = 200
_PIECE = re.compile(r"''|'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z']+)")
_FULL = 4

#: Letter → the number it writes. Source: as the module.
_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "d": lambda at: at.day,
    "D": lambda at: at.timetuple().tm_yday,
    "H": lambda at: at.hour,
    "k": lambda at: at.hour or 24,
    "K": lambda at: at.hour % 12,
    "h": lambda at: at.hour % 12 or 12,
    "m": lambda at: at.minute,
    "s": lambda at: at.second,
    "S": lambda at: at.microsecond // 1000,
    "u": lambda at: at.isoweekday(),
    "w": lambda at: at.isocalendar().week,
    "F": lambda at: (at.day - 1) // 7 + 1,
}
_READ = {
    "d": "day",
    "H": "hour",
    "k": "hour",
    "K": "hour",
    "h": "hour",
    "m": "minute",
    "s": "second",
    "S": "ms",
}


class DateFormat(JavaValue):
    """``java.text.SimpleDateFormat``."""

    __slots__ = ("_pieces", "pattern")

    java = "java.text.SimpleDateFormat"

    def __init__(self, pattern: str) -> None:
        """Raises ExpressionError for a pattern that is none."""
        if len(pattern) > _LENGTH_LIMIT:
            raise ExpressionError(f"The date pattern has more than {_LENGTH_LIMIT} characters.")
        self.pattern = pattern
        self._pieces = tuple(_cut(pattern))

    def text(self) -> str:
        """Give its class."""
        return self.java

    def format(self, at: datetime) -> str:
        """Write a date."""
        return "".join(_written(letters, at) if letters else text for letters, text in self._pieces)

    def parse(self, text: str) -> datetime:
        """Read what ``format`` writes.

        Raises:
            ExpressionError: *text* does not begin with such a date.
        """
        pattern = "".join(
            _reader(letters) if letters else re.escape(plain) for letters, plain in self._pieces
        )
        found = re.compile(pattern).match(text[:_LENGTH_LIMIT])
        if found is None:
            raise ExpressionError(f'Unparseable date: "{shown(text)}"')
        letters = [letters for letters, _ in self._pieces if letters]
        try:
            return _read(list(zip(letters, found.groups(), strict=True)))
        except (ValueError, OverflowError) as error:
            raise ExpressionError(f'Unparseable date: "{shown(text)}"') from error


def _cut(pattern: str) -> list[tuple[str, str]]:
    """Cut *pattern* into (letters, "") and ("", text)."""
    pieces: list[tuple[str, str]] = []
    at = 0
    while at < len(pattern):
        found = _PIECE.match(pattern, at)
        if found is None:
            raise ExpressionError("Unterminated quote in the date pattern")
        if found[2] and found[3] not in _NUMBERS and found[3] not in "GyYMLEazZX":
            raise ExpressionError(f"Illegal pattern character '{found[3]}'")
        plain = "'" if found[0] == "''" else (found[1] or found[4] or "").replace("''", "'")
        pieces.append((found[2] or "", plain))
        at = found.end()
    return pieces


def _written(letters: str, at: datetime) -> str:
    letter, count = letters[0], len(letters)
    if letter in _NUMBERS:
        return f"{_NUMBERS[letter](at):0{count}d}"
    if letter in "yY":
        return f"{at.year % 100:02d}" if count == 2 else f"{at.year:0{count}d}"
    if letter in "ML":
        name = MONTHS[at.month - 1]
        return f"{at.month:0{count}d}" if count < 3 else name if count >= _FULL else name[:3]
    if letter == "E":
        name = tuple(DAYS)[at.weekday()].title()
        return name if count >= _FULL else name[:3]
    if letter == "z" and count >= _FULL:
        return "Coordinated Universal Time"
    return {"G": "AD", "a": "AM" if at.hour < 12 else "PM", "z": "UTC", "Z": "+0000", "X": "Z"}[letter]


def _reader(letters: str) -> str:
    letter, count = letters[0], len(letters)
    if letter in "yY" or letter in _NUMBERS or (letter in "ML" and count < 3):
        return rf"(\d{{{count}}})" if count > 1 else r"(\d{1,9})"
    if letter in "ZX":
        return r"(Z|[+-]\d{2}(?::?\d{2})?)"
    return r"([A-Za-z]{1,32})"


def _read(fields: list[tuple[str, str]]) -> datetime:
    parts = {"year": 1970, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "ms": 0}
    zone = "+0000"
    is_afternoon: bool | None = None
    for letters, text in fields:
        letter = letters[0]
        if letter in _READ:
            parts[_READ[letter]] = int(text)
        elif letter in "yY":
            parts["year"] = int(text) + (2000 if len(letters) == 2 else 0)
        elif letter in "ML":
            parts["month"] = int(text) if text.isdecimal() else _month(text)
        elif letter == "a":
            is_afternoon = text.lower() == "pm"
        elif letter in "ZX":
            zone = "+0000" if text == "Z" else text
    if is_afternoon is not None:
        parts["hour"] = parts["hour"] % 12 + 12 * is_afternoon
    parts["hour"] %= 24
    at = datetime(**{key: part for key, part in parts.items() if key != "ms"}, tzinfo=UTC)
    return at + timedelta(milliseconds=parts["ms"]) - _offset(zone)


def _offset(zone: str) -> timedelta:
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone.startswith("-") else offset


def _month(text: str) -> int:
    return next(
        place
        for place, name in enumerate((*MONTHS, ""), start=1)
        if name.lower().startswith(text[:3].lower())
    )


def date_format_statics() -> Methods:
    """Give the constructor of ``SimpleDateFormat``."""
    table: Methods = {}
    add(table, "new", Kind.TEXT)(lambda _, pattern: DateFormat(pattern))
    return table


add(DATE_FORMAT, "format", Moment)(lambda _, form, moment: form.format(moment.at))
add(DATE_FORMAT, "format", Kind.WHOLE)(lambda _, form, ms: form.format(_from_ms(ms)))
add(DATE_FORMAT, "parse", Kind.TEXT)(lambda _, form, text: JavaDate(form.parse(text)))
add(DATE_FORMAT, "toPattern")(lambda _, form: form.pattern)


def _from_ms(ms: int) -> datetime:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ExpressionError("There is no such date between the years 1 and 9999.") from error
