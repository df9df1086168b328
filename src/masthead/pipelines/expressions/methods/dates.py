"""``java.util.Date`` and the dates of ``java.time`` that pipelines may use. What depends on a zone is UTC.

Source: Java's documentation, ``java.time`` (``LocalDate``, ``LocalDateTime``, ``Instant``, ``DayOfWeek``,
``temporal.ChronoUnit``, ``temporal.TemporalAdjusters``).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar, TypeVar

from masthead.kernel.clock import to_ms
from masthead.pipelines.expressions.errors import ExpressionError, shown
from masthead.pipelines.expressions.values import JavaValue, Value

__all__ = [
    "DAYS",
    "MONTHS",
    "UNITS",
    "Adjuster",
    "Constant",
    "Day",
    "Instant",
    "JavaDate",
    "LocalDate",
    "LocalDateTime",
    "Moment",
    "Unit",
    "between",
    "guarded",
    "moved",
    "parsed",
]

#: In English, whatever the machine speaks.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
)  # fmt: skip


#: What every moment in ISO 8601 begins with; the rest is looked at when it is read.
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:T|$)")


class Moment(JavaValue):
    """A point in time, however much of it the type knows: held as an aware datetime in UTC."""

    __slots__ = ("at",)

    def __init__(self, at: datetime) -> None:
        self.at = at

    def rank(self) -> Any:
        """Give the datetime."""
        return self.at


_Moment = TypeVar("_Moment", bound=Moment)


class JavaDate(Moment):
    """``java.util.Date``; in JSON the milliseconds since 1970."""

    __slots__ = ()

    java = "java.util.Date"

    def text(self) -> str:
        """Give the form of ``Date.toString``."""
        at = self.at
        day, month = _DAYS[at.weekday()][:3], MONTHS[at.month - 1][:3]
        return f"{day} {month} {at.day:02d} {at:%H:%M:%S} UTC {at.year:04d}"

    def json(self) -> Value:
        """Give milliseconds since 1970."""
        return to_ms(self.at)


class Instant(Moment):
    """``java.time.Instant``."""

    __slots__ = ()

    java = "java.time.Instant"

    def text(self) -> str:
        """Give ISO 8601 in UTC."""
        return f"{_date_text(self.at)}T{_time_text(self.at, always_seconds=True)}Z"


class LocalDateTime(Moment):
    """``java.time.LocalDateTime``."""

    __slots__ = ()

    java = "java.time.LocalDateTime"

    def text(self) -> str:
        """Give ISO 8601 without a zone; seconds only if there are any."""
        return f"{_date_text(self.at)}T{_time_text(self.at, always_seconds=False)}"


class LocalDate(Moment):
    """``java.time.LocalDate``."""

    __slots__ = ()

    java = "java.time.LocalDate"

    def __init__(self, at: datetime) -> None:
        super().__init__(datetime.combine(at.date(), time(), UTC))

    def text(self) -> str:
        """Give year, month and day."""
        return _date_text(self.at)


class Constant(JavaValue):
    """A constant of a Java enum; it also equals its text."""

    __slots__ = ("place", "word")

    def __init__(self, word: str, place: int) -> None:
        self.word = word
        self.place = place

    def text(self) -> str:
        """Give its name."""
        return self.word

    def rank(self) -> Any:
        """Give its place among the constants."""
        return self.place

    def is_same(self, other: Value) -> bool:
        """Tell whether *other* is it, or its text."""
        return other == self.word if isinstance(other, str) else super().is_same(other)


class Day(Constant):
    """``java.time.DayOfWeek``; Monday is 1."""

    __slots__ = ()

    java = "java.time.DayOfWeek"


class Unit(Constant):
    """``java.time.temporal.ChronoUnit``."""

    __slots__ = ("length", "months")

    java = "java.time.temporal.ChronoUnit"

    def __init__(self, word: str, place: int, length: timedelta, months: int = 0) -> None:
        super().__init__(word, place)
        self.length = length
        self.months = months

    def text(self) -> str:
        """Give the name as people read it."""
        return self.word.replace("_", "").title() if self.word != "HALF_DAYS" else "HalfDays"


class Adjuster(JavaValue):
    """``java.time.temporal.TemporalAdjuster``: a rule that moves a date."""

    __slots__ = ("adjust",)

    java: ClassVar[str] = "java.time.temporal.TemporalAdjuster"

    def __init__(self, adjust: Callable[[datetime], datetime]) -> None:
        self.adjust = adjust

    def text(self) -> str:
        """Give its class."""
        return self.java


DAYS = {name.upper(): Day(name.upper(), place) for place, name in enumerate(_DAYS, start=1)}
UNITS = {
    each.word: each
    for each in (
        Unit("MICROS", 1, timedelta(microseconds=1)),
        Unit("MILLIS", 2, timedelta(milliseconds=1)),
        Unit("SECONDS", 3, timedelta(seconds=1)),
        Unit("MINUTES", 4, timedelta(minutes=1)),
        Unit("HOURS", 5, timedelta(hours=1)),
        Unit("HALF_DAYS", 6, timedelta(hours=12)),
        Unit("DAYS", 7, timedelta(days=1)),
        Unit("WEEKS", 8, timedelta(weeks=1)),
        Unit("MONTHS", 9, timedelta(), 1),
        Unit("YEARS", 10, timedelta(), 12),
        Unit("DECADES", 11, timedelta(), 120),
    )
}


def guarded(run: Callable[[], _Moment]) -> _Moment:
    """Give what *run* makes.

    Raises:
        ExpressionError: the date is none, or outside of the years 1 to 9999.
    """
    try:
        return run()
    except (ValueError, OverflowError) as error:
        raise ExpressionError("There is no such date between the years 1 and 9999.") from error


def moved(moment: _Moment, amount: int, unit: Unit) -> _Moment:
    """Give *moment*, *amount* units later; the last day of a month stays inside the month."""
    _require_known(moment, unit)
    return guarded(lambda: type(moment)(_shifted(moment.at, amount, unit)))


def _shifted(at: datetime, amount: int, unit: Unit) -> datetime:
    if not unit.months:
        return at + unit.length * amount
    months = at.year * 12 + at.month - 1 + amount * unit.months
    if not 12 <= months < 120_000:
        raise OverflowError
    year, month = months // 12, months % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def between(one: Moment, other: Moment, unit: Unit) -> int:
    """Give how many whole units lie from *one* to *other*; negative when *other* is earlier."""
    _require_known(one, unit)
    if not unit.months:
        whole = abs(other.at - one.at) // unit.length
        return whole if other.at >= one.at else -whole
    first, last = sorted((one.at, other.at))
    months = (last.year - first.year) * 12 + last.month - first.month
    months -= (last.day, last.time()) < (first.day, first.time())
    return (months if other.at >= one.at else -months) // unit.months if months >= unit.months else 0


def _require_known(moment: Moment, unit: Unit) -> None:
    """A date knows no time of day, and an instant no calendar."""
    day = UNITS["DAYS"].place
    if (isinstance(moment, LocalDate) and unit.place < day) or (
        isinstance(moment, Instant) and unit.place > day
    ):
        raise ExpressionError(f"Unsupported unit: {unit.text()}")


def parsed(kind: type[_Moment], text: str) -> _Moment:
    """Read ISO 8601.

    Raises:
        ExpressionError: *text* is no such moment.
    """
    try:
        at = datetime.fromisoformat(text) if _ISO.match(text) else None
    except ValueError:
        at = None
    has_zone = at is not None and at.tzinfo is not None
    if at is None or has_zone != issubclass(kind, Instant) or (kind is LocalDate) != ("T" not in text):
        raise ExpressionError(f"Text '{shown(text)}' could not be parsed as {kind.java}")
    return kind(at.astimezone(UTC) if has_zone else at.replace(tzinfo=UTC))


def _date_text(at: datetime) -> str:
    return f"{at.year:04d}-{at.month:02d}-{at.day:02d}"


def _time_text(at: datetime, *, always_seconds: bool) -> str:
    text = f"{at.hour:02d}:{at.minute:02d}"
    if at.second or at.microsecond or always_seconds:
        text += f":{at.second:02d}"
    if at.microsecond:
        text += f".{at.microsecond:06d}" if at.microsecond % 1000 else f".{at.microsecond // 1000:03d}"
    return text
