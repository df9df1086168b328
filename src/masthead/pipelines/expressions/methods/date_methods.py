"""The methods of dates, days, units and adjusters.

Source: as ``dates``.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from masthead.kernel.clock import from_ms, to_ms
from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.methods.dates import (
    DAYS,
    UNITS,
    Adjuster,
    Day,
    Instant,
    JavaDate,
    LocalDate,
    LocalDateTime,
    Moment,
    Unit,
    between,
    guarded,
    moved,
    parsed,
)
from masthead.pipelines.expressions.methods.numbers import java_hash_of_long
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add
from masthead.pipelines.expressions.values import JavaValue, Value, is_same, order

__all__ = [
    "DATE",
    "DAY",
    "INSTANT",
    "LOCAL_DATE",
    "LOCAL_DATE_TIME",
    "UNIT",
    "adjuster_statics",
    "date_statics",
    "day_statics",
    "instant_statics",
    "local_date_statics",
    "local_date_time_statics",
]

DATE: Methods = {}
INSTANT: Methods = {}
LOCAL_DATE: Methods = {}
LOCAL_DATE_TIME: Methods = {}
DAY: Methods = {}
UNIT: Methods = {}

_DATES: tuple[Methods, ...] = (LOCAL_DATE, LOCAL_DATE_TIME)
_TIMES: tuple[Methods, ...] = (INSTANT, LOCAL_DATE_TIME)
_MODERN: tuple[Methods, ...] = (LOCAL_DATE, LOCAL_DATE_TIME, INSTANT)


def _each(tables: tuple[Methods, ...], name: str, *takes: Any) -> Callable[[Callable[..., Value]], None]:
    def put(run: Callable[..., Value]) -> None:
        for table in tables:
            add(table, name, *takes)(run)

    return put


# -- moving and comparing ---------------------------------------------------------------------------

_STEPS = {"Years": "YEARS", "Months": "MONTHS", "Weeks": "WEEKS", "Days": "DAYS"}
_SHORT_STEPS = {"Hours": "HOURS", "Minutes": "MINUTES", "Seconds": "SECONDS"}


def _add_steps(tables: tuple[Methods, ...], word: str, unit: Unit) -> None:
    _each(tables, f"plus{word}", Kind.WHOLE)(lambda _, at, amount: moved(at, amount, unit))
    _each(tables, f"minus{word}", Kind.WHOLE)(lambda _, at, amount: moved(at, -amount, unit))


for _word, _unit in _STEPS.items():
    _add_steps(_DATES, _word, UNITS[_unit])
for _word, _unit in _SHORT_STEPS.items():
    _add_steps((LOCAL_DATE_TIME,), _word, UNITS[_unit])
_add_steps((INSTANT,), "Seconds", UNITS["SECONDS"])
_add_steps((INSTANT,), "Millis", UNITS["MILLIS"])

for _kind, _table in ((LocalDate, LOCAL_DATE), (LocalDateTime, LOCAL_DATE_TIME), (Instant, INSTANT)):
    add(_table, "plus", Kind.WHOLE, Unit)(lambda _, at, amount, unit: moved(at, amount, unit))
    add(_table, "minus", Kind.WHOLE, Unit)(lambda _, at, amount, unit: moved(at, -amount, unit))
    add(_table, "until", _kind, Unit)(lambda _, at, other, unit: between(at, other, unit))
    add(_table, "isBefore", _kind)(lambda _, at, other: order(at, other) < 0)
    add(_table, "isAfter", _kind)(lambda _, at, other: order(at, other) > 0)
    add(_table, "isEqual", _kind)(lambda _, at, other: order(at, other) == 0)
    add(_table, "compareTo", _kind)(lambda _, at, other: _difference(at, other))
add(DATE, "before", JavaDate)(lambda _, at, other: order(at, other) < 0)
add(DATE, "after", JavaDate)(lambda _, at, other: order(at, other) > 0)
add(DATE, "compareTo", JavaDate)(lambda _, at, other: order(at, other))
for _table in (*_MODERN, DATE, DAY, UNIT):
    add(_table, "toString")(lambda _, value: value.text())
    add(_table, "equals", Kind.ANY)(lambda running, value, other: is_same(value, other, running.budget))


def _difference(one: Moment, other: Moment) -> int:
    """Give what ``compareTo`` does: by how much the first part that differs does."""
    if isinstance(one, Instant):
        seconds = (one.at.replace(microsecond=0) > other.at.replace(microsecond=0)) - (
            one.at.replace(microsecond=0) < other.at.replace(microsecond=0)
        )
        return seconds or (one.at.microsecond - other.at.microsecond) * 1000
    for part in ("year", "month", "day"):
        difference = int(getattr(one.at, part) - getattr(other.at, part))
        if difference:
            return difference
    return order(one, other)


def _hash_of_date(at: datetime) -> int:
    return (at.year & ~0x7FF) ^ ((at.year << 11) + (at.month << 6) + at.day)


add(DATE, "hashCode")(lambda _, date: java_hash_of_long(to_ms(date.at)))
add(LOCAL_DATE, "hashCode")(lambda _, date: _hash_of_date(date.at))


# -- reading ----------------------------------------------------------------------------------------

_FIELDS: dict[str, Callable[[datetime], Value]] = {
    "getYear": lambda at: at.year,
    "getMonthValue": lambda at: at.month,
    "getDayOfMonth": lambda at: at.day,
    "getDayOfYear": lambda at: at.timetuple().tm_yday,
    "getDayOfWeek": lambda at: tuple(DAYS.values())[at.weekday()],
}
_TIME_FIELDS: dict[str, Callable[[datetime], Value]] = {
    "getHour": lambda at: at.hour,
    "getMinute": lambda at: at.minute,
    "getSecond": lambda at: at.second,
    "getNano": lambda at: at.microsecond * 1000,
}
for _name, _read in _FIELDS.items():
    _each(_DATES, _name)(lambda _, moment, read=_read: read(moment.at))
for _name, _read in _TIME_FIELDS.items():
    add(LOCAL_DATE_TIME, _name)(lambda _, moment, read=_read: read(moment.at))
add(INSTANT, "getNano")(lambda _, moment: moment.at.microsecond * 1000)
add(INSTANT, "toEpochMilli")(lambda _, moment: to_ms(moment.at))
add(INSTANT, "getEpochSecond")(lambda _, moment: to_ms(moment.at) // 1000)
add(LOCAL_DATE, "toEpochDay")(lambda _, moment: to_ms(moment.at) // 86_400_000)
add(LOCAL_DATE, "lengthOfMonth")(lambda _, moment: _month_length(moment.at))
add(LOCAL_DATE, "lengthOfYear")(lambda _, moment: 366 if calendar.isleap(moment.at.year) else 365)
add(LOCAL_DATE, "isLeapYear")(lambda _, moment: calendar.isleap(moment.at.year))
add(LOCAL_DATE, "atStartOfDay")(lambda _, moment: LocalDateTime(moment.at))
add(LOCAL_DATE_TIME, "toLocalDate")(lambda _, moment: LocalDate(moment.at))
add(DATE, "getTime")(lambda _, moment: to_ms(moment.at))
add(DATE, "toInstant")(lambda _, moment: Instant(moment.at))


@add(LOCAL_DATE, "atTime", Kind.WHOLE, Kind.WHOLE)
def _at_time(_: Running, moment: LocalDate, hour: int, minute: int) -> LocalDateTime:
    return guarded(lambda: LocalDateTime(moment.at.replace(hour=hour, minute=minute)))


def _month_length(at: datetime) -> int:
    return calendar.monthrange(at.year, at.month)[1]


# -- changing a part --------------------------------------------------------------------------------

_PARTS = {"Year": "year", "Month": "month", "DayOfMonth": "day"}
_TIME_PARTS = {"Hour": "hour", "Minute": "minute", "Second": "second"}


def _with_part(moment: Moment, part: str, number: int) -> Moment:
    def changed() -> Moment:
        at = moment.at.replace(**{"day": 1, part: number})  # type: ignore[arg-type]
        return type(moment)(at if part == "day" else at.replace(day=min(moment.at.day, _month_length(at))))

    return guarded(changed)


for _word, _part in _PARTS.items():
    _each(_DATES, f"with{_word}", Kind.WHOLE)(lambda _, at, number, part=_part: _with_part(at, part, number))
for _word, _part in _TIME_PARTS.items():
    add(LOCAL_DATE_TIME, f"with{_word}", Kind.WHOLE)(
        lambda _, at, number, part=_part: guarded(lambda: LocalDateTime(at.at.replace(**{part: number})))
    )
_each(_DATES, "with", Adjuster)(lambda _, at, adjuster: guarded(lambda: type(at)(adjuster.adjust(at.at))))


def _truncated(_: Running, moment: Moment, unit: Unit) -> Moment:
    if not unit.length or unit.length > timedelta(days=1):
        raise ExpressionError("Unit is too large to be used for truncation")
    midnight = moment.at.replace(hour=0, minute=0, second=0, microsecond=0)
    return type(moment)(moment.at - (moment.at - midnight) % unit.length)


_each(_TIMES, "truncatedTo", Unit)(_truncated)


# -- days and units ---------------------------------------------------------------------------------


def _day(number: int) -> Day:
    return tuple(DAYS.values())[(number - 1) % 7]


add(DAY, "getValue")(lambda _, day: day.place)
add(DAY, "ordinal")(lambda _, day: day.place - 1)
add(DAY, "plus", Kind.WHOLE)(lambda _, day, count: _day(day.place + count))
add(DAY, "minus", Kind.WHOLE)(lambda _, day, count: _day(day.place - count))
for _table in (DAY, UNIT):
    add(_table, "name")(lambda _, constant: constant.word)
    add(_table, "compareTo", JavaValue)(lambda _, one, other: order(one, other))
add(UNIT, "between", Moment, Moment)(lambda _, unit, one, other: between(one, other, unit))


# -- types ------------------------------------------------------------------------------------------


def _now(running: Running) -> datetime:
    return running.context.clock.now()


def _moments(kind: type[Moment]) -> Methods:
    table: Methods = {}
    add(table, "now")(lambda running: kind(_now(running)))
    add(table, "parse", Kind.TEXT)(lambda _, text: parsed(kind, text))
    return table


def local_date_statics() -> Methods:
    """Give the static methods of ``LocalDate``."""
    table = _moments(LocalDate)
    add(table, "of", Kind.WHOLE, Kind.WHOLE, Kind.WHOLE)(
        lambda _, year, month, day: guarded(lambda: LocalDate(datetime(year, month, day, tzinfo=UTC)))
    )
    add(table, "ofEpochDay", Kind.WHOLE)(lambda _, day: guarded(lambda: LocalDate(from_ms(day * 86_400_000))))
    return table


def local_date_time_statics() -> Methods:
    """Give the static methods of ``LocalDateTime``."""
    table = _moments(LocalDateTime)
    for takes in (5, 6):
        add(table, "of", *[Kind.WHOLE] * takes)(
            lambda _, year, month, day, *rest: _local(year, month, day, *rest)
        )
    return table


def _local(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> LocalDateTime:
    return guarded(lambda: LocalDateTime(datetime(year, month, day, hour, minute, second, tzinfo=UTC)))


def instant_statics() -> Methods:
    """Give the static methods of ``Instant``."""
    table = _moments(Instant)
    add(table, "ofEpochMilli", Kind.WHOLE)(lambda _, ms: guarded(lambda: Instant(from_ms(ms))))
    add(table, "ofEpochSecond", Kind.WHOLE)(
        lambda _, seconds: guarded(lambda: Instant(from_ms(seconds * 1000)))
    )
    return table


def date_statics() -> Methods:
    """Give the constructors and static methods of ``Date``."""
    table: Methods = {}
    add(table, "new")(lambda running: JavaDate(_now(running)))
    add(table, "new", Kind.WHOLE)(lambda _, ms: guarded(lambda: JavaDate(from_ms(ms))))
    add(table, "from", Instant)(lambda _, instant: JavaDate(instant.at))
    return table


def day_statics() -> Methods:
    """Give the static methods of ``DayOfWeek``."""
    table: Methods = {}
    add(table, "of", Kind.WHOLE)(lambda _, number: _known_day(str(number), 1 <= number <= 7, number))
    add(table, "valueOf", Kind.TEXT)(
        lambda _, text: _known_day(text, text in DAYS, getattr(DAYS.get(text), "place", 1))
    )
    add(table, "from", LocalDate)(lambda _, moment: _day(moment.at.isoweekday()))
    add(table, "from", LocalDateTime)(lambda _, moment: _day(moment.at.isoweekday()))
    add(table, "values")(lambda _: list(DAYS.values()))
    return table


def _known_day(written: str, is_known: bool, number: int) -> Day:  # noqa: FBT001 - read together with its sentence
    if not is_known:
        raise ExpressionError(f"Invalid value for DayOfWeek: {written[:32]}")
    return _day(number)


def adjuster_statics() -> Methods:
    """Give the static methods of ``TemporalAdjusters``."""
    table: Methods = {}
    for name, adjust in _ADJUSTERS.items():
        add(table, name)(lambda _, adjust=adjust: Adjuster(adjust))
    for name, (direction, may_stay) in _DAY_ADJUSTERS.items():
        add(table, name, Day)(
            lambda _, day, direction=direction, may_stay=may_stay: Adjuster(
                lambda at: at + direction * timedelta(days=_distance(at, day, direction, may_stay=may_stay))
            )
        )
    add(table, "firstInMonth", Day)(lambda _, day: Adjuster(lambda at: _in_month(at, day, 1)))
    add(table, "lastInMonth", Day)(lambda _, day: Adjuster(lambda at: _in_month(at, day, -1)))
    add(table, "dayOfWeekInMonth", Kind.WHOLE, Day)(
        lambda _, count, day: Adjuster(lambda at: _in_month(at, day, count))
    )
    return table


_ADJUSTERS: dict[str, Callable[[datetime], datetime]] = {
    "firstDayOfMonth": lambda at: at.replace(day=1),
    "lastDayOfMonth": lambda at: at.replace(day=_month_length(at)),
    "firstDayOfNextMonth": lambda at: at.replace(day=1) + timedelta(days=_month_length(at)),
    "firstDayOfYear": lambda at: at.replace(month=1, day=1),
    "lastDayOfYear": lambda at: at.replace(month=12, day=31),
    "firstDayOfNextYear": lambda at: at.replace(year=at.year + 1, month=1, day=1),
}
_DAY_ADJUSTERS = {
    "next": (1, False),
    "nextOrSame": (1, True),
    "previous": (-1, False),
    "previousOrSame": (-1, True),
}


def _distance(at: datetime, day: Day, direction: int, *, may_stay: bool) -> int:
    days = (day.place - at.isoweekday()) * direction % 7
    return days if days or may_stay else 7


def _in_month(at: datetime, day: Day, count: int) -> datetime:
    """Give the *count*-th such day of the month; from its end when *count* is negative."""
    if count >= 0:
        first = at.replace(day=1)
        return first + timedelta(days=_distance(first, day, 1, may_stay=True) + 7 * (count - 1))
    last = at.replace(day=_month_length(at))
    return last - timedelta(days=_distance(last, day, -1, may_stay=True) + 7 * (-count - 1))
