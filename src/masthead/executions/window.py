"""Execution windows: when a stage that may only run at certain times may run next. Pure functions.

A window is times of day, inclusive at both ends and to the minute, on days of the week. Everything is compared as
instants, so that on days when the clocks change a window neither vanishes nor comes twice.

Source: Spinnaker compatibility facts, section 4.5.3; 7.5 (55) for the day that Orca counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from masthead.pipelines import Problem
from masthead.pipelines.expressions import holds_expression

__all__ = ["Jitter", "Window", "WindowError", "parse_jitter", "parse_window", "window_problems"]

_DAY_MINUTES = 24 * 60
_FIELDS = (("startHour", 23), ("startMin", 59), ("endHour", 23), ("endMin", 59))
#: Windows in one stage that are still somebody's intention.
_MOST = 100
#: The longest jitter, in seconds: what people mean is minutes.
_LONGEST_S = 7 * 86_400


class WindowError(ValueError):
    """What a stage says of its window cannot be meant; the pointer is within ``restrictedExecutionWindow``."""

    def __init__(self, pointer: str, sentence: str) -> None:
        super().__init__(sentence)
        self.pointer = pointer
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Window:
    """When something may run.

    Attributes:
        spans: Minutes of the day from … to …, both inclusive.
        days: Days of the week as Python counts them (0 = Monday).
    """

    spans: tuple[tuple[int, int], ...]
    days: frozenset[int]

    def next_opening(self, now: datetime, zone: tzinfo) -> datetime:
        """Give *now* when the window is open, else when it opens next, in UTC."""
        today = now.astimezone(zone).date()
        openings = []
        # From yesterday on, because on a day when clocks go back a span may end after midnight.
        for day in (today + timedelta(days=n) for n in range(-1, 9)):
            if day.weekday() not in self.days:
                continue
            for first, last in self.spans:
                opens = _instant(datetime.combine(day, _time(first), zone))
                last_minute = datetime.combine(day, _time(last), zone)
                closes = max(_instant(last_minute.replace(fold=fold)) for fold in (0, 1))
                if opens <= now < closes + timedelta(minutes=1):
                    return now
                if opens > now:
                    openings.append(opens)
        return min(openings)


@dataclass(frozen=True, slots=True)
class Jitter:
    """How long to wait once the window is open, in seconds; and whether not when a person started the pipeline."""

    least_s: int
    most_s: int
    skips_manual: bool


def parse_window(given: Any) -> Window:
    """Read ``restrictedExecutionWindow``.

    Raises:
        WindowError: it cannot be meant.
    """
    window = given if given is not None else {}
    if not isinstance(window, Mapping):
        raise WindowError("", "`restrictedExecutionWindow` must be an object.")
    spans = [span for at, entry in _entries(window, "whitelist") for span in _spans(entry, at)]
    days = frozenset(_day(entry, at) for at, entry in _entries(window, "days"))
    return Window(tuple(spans) or ((0, _DAY_MINUTES - 1),), days or frozenset(range(7)))


def parse_jitter(given: Any) -> Jitter | None:
    """Read the ``jitter`` of a ``restrictedExecutionWindow``; None when there is none.

    Raises:
        WindowError: it cannot be meant.
    """
    jitter = given.get("jitter") if isinstance(given, Mapping) else None
    if jitter is None:
        return None
    if not isinstance(jitter, Mapping):
        raise WindowError("/jitter", "`jitter` must be an object.")
    if jitter.get("enabled") is not True:
        return None
    least = _number(jitter.get("minDelay") or 0, _LONGEST_S, "/jitter/minDelay", "`minDelay`")
    most = _number(jitter.get("maxDelay") or 0, _LONGEST_S, "/jitter/maxDelay", "`maxDelay`")
    if least > most > 0:
        raise WindowError("/jitter/minDelay", "`minDelay` of the jitter is longer than its `maxDelay`.")
    return Jitter(least, most, jitter.get("skipManual") is True) if most else None


def window_problems(stage: Mapping[str, Any]) -> Iterator[Problem]:
    """Say what is wrong with the window of *stage*, as a pipeline writes it; nothing where expressions stand."""
    given = stage.get("restrictedExecutionWindow")
    if stage.get("restrictExecutionDuringTimeWindow") is not True or holds_expression(given):
        return
    try:
        parse_window(given)
        parse_jitter(given)
    except WindowError as error:
        yield Problem(f"/restrictedExecutionWindow{error.pointer}", error.sentence)


def _entries(window: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    entries = window.get(name)
    if entries is None:
        return []
    if not isinstance(entries, list) or len(entries) > _MOST:
        raise WindowError(f"/{name}", f"`{name}` must be a list of at most {_MOST}.")
    return [(f"/{name}/{at}", entry) for at, entry in enumerate(entries)]


def _spans(entry: Any, at: str) -> list[tuple[int, int]]:
    if not isinstance(entry, Mapping):
        raise WindowError(at, "A time window must be an object with startHour, startMin, endHour and endMin.")
    start_hour, start_min, end_hour, end_min = (
        _number(entry.get(name, 0), most, f"{at}/{name}", f"`{name}` of a time window")
        for name, most in _FIELDS
    )
    first, last = start_hour * 60 + start_min, end_hour * 60 + end_min
    if start_hour > end_hour:
        return [(first, _DAY_MINUTES - 1), (0, last)]
    if first > last:
        raise WindowError(at, "A time window ends before it begins.")
    return [(first, last)]


def _day(entry: Any, at: str) -> int:
    number = _number(entry, 7, at, "A day")
    if number == 0:
        raise WindowError(at, "A day must be a number from 1 (Sunday) to 7 (Saturday).")
    return (number - 2) % 7


def _number(value: Any, most: int, pointer: str, name: str) -> int:
    text = str(value)
    is_number = not isinstance(value, bool) and text.isascii() and text.isdigit() and len(text) < 10
    if not is_number or int(text) > most:
        raise WindowError(pointer, f"{name} must be a whole number from 0 to {most}.")
    return int(text)


def _time(minute: int) -> time:
    return time(minute // 60, minute % 60)


def _instant(local: datetime) -> datetime:
    return local.astimezone(UTC)
