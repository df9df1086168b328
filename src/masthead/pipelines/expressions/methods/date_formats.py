"""``java.text.SimpleDateFormat``: writing and reading dates by a pattern, in English and UTC.

Reading is as lenient as Java's: a number may have more or fewer digits than its letters say, and the thirteenth month is
next January. Weeks begin on Sunday, and the first one of a year is that of 1 January.

Source: Java's documentation, ``java.text.SimpleDateFormat``, "Date and Time Patterns"; ``java.util.Calendar``, "Leniency".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from masthead.pipelines.expressions.errors import ExpressionError, shown
from masthead.pipelines.expressions.methods.dates import DAYS, MONTHS, JavaDate, Moment
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add
from masthead.pipelines.expressions.values import JavaValue

__all__ = ["DATE_FORMAT", "DateFormat", "date_format_statics"]

DATE_FORMAT: Methods = {}
_LENGTH_LIMIT = 200
_PIECE = re.compile(r"''|'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z']+)")
_FULL = 4
#: Most digits of a number that is read.
_DIGITS = 9
#: How many years before the present a year of two digits may lie.
_YEARS_BACK = 80

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
    "w": lambda at: _week(at)[1],
    "W": lambda at: (at.day + at.replace(day=1).isoweekday() % 7 - 1) // 7 + 1,
    "F": lambda at: (at.day - 1) // 7 + 1,
}
_DAY_NAMES = [name.title() for name in DAYS]
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d{2}))?")
_UTC_NAMES = ("Coordinated Universal Time", "UTC", "GMT", "Z")


class DateFormat(JavaValue):
    """``java.text.SimpleDateFormat``."""

    __slots__ = ("_now", "_pieces", "pattern")

    java = "java.text.SimpleDateFormat"

    def __init__(self, pattern: str, now: datetime) -> None:
        """Raises ExpressionError for a pattern that is none.

        Args:
            pattern: How dates are written.
            now: The present, by which years of two digits are understood.
        """
        if len(pattern) > _LENGTH_LIMIT:
            raise ExpressionError(f"The date pattern has more than {_LENGTH_LIMIT} characters.")
        self.pattern = pattern
        self._now = now
        self._pieces = tuple(_cut(pattern))

    def text(self) -> str:
        """Give its class."""
        return self.java

    def format(self, at: datetime) -> str:
        """Write a date."""
        return "".join(_written(letters, at) if letters else text for letters, text in self._pieces)

    def parse(self, text: str) -> datetime:
        """Read what ``format`` writes; what follows it is passed over.

        Raises:
            ExpressionError: *text* does not begin with such a date.
        """
        reader = _Reader(text[:_LENGTH_LIMIT], self._now)
        following = [letters for letters, _ in self._pieces[1:]] + [""]
        try:
            for (letters, plain), after in zip(self._pieces, following, strict=True):
                if letters:
                    reader.field(letters, is_followed_by_digits=_is_number(after))
                else:
                    reader.plain(plain)
            return reader.date()
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


def _is_number(letters: str) -> bool:
    """Tell whether *letters* of a pattern stand for a number."""
    letter = letters[:1]
    return letter in _NUMBERS or letter in ("y", "Y") or (letter in ("M", "L") and len(letters) < 3)


def _week(at: datetime) -> tuple[int, int]:
    """Give the year that the week of *at* belongs to, and the number of the week in it."""
    sunday = at.date() - timedelta(days=at.isoweekday() % 7)
    year = (sunday + timedelta(days=6)).year
    first = date(year, 1, 1)
    return year, ((sunday - first).days + first.isoweekday() % 7) // 7 + 1


def _written(letters: str, at: datetime) -> str:
    letter, count = letters[0], len(letters)
    if letter in _NUMBERS:
        return f"{_NUMBERS[letter](at):0{count}d}"
    if letter in "yY":
        year = at.year if letter == "y" else _week(at)[0]
        return f"{year % 100:02d}" if count == 2 else f"{year:0{count}d}"
    if letter in "ML":
        name = MONTHS[at.month - 1]
        return f"{at.month:0{count}d}" if count < 3 else name if count >= _FULL else name[:3]
    if letter == "E":
        name = _DAY_NAMES[at.weekday()]
        return name if count >= _FULL else name[:3]
    if letter == "z" and count >= _FULL:
        return "Coordinated Universal Time"
    return {"G": "AD", "a": "AM" if at.hour < 12 else "PM", "z": "UTC", "Z": "+0000", "X": "Z"}[letter]


# -- reading ----------------------------------------------------------------------------------------


class _Reader:
    """A text that is read from left to right, once; what it cannot read raises ValueError."""

    def __init__(self, text: str, now: datetime) -> None:
        self._text = text
        self._now = now
        self._at = 0
        self._offset = timedelta()
        #: Letter → the number read for it.
        self._read: dict[str, int] = {}

    def plain(self, text: str) -> None:
        """Step over what stands in the pattern as it is."""
        if not self._text.startswith(text, self._at):
            raise ValueError(text)
        self._at += len(text)

    def field(self, letters: str, *, is_followed_by_digits: bool) -> None:
        """Read one field.

        Args:
            letters: Of the pattern.
            is_followed_by_digits: So that it ends after as many digits as it has letters.
        """
        while self._text[self._at : self._at + 1] in (" ", "\t"):
            self._at += 1
        letter = letters[0]
        if _is_number(letters):
            digits = self._digits(len(letters) if is_followed_by_digits else None)
            self._read[{"Y": "y", "L": "M"}.get(letter, letter)] = (
                self._year(digits) if letter in "yY" and len(letters) <= 2 else int(digits)
            )
        elif letter in "ML":
            self._read["M"] = self._name(MONTHS) + 1
        elif letter == "E":
            self._name(_DAY_NAMES)
        elif letter == "a":
            self._read["a"] = self._word(("AM", "PM"))
        elif letter == "G":
            self._word(("AD",))
        else:
            self._zone()

    def date(self) -> datetime:
        """Give what was read; what was not is that of 1 January 1970."""
        read = self._read
        years, month = divmod(read.get("M", 1) - 1, 12)
        first = datetime(read.get("y", 1970) + years, month + 1, 1, tzinfo=UTC)
        day = read.get("d", 1)
        if "D" in read and "d" not in read and "M" not in read:
            day = read["D"]
        return (
            first
            - self._offset
            + timedelta(
                days=day - 1,
                hours=self._hour(),
                minutes=read.get("m", 0),
                seconds=read.get("s", 0),
                milliseconds=read.get("S", 0),
            )
        )

    def _hour(self) -> int:
        read = self._read
        for letter, most in (("H", None), ("k", 24)):
            if letter in read:
                return 0 if read[letter] == most else read[letter]
        hour = read.get("h", read.get("K", 0))
        return (0 if hour == 12 and "h" in read else hour) + 12 * read.get("a", 0)

    def _digits(self, count: int | None) -> str:
        end = self._at
        while end < len(self._text) and self._text[end] in "0123456789" and end - self._at != count:
            end += 1
        digits = self._text[self._at : end]
        if not 0 < len(digits) <= _DIGITS:
            raise ValueError(digits)
        self._at = end
        return digits

    def _year(self, digits: str) -> int:
        if len(digits) != 2:
            return int(digits)
        first = self._now.year - _YEARS_BACK
        return first + (int(digits) - first) % 100

    def _name(self, names: Sequence[str]) -> int:
        """Read a name, in full or its first three letters, and give its place among *names*."""
        try:
            return self._word(names)
        except ValueError:
            return self._word([name[:3] for name in names])

    def _word(self, words: Sequence[str]) -> int:
        rest = self._text[self._at :].lower()
        for place, word in enumerate(words):
            if rest.startswith(word.lower()):
                self._at += len(word)
                return place
        raise ValueError(rest)

    def _zone(self) -> None:
        has_name = True
        try:
            self._word(_UTC_NAMES)
        except ValueError:
            has_name = False
        found = _OFFSET.match(self._text, self._at)
        if found is None:
            if not has_name:
                raise ValueError("zone")
            return
        self._at = found.end()
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        self._offset = -offset if found[1] == "-" else offset


def date_format_statics() -> Methods:
    """Give the constructor of ``SimpleDateFormat``."""
    table: Methods = {}
    add(table, "new", Kind.TEXT)(lambda running, pattern: DateFormat(pattern, running.context.clock.now()))
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
