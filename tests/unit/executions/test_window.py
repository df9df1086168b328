"""Execution windows: when they open, on every kind of day, and what is no window."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.executions.window import WindowError, parse_jitter, parse_window, window_problems

LOS_ANGELES = ZoneInfo("America/Los_Angeles")


def span(start: str, end: str) -> dict[str, int]:
    (a, b), (c, d) = start.split(":"), end.split(":")
    return {"startHour": int(a), "startMin": int(b), "endHour": int(c), "endMin": int(d)}


def opens(now: str, *spans: tuple[str, str], days=()) -> str:
    """Give when it opens, in Los Angeles, or "now"."""
    window = parse_window({"whitelist": [span(*each) for each in spans], "days": list(days)})
    instant = datetime.fromisoformat(now).replace(tzinfo=LOS_ANGELES).astimezone(UTC)
    found = window.next_opening(instant, LOS_ANGELES)
    return "now" if found == instant else found.astimezone(LOS_ANGELES).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("now", "spans", "days", "expected"),
    [
        # 2026-11-23 is a Monday.
        ("2026-11-23 10:00", [("10:00", "12:00")], (), "now"),
        ("2026-11-23 12:00:59", [("10:00", "12:00")], (), "now"),
        ("2026-11-23 12:01", [("10:00", "12:00")], (), "2026-11-24 10:00"),
        ("2026-11-23 09:59", [("10:00", "12:00")], (), "2026-11-23 10:00"),
        ("2026-11-23 13:00", [("15:00", "16:00"), ("10:00", "12:00")], (), "2026-11-23 15:00"),
        ("2026-11-23 23:30", [("22:00", "05:00")], (), "now"),
        ("2026-11-23 04:30", [("22:00", "05:00")], (), "now"),
        ("2026-11-23 05:01", [("22:00", "05:00")], (), "2026-11-23 22:00"),
        ("2026-11-23 23:59:30", [("00:00", "23:59")], (), "now"),
        ("2026-11-23 11:00", [("10:00", "12:00")], (2,), "now"),
        ("2026-11-23 11:00", [("10:00", "12:00")], (3,), "2026-11-24 10:00"),
        ("2026-11-23 13:00", [("10:00", "12:00")], (2,), "2026-11-30 10:00"),
        ("2026-11-23 13:00", [("10:00", "12:00")], (1,), "2026-11-29 10:00"),
        ("2026-11-23 13:00", [], (7,), "2026-11-28 00:00"),
        ("2026-11-23 13:00", [], (), "now"),
    ],
)  # fmt: skip
def test_it_opens_at_the_next_minute_of_a_window_on_a_day_that_counts(now, spans, days, expected):
    """Both ends belong to a window; without windows the whole day, without days every day."""
    assert opens(now, *spans, days=days) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # Clocks go from 02:00 to 03:00: the window of that hour is the hour after.
        ("2026-03-08 01:00", "2026-03-08 03:00"),
        ("2026-03-08 03:30", "now"),
        ("2026-03-08 04:00", "2026-03-09 02:00"),
        ("2026-11-01 02:30", "now"),
    ],
)
def test_no_window_is_lost_when_the_clocks_change(now, expected):
    """A window in the hour that does not exist is open for the hour after it."""
    assert opens(now, ("02:00", "02:59")) == expected


def test_a_window_in_the_hour_that_comes_twice_is_open_both_times():
    """Two hours are one window."""
    window = parse_window({"whitelist": [span("01:00", "01:59")]})
    for fold in (0, 1):
        instant = datetime(2026, 11, 1, 1, 30, tzinfo=LOS_ANGELES, fold=fold).astimezone(UTC)
        assert window.next_opening(instant, LOS_ANGELES) == instant


@given(
    st.integers(1_767_225_600, 1_830_297_600),
    st.tuples(*[st.integers(0, 23), st.integers(0, 59)] * 2),
    st.sets(st.integers(1, 7)),
)
def test_what_it_says_is_open_when_the_time_has_come(now, times, days):
    """Asked again at the instant it gave, a window is open: nobody waits in a circle."""
    try:
        window = parse_window(
            {
                "whitelist": [dict(zip(("startHour", "startMin", "endHour", "endMin"), times, strict=True))],
                "days": sorted(days),
            }
        )
    except WindowError:
        return
    found = window.next_opening(datetime.fromtimestamp(now, UTC), LOS_ANGELES)
    assert found >= datetime.fromtimestamp(now, UTC)
    assert window.next_opening(found, LOS_ANGELES) == found


@pytest.mark.parametrize(
    ("window", "pointer"),
    [
        ("x", ""),
        ({"whitelist": "x"}, "/whitelist"),
        ({"whitelist": [{"startHour": 24}]}, "/whitelist/0/startHour"),
        ({"whitelist": [span("10:30", "10:15")]}, "/whitelist/0"),
        ({"whitelist": [7]}, "/whitelist/0"),
        ({"days": [1, 8]}, "/days/1"),
        ({"days": [0]}, "/days/0"),
        ({"days": [True]}, "/days/0"),
        ({"jitter": {"enabled": True, "minDelay": 9, "maxDelay": 5}}, "/jitter/minDelay"),
        ({"jitter": 5}, "/jitter"),
    ],
)
def test_what_is_no_window_is_said_with_its_place(window, pointer):
    """Saving refuses it with this pointer; a switched-off window and expressions are left alone."""
    stage = {"restrictExecutionDuringTimeWindow": True, "restrictedExecutionWindow": window}
    (problem,) = window_problems(stage)
    assert problem.pointer == f"/restrictedExecutionWindow{pointer}"
    assert not list(window_problems({**stage, "restrictExecutionDuringTimeWindow": False}))
    assert not list(window_problems({**stage, "restrictedExecutionWindow": {"days": "${parameters.days}"}}))


def test_jitter_counts_only_when_it_is_enabled_and_longer_than_nothing():
    """Orca's rule: enabled, and a maxDelay."""
    assert parse_jitter({"jitter": {"enabled": False, "maxDelay": 5}}) is None
    assert parse_jitter({"jitter": {"enabled": True}}) is None
    found = parse_jitter({"jitter": {"enabled": True, "minDelay": 1, "maxDelay": 5, "skipManual": True}})
    assert found is not None
    assert (found.least_s, found.most_s, found.skips_manual) == (1, 5, True)
