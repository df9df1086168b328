"""What a scrape looks up, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, text

from masthead.catalog import CatalogState
from masthead.kernel.clock import ManualClock, to_ms
from masthead.kernel.ids import UlidIds
from masthead.paging.backlog import _QUERY, count_pending, labels_of
from masthead.server.scrape import readings_of
from masthead.storage.census import list_machines
from masthead.storage.database import Database
from masthead.storage.machines import Machines, Rhythm
from masthead.storage.schema import attempt, burst, delivery, machine, page

NOW = ManualClock().now()
NOW_MS = to_ms(NOW)


def put_page(connection: Connection) -> None:
    row = dict.fromkeys(("message", "user", "address", "client", "application"), "x")
    row |= {"id": "P", "details": "{}", "links": "[]", "severity": "critical", "door": "v1"}
    connection.execute(insert(page).values(row | {"created_at": 0}))


def put(
    connection: Connection, number: int, *, age_s: int = 0, state: str = "pending", **more: object
) -> None:
    row = dict.fromkeys(("routing_key", "key_hash", "dedup_key", "label"), "x")
    row |= {"id": str(number), "page_id": "P", "position": number, "protocol": "v2", "state": state}
    row |= {"severity_rank": 0, "created_at": NOW_MS - age_s * 1000}
    connection.execute(insert(delivery).values(row | more))


@pytest.fixture
async def filled(database: Database) -> Database:
    def work(connection: Connection) -> None:
        put_page(connection)
        put(connection, 1, age_s=5, machine="M")
        put(connection, 2, age_s=40)
        put(connection, 3, age_s=30)
        put(connection, 4, age_s=20, folded_into="3")
        for number in range(10, 60):
            put(connection, number, age_s=900, state="accepted")

    await database.write(work)
    return database


async def test_what_is_pending_is_counted_by_what_it_does(filled):
    """What is being sent, what waits, what another speaks for; decided deliveries do not count."""
    found = await filled.read(lambda connection: count_pending(connection, NOW_MS))
    assert found.deliveries == {"sending": 1, "waiting": 2, "folded": 1}
    assert found.oldest_age_s == 40


async def test_nothing_pending_has_no_age(database):
    """Zero, so that an alert on the age is quiet."""
    found = await database.read(lambda connection: count_pending(connection, NOW_MS))
    assert (sum(found.deliveries.values()), found.oldest_age_s) == (0, 0.0)


async def test_the_count_reads_what_is_pending_and_no_more(filled):
    """The planner uses the partial index, so that a million decided deliveries cost nothing."""

    def plan(connection: Connection) -> str:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        query = str(_QUERY.compile(connection, compile_kwargs={"literal_binds": True}))
        prefix = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        return str(connection.execute(text(prefix + query)).all())

    assert "ix_delivery_key_hash" in await filled.read(plan)


async def test_machines_that_fell_silent_are_not_alive(database):
    """Those that beat are counted, whoever they are."""
    machines = Machines(database, ManualClock(), UlidIds(), version="test")
    await machines.start()
    silent = {"id": "OLD", "host": "h", "version": "v", "started_at": 0, "beat_at": 1}
    await database.write(lambda connection: connection.execute(insert(machine).values(silent)))
    reading = readings_of(database, ManualClock(), catalogs=dict)
    assert await reading.machines_alive() == 1
    await machines.stop()
    assert await reading.machines_alive() == 0


async def test_executions_that_have_not_ended_are_counted(database):
    """Each has a burst until its end; bursts of other kinds are none."""

    def work(connection: Connection) -> None:
        for kind, subject in (("execution", "a"), ("execution", "b"), ("routing-key", "c")):
            connection.execute(insert(burst).values(kind=kind, subject=subject, generation=1))

    await database.write(work)
    assert await readings_of(database, ManualClock(), catalogs=dict).executions_unfinished() == 2


async def test_catalogs_without_a_token_have_no_age(database):
    """Nobody expects PagerDuty's lists there; the others say how old they are."""

    def state(*, is_configured: bool) -> CatalogState:
        fetched = NOW - timedelta(seconds=90)
        return CatalogState(is_configured, False, True, 3, 4, fetched, None, None)

    catalogs = {"us": state(is_configured=True), "eu": state(is_configured=False)}
    reading = readings_of(database, ManualClock(), catalogs=lambda: catalogs, budget=lambda: (0.5, 2))
    (size,) = reading.catalogs()
    assert (size.account, size.services, size.oncalls) == ("us", 3, 4)
    assert (size.services_age_s, size.oncalls_age_s) == (90, None)
    assert (reading.budget().used_part, reading.budget().keys_at_limit) == (0.5, 2)


async def test_machines_are_listed_with_whether_they_live(database):
    """The oldest first; as the settings page shows them."""
    clock = ManualClock()
    one = Machines(database, clock, UlidIds(), version="1.0")
    await one.start()

    def work(connection: Connection) -> None:
        values = {"id": "silent", "host": "h", "version": "0.9", "started_at": 1, "beat_at": 2}
        connection.execute(insert(machine).values(values))

    await database.write(work)
    rows = await database.read(
        lambda connection: list_machines(connection, database.now_ms(connection), Rhythm())
    )
    assert [(row.id, row.version, row.is_alive) for row in rows] == [
        ("silent", "0.9", False),
        (one.id, "1.0", True),
    ]
    await one.stop()


async def test_a_key_goes_by_what_people_see_in_its_place(database):
    """The label of its newest delivery that was attempted; a key that was never attempted has none."""

    def work(connection: Connection) -> None:
        put_page(connection)
        for number, label in ((1, "Old name"), (2, "Checkout")):
            put(connection, number, state="accepted", label=label)
            row = dict.fromkeys(("outcome", "text", "protocol"), "x")
            row |= {"delivery_id": str(number), "number": 1, "at": number, "duration_ms": 1, "key_hash": "k"}
            connection.execute(insert(attempt).values(row))

    await database.write(work)
    assert await database.read(lambda connection: labels_of(connection, ["k", "never"])) == {"k": "Checkout"}
