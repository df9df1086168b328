"""Which days of a month a cron line names: by the day of the month, or by the day of the week.

Source: Quartz 2.3.2, ``CronExpression``, and its tutorial, lesson 6.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable

from masthead.triggers.quartz.errors import BadCronLine
from masthead.triggers.quartz.fields import DAY_OF_MONTH, DAY_OF_WEEK

__all__ = ["DayRule", "read_days"]

#: Year and month → its days, ascending.
DayRule = Callable[[int, int], tuple[int, ...]]

_LAST = re.compile(r"L(?:-(?P<before>\d{1,2}))?(?P<weekday>W)?", re.ASCII)
_NEAREST = re.compile(r"(?P<day>\d{1,2})W", re.ASCII)
_LAST_OF_KIND = re.compile(r"(?P<day>[1-7]|[A-Z]{3})L", re.ASCII)
_NTH = re.compile(r"(?P<day>[1-7]|[A-Z]{3})#(?P<nth>[1-5])", re.ASCII)
_SATURDAY, _SUNDAY = 7, 1
_WEEK = 7


def read_days(of_month: str, of_week: str) -> DayRule:
    """Read the two fields, in capitals, of which exactly one must be ``?``.

    Raises:
        BadCronLine: both name days, neither does, or one of them cannot be read.
    """
    if of_month == "?" and of_week == "?":
        raise BadCronLine("day of month and day of week cannot both be '?': one of them names the days")
    if of_week == "?":
        return _by_month(of_month)
    if of_month == "?":
        return _by_week(of_week)
    raise BadCronLine(
        f"day of month is '{of_month}' and day of week is '{of_week}': one of them must be '?', as Quartz cannot combine them"
    )


def _by_month(text: str) -> DayRule:
    if (found := _LAST.fullmatch(text)) is not None:
        return _last(text, int(found["before"] or 0), is_nearest=found["weekday"] is not None)
    if (found := _NEAREST.fullmatch(text)) is not None:
        return _nearest(DAY_OF_MONTH.one(found["day"]))
    if "L" in text or "W" in text:
        raise DAY_OF_MONTH.wrong(text, "L, LW, L-3, L-3W and 15W stand alone, without lists and ranges")
    days = sorted(DAY_OF_MONTH.values(text))
    return lambda year, month: tuple(day for day in days if day <= _length(year, month))


def _by_week(text: str) -> DayRule:
    if text == "L":
        text = "7"
    if (found := _LAST_OF_KIND.fullmatch(text)) is not None:
        return _of_kind(DAY_OF_WEEK.one(found["day"]), -1)
    if (found := _NTH.fullmatch(text)) is not None:
        return _of_kind(DAY_OF_WEEK.one(found["day"]), int(found["nth"]) - 1)
    if "#" in text or "L" in text:
        raise DAY_OF_WEEK.wrong(text, "L, 6L and 6#3 (1 to 5) stand alone, without lists and ranges")
    wanted = DAY_OF_WEEK.values(text)
    return lambda year, month: tuple(
        day for day in range(1, _length(year, month) + 1) if _weekday(year, month, day) in wanted
    )


def _last(text: str, before: int, *, is_nearest: bool) -> DayRule:
    if before > 30:
        raise DAY_OF_MONTH.wrong(text, "the offset from the last day is at most 30")

    def days(year: int, month: int) -> tuple[int, ...]:
        day = _length(year, month) - before
        if day < 1:
            return ()
        return (_to_weekday(year, month, day) if is_nearest else day,)

    return days


def _nearest(wanted: int) -> DayRule:
    def days(year: int, month: int) -> tuple[int, ...]:
        return (_to_weekday(year, month, wanted),) if wanted <= _length(year, month) else ()

    return days


def _of_kind(weekday: int, place: int) -> DayRule:
    """Give the rule for the day of that kind at *place* of the month's, counted from 0 or, below, from the end."""

    def days(year: int, month: int) -> tuple[int, ...]:
        first = 1 + (weekday - _weekday(year, month, 1)) % _WEEK
        found = range(first, _length(year, month) + 1, _WEEK)
        return (found[place],) if place < len(found) else ()

    return days


def _to_weekday(year: int, month: int, day: int) -> int:
    """Give the day from Monday to Friday that is nearest to *day* without leaving the month."""
    kind = _weekday(year, month, day)
    if kind == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if kind == _SUNDAY:
        return day + 1 if day < _length(year, month) else day - 2
    return day


def _weekday(year: int, month: int, day: int) -> int:
    """Give the day of the week as Quartz counts: 1 is Sunday."""
    monday_is_0 = (monthrange(year, month)[0] + day - 1) % _WEEK
    return (monday_is_0 + 1) % _WEEK + 1


def _length(year: int, month: int) -> int:
    return monthrange(year, month)[1]
