"""Gaps of an escalation policy's first level."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from masthead.catalog import Outlook, Span
from masthead.catalog.model import read_oncall
from unit.catalog.documents import oncall

NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def shift(user: str | None, start: float | None, end: float | None, *, level: int = 1):
    texts = [None if one is None else at(one).isoformat() for one in (start, end)]
    return read_oncall(oncall("x", user, level=level, start=texts[0], end=texts[1]))


def outlook(*shifts, **more) -> Outlook:
    return Outlook(Span(NOW, at(24)), shifts, **{"fetched_at": NOW, **more})


def spans(found):
    return [
        ((one.span.start - NOW) / timedelta(hours=1), (one.span.end - NOW) / timedelta(hours=1))
        for one in found
    ]


def test_a_night_that_nobody_has_is_a_gap_and_the_next_level_is_named():
    """From the end of one shift to the start of the next; who would be woken instead is said."""
    seen = outlook(shift("Ada", -8, 2), shift("Bob", 12, 24), shift("Cid", None, None, level=2))
    (gap,) = seen.gaps(NOW)
    assert spans([gap]) == [(2, 12)]
    assert (gap.next_level, gap.people) == (2, ("Cid",))


def test_shifts_that_meet_or_overlap_leave_no_gap():
    """Nor does somebody who is always on call."""
    assert outlook(shift("Ada", -8, 2), shift("Bob", 2, 20), shift("Cid", 18, 30)).gaps(NOW) == []
    assert outlook(shift("Ada", None, None)).gaps(NOW) == []


def test_nobody_at_all_is_one_gap_of_all_the_hours():
    """Also where PagerDuty names no user."""
    assert spans(outlook().gaps(NOW)) == [(0, 24)]
    (gap,) = outlook(shift(None, None, None)).gaps(NOW)
    assert (gap.next_level, gap.people) == (None, ())


def test_a_level_whose_people_are_off_in_the_gap_does_not_stand_in():
    """The next level at which somebody is there in that time does."""
    early, always = shift("Bob", 0, 1, level=2), shift("Cid", None, None, level=3)
    (gap,) = outlook(shift("Ada", -8, 2), early, always).gaps(NOW)
    assert (gap.next_level, gap.people) == (3, ("Cid",))


def test_gaps_begin_now_however_old_the_answer_is():
    """What has passed since PagerDuty was asked is not shown."""
    assert spans(outlook(shift("Ada", 4, 24)).gaps(at(1))) == [(1, 4)]


def test_no_gap_is_claimed_when_not_everything_was_read():
    """A shift may be missing because its page did not come."""
    assert outlook(trouble="half of it").gaps(NOW) == []
    assert outlook(fetched_at=None).gaps(NOW) == []


@given(st.lists(st.tuples(st.integers(-30, 30), st.integers(1, 30)), max_size=8))
def test_every_hour_is_either_covered_or_in_a_gap(shifts):
    """Whatever the shifts are."""
    seen = outlook(*(shift("Ada", start, start + length) for start, length in shifts))
    gaps = spans(seen.gaps(NOW))
    for hour in range(24):
        is_covered = any(start <= hour < start + length for start, length in shifts)
        assert is_covered != any(start <= hour < end for start, end in gaps)
