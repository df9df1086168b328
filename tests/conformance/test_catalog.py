"""What the catalog promises, on both databases: never emptied by a failure, there at once after a restart."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import select, update

from masthead.catalog import Catalog
from masthead.kernel.clock import ManualClock
from masthead.kernel.errors import NotFound, OutsideFailure, Reason, StorageUnavailable
from masthead.kernel.secret import Secret
from masthead.pagerduty import Collected
from masthead.pagerduty.fakes import ScriptedReader
from masthead.storage.schema import catalog_snapshot
from unit.catalog.documents import key_of, oncall, service, whole

WRONG_TOKEN = OutsideFailure("PagerDuty answered 401. Check the token.", reason=Reason.TOKEN, status=401)
DOWN = OutsideFailure("PagerDuty could not be asked.", reason=Reason.NETWORK)


@pytest.fixture
def reader() -> ScriptedReader:
    scripted = ScriptedReader()
    scripted.answer("/services", whole(service("db"), service("web", "v1", "v2")))
    scripted.answer("/oncalls", whole(oncall("db", "Ann"), oncall("web", "Bo")))
    return scripted


@pytest.fixture
async def start(database, clock):
    built = []

    async def make(reader: ScriptedReader | None, **options) -> Catalog:
        catalog = Catalog(reader, database, clock, **options)
        built.append(catalog)
        await catalog.load()
        return catalog

    yield make
    for catalog in built:
        await catalog.close()


def names(catalog: Catalog) -> list[str]:
    return [service.name for service in catalog.services()]


async def test_a_refresh_brings_what_pagerduty_has(start, reader, clock):
    """Services, on-calls, their age; nothing is wrong."""
    catalog = await start(reader)
    assert catalog.services() == ()
    await catalog.refresh()
    state = catalog.state
    assert names(catalog) == ["db", "web"]
    assert [one.user_name for one in catalog.oncalls()] == ["Ann", "Bo"]
    assert [one.user_name for one in catalog.oncalls_of("EPWEB")] == ["Bo"]
    assert (state.services, state.oncalls, state.is_complete, state.is_loading) == (2, 2, True, False)
    assert state.services_fetched_at == state.oncalls_fetched_at == clock.now()
    assert state.trouble is None
    assert state.explanation is None
    assert catalog.service("PDB").name == "db"
    assert catalog.service_of_key(Secret(key_of("web1")))[0].name == "web"
    assert [one.name for one in catalog.search_services("bo")] == ["web"]


async def test_a_restart_serves_what_was_stored(start, reader, clock):
    """At once, with its age, keys and on-call documents included."""
    before = await start(reader)
    await before.refresh()
    then = clock.now()
    await clock.advance(3600)
    after = await start(ScriptedReader())
    assert after.services() == before.services()
    assert [one.document for one in after.oncalls()] == [one.document for one in before.oncalls()]
    assert after.state.services_fetched_at == then
    assert after.state.is_complete
    assert after.find_service("db").usable().key == Secret(key_of("db0"))


async def test_accounts_keep_their_own(start, reader):
    """Two accounts in one database do not mix."""
    await (await start(reader, account="us")).refresh()
    assert names(await start(None, account="eu")) == []
    assert names(await start(None, account="us")) == ["db", "web"]


@pytest.mark.parametrize("failure", [WRONG_TOKEN, DOWN])
async def test_a_failure_empties_nothing(start, reader, clock, failure):
    """What was known stays, also over a restart; the cause and its beginning are told until all is well again."""
    catalog = await start(reader)
    await catalog.refresh()
    then = clock.now()
    reader.answer("/services", failure)
    reader.answer("/oncalls", failure)
    await clock.advance(300)
    since = clock.now()
    await catalog.refresh()
    await clock.advance(300)
    await catalog.refresh()
    for served in (catalog, await start(reader)):
        assert names(served) == ["db", "web"]
        assert served.state.services_fetched_at == then
    trouble = catalog.state.trouble
    assert (trouble.reason, trouble.text, trouble.since, trouble.kind) == (
        failure.reason,
        failure.message,
        since,
        "services",
    )
    assert catalog.state.explanation == failure.message
    reader.answer("/services", whole(service("new")))
    reader.answer("/oncalls", whole())
    await catalog.refresh()
    assert names(catalog) == ["new"]
    assert catalog.state.trouble is None


async def test_services_and_oncalls_fail_apart(start, reader):
    """Each has its own age and trouble."""
    reader.answer("/oncalls", WRONG_TOKEN)
    catalog = await start(reader)
    await catalog.refresh()
    assert names(catalog) == ["db", "web"]
    assert catalog.state.oncalls_fetched_at is None
    assert catalog.state.trouble == catalog.state.oncalls_trouble
    assert catalog.state.trouble.kind == "oncalls"
    assert not catalog.state.is_complete


async def test_pages_that_failed_keep_their_last_entries(start, reader, clock):
    """New entries replace old ones of the same id; shifts that have ended do not come back."""
    over = clock.now().replace(hour=2).isoformat()
    later = clock.now().replace(hour=9).isoformat()
    reader.answer(
        "/oncalls",
        whole(oncall("db", "Ann", end=later), oncall("web", "Bo", end=over), oncall("web", "Cy", end=later)),
    )
    catalog = await start(reader)
    await catalog.refresh()
    reader.answer("/services", Collected([service("web", status="disabled")], [DOWN], total=2))
    reader.answer("/oncalls", Collected([oncall("web", "Cy", end=None)], [DOWN], total=3))
    await catalog.refresh()
    for served in (catalog, await start(None)):
        assert {one.name: one.status for one in served.services()} == {"web": "disabled", "db": "active"}
        assert {one.user_name: one.end for one in served.oncalls()} == {"Ann": later, "Cy": None}
        assert not served.state.is_complete
    assert catalog.state.trouble.reason is Reason.NETWORK


async def test_those_who_ask_at_once_share_one_refresh(start, reader):
    """And one that gives up waiting does not end it for the others."""
    catalog = await start(reader)
    reader.gate.clear()
    waiting = [asyncio.ensure_future(catalog.refresh()) for _ in range(5)]
    while len(reader.asked) < 2:  # noqa: ASYNC110 - over within a few rounds
        await asyncio.sleep(0)
    assert catalog.state.is_loading
    assert "are being read" in catalog.state.explanation
    waiting[0].cancel()
    reader.gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(reader.asked) == 2
    assert names(catalog) == ["db", "web"]
    assert not catalog.state.is_loading


async def test_what_a_first_reading_waits_for_is_told_meanwhile(start, reader, clock):
    """A refresh that is throttled takes minutes: until something was read the cause is told, and not only that it takes time."""
    throttled = OutsideFailure("PagerDuty answered 429.", reason=Reason.THROTTLED, status=429)
    began = clock.now()
    catalog = await start(reader)
    reader.gate.clear()
    reader.obstacle = throttled
    waiting = asyncio.ensure_future(catalog.refresh())
    while len(reader.asked) < 2:  # noqa: ASYNC110 - over within a few rounds
        await asyncio.sleep(0)
    state = catalog.state
    assert state.services_explanation == state.oncalls_explanation == throttled.message
    assert [(one.reason, one.since, one.kind) for one in (state.trouble, state.oncalls_trouble)] == [
        (Reason.THROTTLED, began, "services"),
        (Reason.THROTTLED, began, "oncalls"),
    ]
    reader.gate.set()
    await waiting
    assert catalog.state.trouble is None
    reader.gate.clear()
    waiting = asyncio.ensure_future(catalog.refresh())
    while len(reader.asked) < 4:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0)
    assert catalog.state.trouble is None
    reader.gate.set()
    await waiting


async def test_a_restart_is_told_what_its_first_reading_waits_for(start, reader, clock):
    """That an earlier run read everything hides no PagerDuty that cannot be reached now."""
    before = await start(reader)
    await before.refresh()
    catalog = await start(reader)
    assert catalog.state.asked_first_since is None
    reader.obstacle = DOWN
    began = clock.now()
    refreshing = await being_asked(reader, catalog)
    await clock.advance(9)
    assert names(catalog) == ["db", "web"]
    assert catalog.state.services_explanation == DOWN.message
    assert catalog.state.asked_first_since == began
    reader.gate.set()
    await refreshing
    assert catalog.state.asked_first_since is None
    refreshing = await being_asked(reader, catalog)
    assert (catalog.state.trouble, catalog.state.asked_first_since) == (None, None)
    reader.gate.set()
    await refreshing


async def being_asked(reader: ScriptedReader, catalog: Catalog) -> asyncio.Future[None]:
    """Begin a refresh that does not end before the reader's gate is opened."""
    reader.gate.clear()
    before = len(reader.asked)
    refreshing = asyncio.ensure_future(catalog.refresh())
    while len(reader.asked) < before + 2:  # noqa: ASYNC110 - over within a few rounds
        await asyncio.sleep(0)
    return refreshing


