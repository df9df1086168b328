"""A cron line as a whole, and its firings in a time zone.

Clocks that change, as in Quartz: a time that a day does not have (the hour that is skipped in spring) does not fire, and of
a time that a day has twice (the hour that is repeated in autumn) only the second one does. A line that fires every minute
pauses for the first of the two hours.

Source: Quartz 2.3.2, ``CronExpression.getTimeAfter``; compared with it in tests/unit/triggers/quartz. ``H``: Spinnaker
compatibility facts, section 4.12.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from masthead.triggers.quartz.days import DayRule, read_days
from masthead.triggers.quartz.errors import BadCronLine
from masthead.triggers.quartz.fields import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    FIRST_YEAR,
    HOURS,
    MINUTES,
    MONTH,
    SECONDS,
    YEAR,
)

__all__ = ["CronLine", "read_line", "spread"]

_FIELDS = (SECONDS, MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)
_LONGEST = 500
_DAWN, _SECOND = time(), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class CronLine:
    """A line that was understood; all lists ascend."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayRule
    months: tuple[int, ...]
    years: tuple[int, ...]

    def next_after(self, instant: datetime, zone: tzinfo) -> datetime | None:
        """Give the first firing after *instant* (aware), in UTC; None when there is none any more."""
        for wall in self._walls(_first_wall(instant, zone)):
            firing = _instant(wall, zone)
            if firing is not None and firing > instant:
                return firing
        return None

    def firings(self, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Give the firings after an instant, one after the other, in UTC."""
        while (firing := self.next_after(after, zone)) is not None:
            yield firing
            after = firing

    def last_before(self, instant: datetime, zone: tzinfo, *, since: datetime) -> datetime | None:
        """Give the last firing at or before *instant* and not before *since*; None when there is none."""
        reach = _SECOND
        while True:
            start = max(instant - reach, since) - _SECOND
            found = self._last_between(start, instant, zone)
            if found is not None or start < since:
                return found
            reach *= 4

    def fires_ever(self) -> bool:
        """Tell whether there is any day that the line names."""
        return self.next_after(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), UTC) is not None

    def _last_between(self, start: datetime, end: datetime, zone: tzinfo) -> datetime | None:
        last = None
        for firing in self.firings(start, zone):
            if firing > end:
                break
            last = firing
        return last

    def _walls(self, start: datetime) -> Iterator[datetime]:
        """Give the wall clock's times from *start* on, ascending, whether a zone has them or not."""
        first = start.date()
        for day in self._dates(first):
            for moment in self._times(start.time() if day == first else _DAWN):
                yield datetime.combine(day, moment)

    def _dates(self, first: date) -> Iterator[date]:
        for year in _from(self.years, first.year):
            for month in _from(self.months, first.month if year == first.year else 1):
                is_first = (year, month) == (first.year, first.month)
                for day in _from(self.days(year, month), first.day if is_first else 1):
                    yield date(year, month, day)

    def _times(self, first: time) -> Iterator[time]:
        for hour in _from(self.hours, first.hour):
            low = first if hour == first.hour else _DAWN
            for minute in _from(self.minutes, low.minute):
                for second in _from(self.seconds, low.second if minute == low.minute else 0):
                    yield time(hour, minute, second)


@lru_cache(maxsize=4096)
def read_line(text: str) -> CronLine:
    """Read a cron line: seconds, minutes, hours, day of month, month, day of week and, if given, year.

    ``H`` must have been replaced before; see :func:`spread`.

    Raises:
        BadCronLine: a sentence that says what is wrong.
    """
    if len(text) > _LONGEST:
        raise BadCronLine(f"it is longer than {_LONGEST} characters")
    given = text.upper().split()
    if len(given) not in (6, 7):
        raise BadCronLine(
            f"it has {len(given)} fields and needs 6 or 7: seconds, minutes, hours, day of month, month, day of week, year"
        )
    line = _line(*given)
    if not line.fires_ever():
        raise BadCronLine("there is no day that it names, so it would never fire")
    return line


def spread(text: str, trigger_id: str) -> str:
    """Replace ``H`` in the seconds, minutes and hours of a line, so that triggers do not all fire at once.

    The number is made of the trigger's id: the same id always gives the same time.
    """
    number = abs(_java_hash(trigger_id))
    parts = text.split()
    for place, limit in enumerate((60, 60, 24)):
        if place < len(parts):
            parts[place] = parts[place].replace("H", str(number % limit))
    return " ".join(parts)


def _line(
    seconds: str, minutes: str, hours: str, of_month: str, months: str, of_week: str, years: str = "*"
) -> CronLine:
    return CronLine(
        _sorted(SECONDS.values(seconds)),
        _sorted(MINUTES.values(minutes)),
        _sorted(HOURS.values(hours)),
        read_days(of_month, of_week),
        _sorted(MONTH.values(months)),
        _sorted(YEAR.values(years)),
    )


def _sorted(values: frozenset[int]) -> tuple[int, ...]:
    return tuple(sorted(values))


def _from(values: tuple[int, ...], least: int) -> tuple[int, ...]:
    return values[bisect_left(values, least) :]


def _first_wall(instant: datetime, zone: tzinfo) -> datetime:
    """Give a time of the wall clock that no firing after *instant* stands before."""
    local = instant.astimezone(zone)
    wall = local.replace(tzinfo=None, microsecond=0)
    # In the first of two equal hours, everything of the second is still to come.
    later = local.replace(fold=1).utcoffset()
    earlier = local.utcoffset()
    if earlier is None or later is None or earlier <= later:
        return wall
    return wall - (earlier - later)


def _instant(wall: datetime, zone: tzinfo) -> datetime | None:
    """Give the instant of *wall*, the second one where there are two; None where there is none."""
    instant = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == wall else None


def _java_hash(text: str) -> int:
    """Give what ``String.hashCode`` gives."""
    value = 0
    data = text.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(data), 2):
        value = (31 * value + int.from_bytes(data[at : at + 2], "big")) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value
