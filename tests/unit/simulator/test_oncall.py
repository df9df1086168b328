"""Turns of a schedule and levels of a policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from masthead.simulator.data import decode
from masthead.simulator.oncall import duties, first_on_call
from masthead.simulator.organisation import Directory

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.fixture
def directory():
    return Directory(
        decode(
            {
                "users": [{"id": "A", "name": "Ada"}, {"id": "B", "name": "Bob"}],
                "schedules": [
                    {"id": "D", "name": "Daily", "rotation": ["A", "B"], "turn_hours": 24},
                    {"id": "N", "name": "Nobody"},
                ],
                "escalation_policies": [
                    {"id": "E", "name": "E", "levels": [["D"], ["A", "B"]]},
                    {"id": "F", "name": "F", "levels": [["N"], ["B"]]},
                    {"id": "G", "name": "G", "levels": [["N"]]},
                ],
            }
        )
    )


def _seen(directory, policy, since, until):
    return [
        (duty.level, duty.user.id, duty.start, duty.end)
        for duty in duties(directory, directory.policies[policy], since, until)
    ]


def test_now_is_one_turn_of_each_schedule(directory):
    """At an instant each schedule has one person, and people named directly are there for ever."""
    found = _seen(directory, "E", NOW, NOW)
    (level, _, start, end), *permanent = found
    assert level == 1
    assert start <= NOW < end
    assert end - start == timedelta(hours=24)
    assert permanent == [(2, "A", None, None), (2, "B", None, None)]


def test_turns_change_hands(directory):
    """One after another takes a turn; each begins when the last ends."""
    turns = [row for row in _seen(directory, "E", NOW, NOW + timedelta(days=2)) if row[0] == 1]
    assert [row[1] for row in turns] in (["A", "B", "A"], ["B", "A", "B"])
    assert [row[3] for row in turns[:-1]] == [row[2] for row in turns[1:]]


def test_an_empty_rotation_is_nobody(directory):
    """A schedule without people has no turns; the next level is the first on call, or nobody at all."""
    assert [user.id for user in first_on_call(directory, directory.policies["F"], NOW)] == ["B"]
    assert first_on_call(directory, directory.policies["G"], NOW) == []
    assert [user.id for user in first_on_call(directory, directory.policies["E"], NOW)] != []


@pytest.mark.parametrize(("hours", "spans"), [((8, 18), [(8, 9), (9, 18)]), ((22, 6), [(22, 30)])])
def test_hours_restrict_every_turn(directory, hours, spans):
    """Of each day, in UTC; nights go over midnight, and hands change at nine in the morning."""
    directory.schedules["D"].hours = hours
    midnight = NOW.replace(hour=0)
    seen = _seen(directory, "E", midnight + timedelta(hours=7), midnight + timedelta(hours=23))
    found = [
        ((start - midnight) / timedelta(hours=1), (end - midnight) / timedelta(hours=1))
        for level, _, start, end in seen
        if level == 1
    ]
    assert found == spans