async def test_who_asks_of_a_key_during_the_first_reading_is_told(start, reader):
    """Else every key is unknown in the first seconds of an installation, and told by the wrong protocol."""
    catalog = await start(reader)
    key = Secret(key_of("web1"))
    await catalog.know([key], 5)
    refreshing = await being_asked(reader, catalog)
    knowing = asyncio.ensure_future(catalog.know([key], 5))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not knowing.done()
    reader.gate.set()
    await knowing
    assert catalog.service_of_key(key)[0].name == "web"
    await refreshing


async def test_the_first_reading_is_over_when_what_was_read_can_be_found(start, reader):
    """Between the two a key would be taken for nobody's."""
    catalog = await start(reader)
    key = Secret(key_of("web1"))
    async with catalog._indexing:
        refreshing = asyncio.ensure_future(catalog.refresh())
        while catalog.state.services_fetched_at is None:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        knowing = asyncio.ensure_future(catalog.know([key], 5))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not knowing.done()
    await knowing
    assert catalog.service_of_key(key)[0].name == "web"
    await refreshing


@pytest.mark.parametrize("end", ["time", "failure"])
async def test_a_first_reading_is_waited_for_in_bounds(start, reader, clock, end):
    """What it does not tell in time, or not at all, stays unknown."""
    reader.answer("/services", DOWN)
    catalog = await start(reader)
    refreshing = await being_asked(reader, catalog)
    knowing = asyncio.ensure_future(catalog.know([Secret("x" * 32)], 5))
    for _ in range(5):
        await asyncio.sleep(0)
    if end == "time":
        await clock.advance(5)
        await knowing
    reader.gate.set()
    await refreshing
    await knowing


