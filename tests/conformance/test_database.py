"""What Database promises, on both databases."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from masthead.kernel.clock import SystemClock, to_ms
from masthead.kernel.errors import StorageUnavailable
from masthead.storage import engine
from masthead.storage.database import Database
from masthead.storage.schema import installation
from masthead.storage.statements import insert_if_absent, upsert
from support.commits import commits_lose_their_answer


def put(name: str, value: str = "x"):
    def work(connection: Connection) -> str:
        connection.execute(insert(installation).values(name=name, value=value))
        return name

    return work


def put_unless_there():
    return postgresql.insert(installation).values(name="a", value="ours").on_conflict_do_nothing()


def names(connection: Connection) -> list[str]:
    return list(connection.execute(select(installation.c.name).order_by(installation.c.name)).scalars())


async def test_what_was_written_is_read_by_a_second_opening(database, database_url):
    """A write that returned is there for a process that opens the same database later."""
    assert await database.write(put("a")) == "a"
    second = await Database.open(database_url, clock=SystemClock())
    try:
        assert await second.read(names) == ["a"]
    finally:
        await second.close()


async def test_one_failing_unit_does_not_undo_the_others_of_its_group(database):
    """Units that ran in one group fail alone."""
    await database.write(put("taken"))
    results = await asyncio.gather(
        *(database.write(put(name)) for name in ("b", "taken", "c", "d")), return_exceptions=True
    )
    assert [type(r) for r in results] == [str, IntegrityError, str, str]
    assert await database.read(names) == ["b", "c", "d", "taken"]


async def test_a_commit_whose_answer_is_lost_is_told_apart(database):
    """It may be stored, and whoever asked can act on that; the next write is as good as ever."""
    with commits_lose_their_answer(database), pytest.raises(StorageUnavailable) as lost:
        await database.write(put("a"))
    assert lost.value.may_be_stored
    await database.write(put("b"))
    assert await database.read(names) == ["a", "b"]


async def test_a_unit_that_raises_leaves_nothing(database):
    """What a raising unit wrote before is rolled back."""

    def work(connection: Connection) -> None:
        put("half")(connection)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(work)
    assert await database.read(names) == []


async def test_a_machine_that_stands_still_in_a_transaction_holds_up_nobody(database_url, monkeypatch):
    """PostgreSQL ends its transaction and frees its locks; when it goes on, its work is done from the beginning."""
    if database_url.startswith("sqlite"):
        pytest.skip("the machines of a SQLite file stand on one computer, and one of them writes at a time")
    monkeypatch.setattr(engine, "_TRANSACTION_TIMEOUT_MS", 200)
    frozen, other = [await Database.open(database_url, clock=SystemClock()) for _ in range(2)]
    stands_still, goes_on, runs = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def work(connection: Connection) -> None:
        runs.append(connection.execute(put_unless_there()).rowcount)
        if len(runs) == 1:
            loop.call_soon_threadsafe(stands_still.set)
            goes_on.wait(20)
        connection.execute(select(installation.c.name))

    freezing = asyncio.ensure_future(frozen.write(work))
    try:
        await stands_still.wait()
        async with asyncio.timeout(10):
            assert await other.write(put("a", "theirs")) == "a"
        goes_on.set()
        await freezing
        assert len(runs) == 2
        assert await other.read(names) == ["a"]
    finally:
        goes_on.set()
        await frozen.close()
        await other.close()


async def test_many_writers_share_commits(database):
    """Everything that waits is stored, whatever the number of writers."""
    await asyncio.gather(*(database.write(put(f"n{i:04}")) for i in range(600)))
    assert (
        await database.read(lambda c: c.execute(select(func.count()).select_from(installation)).scalar())
        == 600
    )


async def test_upsert_replaces_and_insert_if_absent_keeps(database):
    """The two statements that differ by dialect mean the same on both."""

    def work(connection: Connection) -> tuple[bool, bool, list[str]]:
        upsert(connection, installation, {"name": "a", "value": "1"}, key=["name"])
        upsert(connection, installation, {"name": "a", "value": "2"}, key=["name"])
        first = insert_if_absent(connection, installation, {"name": "b", "value": "1"}, key=["name"])
        second = insert_if_absent(connection, installation, {"name": "b", "value": "2"}, key=["name"])
        values = connection.execute(select(installation.c.value).order_by(installation.c.name)).scalars()
        return first, second, list(values)

    assert await database.write(work) == (True, False, ["2", "1"])


async def test_the_shared_clock_is_near_ours(database):
    """now_ms gives milliseconds since 1970."""
    assert abs(await database.read(database.now_ms) - to_ms(SystemClock().now())) < 60_000


async def test_a_postgresql_that_vanishes_without_a_word_is_given_up_within_seconds(postgresql):
    """Linux alone would wait for a quarter of an hour; who knows better says so in the URL."""
    url = postgresql.new_database()
    joint = "&" if "?" in url else "?"
    for query, seconds in (("", "5"), (f"{joint}connect_timeout=9", "9")):
        database = await Database.open(url + query, clock=SystemClock())
        try:
            told = await database.read(lambda c: c.connection.driver_connection.info.get_parameters())
        finally:
            await database.close()
        assert (told["connect_timeout"], told["tcp_user_timeout"]) == (seconds, "10000")
        assert {told["keepalives_idle"], told["keepalives_interval"], told["keepalives_count"]} == {
            "5",
            "2",
            "3",
        }
