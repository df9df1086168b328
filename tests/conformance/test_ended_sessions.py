"""Sessions that were ended: known to all machines of one database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from masthead.access.endings import LOOK_S, EndedSessions
from masthead.kernel.errors import StorageUnavailable
from masthead.kernel.tasks import Tasks


async def test_another_machine_learns_of_it(database, clock):
    """Within seconds, without being asked."""
    here, there = EndedSessions(database, clock), EndedSessions(database, clock)
    await here.end("one", until=clock.now() + timedelta(hours=1))
    assert "one" in here
    assert "one" not in there
    await there.look()
    assert "one" in there


async def test_it_is_forgotten_when_the_session_would_have_ended_anyway(database, clock):
    """So the table stays as small as the last days' logouts."""
    ended = EndedSessions(database, clock)
    await ended.end("one", until=clock.now() + timedelta(hours=1))
    await clock.advance(3601)
    await ended.end("two", until=clock.now() + timedelta(hours=1))
    assert ("one" in ended, "two" in ended) == (False, True)


async def test_a_logout_counts_while_the_database_does_not_answer(database, clock, monkeypatch):
    """Here at once, and on the others as soon as it answers again."""
    here, there = EndedSessions(database, clock), EndedSessions(database, clock)

    async def fails(*_: object) -> None:
        raise StorageUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(database, "write", fails)
        await here.end("one", until=clock.now() + timedelta(hours=1))
    assert "one" in here
    await here.look()
    await there.look()
    assert "one" in there


async def test_machines_compare_by_themselves(database, clock):
    """Every few seconds."""
    here, there = EndedSessions(database, clock), EndedSessions(database, clock)
    failures: list[object] = []
    tasks = Tasks(lambda *failure: failures.append(failure))
    tasks.start(there.run(), name="there")
    await here.end("one", until=clock.now() + timedelta(hours=1))
    for _ in range(200):
        await clock.advance(LOOK_S)
        await there.look()
        if "one" in there:
            break
    await tasks.close()
    assert "one" in there
    assert failures == []


@pytest.mark.parametrize("session", ["", "x" * 1000])
async def test_an_id_that_was_never_ended_goes_on(clock, session):
    """Also without a database."""
    assert session not in EndedSessions(None, clock)