async def test_only_the_first_reading_is_waited_for(start, reader):
    """Whether it failed, succeeded, or was an earlier process's; and for a key that is known nobody waits at all."""
    reader.answer("/services", DOWN)
    catalog = await start(reader)
    await catalog.refresh()
    refreshing = await being_asked(reader, catalog)
    await catalog.know([Secret("x" * 32)], 5)
    reader.answer("/services", whole(service("web", "v1")))
    reader.gate.set()
    await refreshing
    await catalog.refresh()
    later = await start(reader)
    refreshing = await being_asked(reader, later)
    await later.know([Secret("x" * 32)], 5)
    reader.gate.set()
    await refreshing


class StridingClock(ManualClock):
    """A clock on which waits are over at once, until it was asked so many times."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.enough = asyncio.Event()
        self._most = waits

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) >= self._most:
            self.enough.set()
            await asyncio.Event().wait()


async def test_for_an_unknown_key_only_what_is_old_is_read_anew(start, reader, clock):
    """Nothing is asked for a key that is known, nor again when PagerDuty was asked since; a hanging PagerDuty holds up nobody."""
    catalog, known, unknown = await start(reader), Secret(key_of("web0")), Secret(key_of("new0"))
    await catalog.refresh()
    before = len(reader.asked)
    await catalog.know_anew([unknown], clock.now() - timedelta(seconds=1), 5)
    await catalog.know_anew([known], clock.now(), 5)
    assert len(reader.asked) == before
    reader.answer("/services", whole(service("new", "v1")))
    await catalog.know_anew([known, unknown], clock.now(), 5)
    assert catalog.service_of_key(unknown)[0].name == "new"
    reader.gate.clear()
    await catalog.know_anew([known], clock.now(), 0)


async def test_it_is_refreshed_every_few_minutes(database, reader):
    """Now, and again after waits that differ, so that many machines do not ask at once."""
    clock = StridingClock(5)
    catalog = Catalog(reader, database, clock, chance=random.Random(1))
    running = asyncio.ensure_future(catalog.run())
    await clock.enough.wait()
    running.cancel()
    await catalog.close()
    assert len([path for path, _ in reader.asked if path == "/services"]) == 5
    assert len(set(clock.waits)) == 5
    assert all(270 <= wait <= 330 for wait in clock.waits)
    assert reader.is_closed


async def test_the_loop_outlives_whatever_happens(database, reader):
    """Even a mistake of ours is logged, and tried again."""

    class Broken(ScriptedReader):
        async def collect(self, path, item_key, params=()):
            raise ZeroDivisionError(path)

    clock = StridingClock(3)
    catalog = Catalog(Broken(), database, clock)
    with structlog.testing.capture_logs() as logs:
        running = asyncio.ensure_future(catalog.run())
        await clock.enough.wait()
        running.cancel()
        await catalog.close()
    assert [line["event"] for line in logs].count("catalog.refresh-broken") == 3


async def test_without_a_token_the_cause_is_told(start, clock):
    """Since the start, with what to do; a refresh does nothing."""
    catalog = await start(None)
    began = clock.now()
    await clock.advance(60)
    await catalog.refresh()
    trouble = catalog.state.trouble
    assert (trouble.reason, trouble.since) == (Reason.NOT_CONFIGURED, began)
    assert "PAGERDUTY_TOKEN" in trouble.text
    assert not catalog.state.is_configured
    with pytest.raises(NotFound, match="PAGERDUTY_TOKEN"):
        catalog.find_service("db")


async def test_an_empty_list_is_explained(start, reader):
    """Before the first answer and after one without services; who looks for a service reads it too."""
    catalog = await start(reader)
    assert "have not been read yet" in catalog.state.explanation
    reader.answer("/services", whole())
    await catalog.refresh()
    assert "shows this token no service" in catalog.state.explanation
    with pytest.raises(NotFound, match="shows this token no service"):
        catalog.find_service("db")
    reader.answer("/services", WRONG_TOKEN)
    await catalog.refresh()
    with pytest.raises(NotFound, match=r"Check the token\."):
        catalog.find_service("db")


async def test_what_cannot_be_stored_is_served_nevertheless(start, reader, database, monkeypatch):
    """It is logged, and the next refresh tries again."""

    async def full(_work):
        raise StorageUnavailable("The disk is full")

    catalog = await start(reader)
    monkeypatch.setattr(database, "write", full)
    with structlog.testing.capture_logs() as logs:
        await catalog.refresh()
    assert names(catalog) == ["db", "web"]
    assert {line["kind"] for line in logs if line["event"] == "catalog.not-stored"} == {"services", "oncalls"}


@pytest.mark.parametrize("document", ["{", "{}", "[1]", ""])
async def test_a_broken_snapshot_is_none(start, reader, database, document):
    """The start does not fail for it."""
    await (await start(reader)).refresh()
    await database.write(lambda c: c.execute(update(catalog_snapshot).values(document=document)))
    catalog = await start(reader)
    assert catalog.services() == ()
    await catalog.refresh()
    assert names(catalog) == ["db", "web"]


async def test_keys_stand_in_the_services_snapshot_only(start, reader, database):
    """Neither in the on-calls' nor in any log line or state."""
    catalog = await start(reader)
    with structlog.testing.capture_logs() as logs:
        await catalog.refresh()
        reader.answer("/services", Collected([service("db")], [DOWN], total=2))
        await catalog.refresh()
    rows = await database.read(lambda c: c.execute(select(catalog_snapshot)).all())
    by_kind = {row.kind: row.document for row in rows}
    assert key_of("db0") in by_kind["services"]
    elsewhere = f"{by_kind['oncalls']} {logs} {catalog.state} {catalog.services()} {catalog.oncalls()}"
    for key in (key_of("db0"), key_of("web0"), key_of("web1")):
        assert key not in elsewhere


