"""Who is on call: which turn of a schedule covers an instant, and who a policy would wake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from masthead.simulator.organisation import Directory, Policy, Schedule, User

__all__ = ["Duty", "duties", "first_on_call"]

#: Turns are counted from this Monday morning.
_EPOCH = datetime(2024, 1, 1, 9, tzinfo=UTC)


class Duty(msgspec.Struct, frozen=True):
    """One person at one level of a policy; without schedule it is permanent and has no start and end."""

    policy: Policy
    level: int
    user: User
    schedule: Schedule | None = None
    start: datetime | None = None
    end: datetime | None = None


def duties(directory: Directory, policy: Policy, since: datetime, until: datetime) -> Iterator[Duty]:
    """Give everybody who is on call for *policy* at some time between *since* and *until*, level 1 first."""
    for number, targets in enumerate(policy.levels, start=1):
        for target in targets:
            user = directory.users.get(target)
            if user is not None:
                yield Duty(policy=policy, level=number, user=user)
                continue
            schedule = directory.schedules[target]
            for user_id, turn_start, turn_end in _turns(schedule, since, until):
                person = directory.users[user_id]
                for start, end in _hours(schedule, turn_start, turn_end):
                    if start <= until and end > since:
                        yield Duty(policy, number, person, schedule=schedule, start=start, end=end)


def first_on_call(directory: Directory, policy: Policy, now: datetime) -> list[User]:
    """Give the people of the lowest level at which anybody is on call; empty when nobody is at any."""
    found: list[User] = []
    level = 0
    for duty in duties(directory, policy, now, now):
        if found and duty.level != level:
            break
        level = duty.level
        found.append(duty.user)
    return found


def _turns(schedule: Schedule, since: datetime, until: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Give the turns (user's id, start, end) that touch the span, earliest first.

    Somebody alone in a rotation takes one turn after another, as in PagerDuty.
    """
    if not schedule.rotation:
        return
    turn = timedelta(hours=schedule.turn_hours)
    number = (since - _EPOCH) // turn
    while (start := _EPOCH + number * turn) <= until:
        yield schedule.rotation[number % len(schedule.rotation)], start, start + turn
        number += 1


def _hours(schedule: Schedule, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the parts of a turn that the schedule's hours leave, earliest first."""
    if schedule.hours is None:
        yield start, end
        return
    begin, stop = (timedelta(hours=hour) for hour in schedule.hours)
    if stop <= begin:
        stop += timedelta(days=1)
    day = start.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    while day < end:
        first, last = max(day + begin, start), min(day + stop, end)
        if first < last:
            yield first, last
        day += timedelta(days=1)