async def test_every_refresh_says_what_came(start, reader):
    """One line a list; a failure names reason, status and since when."""
    catalog = await start(reader)
    with structlog.testing.capture_logs() as logs:
        await catalog.refresh()
        reader.answer("/services", WRONG_TOKEN)
        await catalog.refresh()
    refreshed = [line for line in logs if line["event"] == "catalog.refreshed"]
    assert {(line["kind"], line["entries"]) for line in refreshed} == {("services", 2), ("oncalls", 2)}
    failed = next(line for line in logs if line["event"] == "catalog.refresh-failed")
    assert (failed["kind"], failed["reason"], failed["status"]) == ("services", Reason.TOKEN, 401)
    assert failed["since"]


async def test_ten_thousand_services_are_searched_on_a_prepared_text(start, reader):
    """Every word is looked up in one text a service that was worked out before."""
    reader.answer(
        "/services", whole(*(service(f"service {number}", id=f"P{number}") for number in range(10_000)))
    )
    reader.answer("/oncalls", whole(*(oncall(f"{number}", f"Person {number}") for number in range(10_000))))
    catalog = await start(reader)
    await catalog.refresh()
    assert [one.id for one in catalog.search_services("person 4711 platform")] == ["P4711"]
    assert catalog.find_service("service 9999").id == "P9999"
