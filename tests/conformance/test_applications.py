"""Front50's applications over both databases."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import text

from masthead.applications import SPINNAKER, Applications, NameRule, rows
from masthead.kernel.caller import Caller
from masthead.kernel.clock import to_ms
from masthead.kernel.errors import Conflict, InvalidRequest, NotFound, ValidationFailed
from masthead.kernel.secret import Secret

ANN, BEN = Caller(user="ann@example.com"), Caller(user="ben")
DEMO = {"name": "demo", "email": "team@example.com", "pdApiKey": "the-key", "slug": "s"}


@pytest.fixture
def applications(database, clock) -> Applications:
    return Applications(database, clock)


async def test_what_was_created_is_read_in_any_spelling(applications, clock):
    """Create, then get: Front50's document, with unknown attributes, instants and user."""
    created = await applications.create(DEMO, ANN)
    now = str(to_ms(clock.now()))
    assert created == {
        "name": "DEMO",
        "email": "team@example.com",
        "pdApiKey": "the-key",
        "slug": "s",
        "trafficGuards": [],
        "createTs": now,
        "updateTs": now,
        "lastModifiedBy": "ann@example.com",
    }
    for spelling in ("demo", "DEMO", " Demo "):
        assert await applications.get(spelling, ANN) == created


async def test_what_is_unknown_is_not_found(applications):
    """To get raises, to find gives None; names that cannot be stored are simply not there."""
    with pytest.raises(NotFound, match=r"Application not found \(id: nope\)"):
        await applications.get("nope", ANN)
    assert await applications.find("nope") is None
    assert await applications.find("no\0pe") is None
    assert await applications.find("no\ud800pe") is None


async def test_an_application_is_created_once(applications):
    """The second creation is told so, and changes nothing."""
    await applications.create(DEMO, ANN)
    with pytest.raises(InvalidRequest, match=r"^Application already exists$"):
        await applications.create({**DEMO, "name": "DEMO", "slug": "other"}, BEN)
    assert (await applications.get("demo", ANN))["slug"] == "s"
    assert len(await applications.history("demo")) == 1


async def test_of_many_creations_at_once_one_wins(applications):
    """A race for a name has one winner and clear losers."""
    results = await asyncio.gather(
        *(applications.create(DEMO, ANN) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, dict) for result in results) == 1
    assert {str(result) for result in results if not isinstance(result, dict)} == {
        "Application already exists"
    }


async def test_broken_rules_store_nothing(applications):
    """An invalid application leaves neither row nor history."""
    with pytest.raises(ValidationFailed) as caught:
        await applications.create({"name": "demo"}, ANN)
    assert caught.value.errors == ("Application must have a non-empty email",)
    assert await applications.find("demo") is None
    assert await applications.history("demo") == []


async def test_values_that_json_cannot_carry_are_refused(applications):
    """Half surrogates are the request's fault, not the server's."""
    for value in ("\ud800", {"deep": ["\udfff"]}):
        with pytest.raises(InvalidRequest):
            await applications.create({**DEMO, "slug": value}, ANN)


async def test_nul_in_an_attribute_is_kept(applications):
    """A NUL inside a value survives on both databases."""
    await applications.create({**DEMO, "slug": "a\0b"}, ANN)
    assert (await applications.get("demo"))["slug"] == "a\0b"


async def test_the_operators_name_rule_holds(database, clock):
    """A regex given at construction refuses names."""
    applications = Applications(database, clock, name_rule=NameRule("[A-Z]+"))
    with pytest.raises(ValidationFailed, match="Validation Failed"):
        await applications.create({**DEMO, "name": "demo-1"}, ANN)


async def test_a_merge_keeps_what_it_does_not_mention(applications, clock):
    """PATCH: attributes stay, createTs stays, updateTs and user move."""
    created = await applications.create(DEMO, ANN)
    await clock.advance(5)
    merged = await applications.merge("Demo", {"name": "DEMO", "email": None, "slug": ""}, BEN)
    assert merged == {
        **created,
        "slug": "",
        "updateTs": str(int(created["updateTs"]) + 5000),
        "lastModifiedBy": "ben",
    }
    assert await applications.get("demo") == merged


async def test_merges_at_once_lose_nothing(applications):
    """Two editors of different attributes do not overwrite each other."""
    await applications.create(DEMO, ANN)
    await asyncio.gather(*(applications.merge("demo", {"name": "demo", f"k{n}": n}, ANN) for n in range(10)))
    document = await applications.get("demo")
    assert all(document[f"k{n}"] == n for n in range(10))
    assert len(await applications.history("demo", 50)) == 11


async def test_a_merge_creates_what_is_missing(applications):
    """PATCH on nothing creates, under the same rules."""
    assert (await applications.merge("demo", DEMO, ANN))["name"] == "DEMO"
    with pytest.raises(ValidationFailed):
        await applications.merge("other", {"name": "other"}, ANN)
    assert await applications.find("other") is None


async def test_a_merge_is_validated_when_merged(applications):
    """Blanking the e-mail is refused, and nothing changes."""
    created = await applications.create(DEMO, ANN)
    with pytest.raises(ValidationFailed):
        await applications.merge("demo", {"name": "demo", "email": ""}, ANN)
    assert await applications.get("demo") == created


@pytest.mark.parametrize("how", ["merge", "replace"])
async def test_the_bodys_name_must_be_the_paths(applications, how):
    """PATCH and PUT of another name are refused in Front50's words."""
    with pytest.raises(
        InvalidRequest, match=r"^Application name 'DEMO' does not match path parameter 'other'$"
    ):
        await getattr(applications, how)("other", DEMO, ANN)
    with pytest.raises(InvalidRequest, match="path parameter 'demo'"):
        await getattr(applications, how)("demo", {"email": "a@b"}, ANN)


async def test_a_replacement_keeps_nothing_but_the_birth(applications):
    """PUT: what is not sent is gone, createTs stays."""
    created = await applications.create(DEMO, ANN)
    replaced = await applications.replace("demo", {"name": "demo", "email": "x@y"}, BEN)
    assert set(replaced) == {"name", "email", "trafficGuards", "createTs", "updateTs", "lastModifiedBy"}
    assert replaced["createTs"] == created["createTs"]
    assert int(replaced["updateTs"]) > int(created["updateTs"])


async def test_history_has_every_version_newest_first(applications):
    """Creation, changes and the deletion, under the limit; another life of the name goes on counting."""
    await applications.create(DEMO, ANN)
    await applications.merge("demo", {"name": "demo", "slug": "2"}, ANN)
    await applications.delete("demo", BEN)
    await applications.create({**DEMO, "slug": "3"}, ANN)
    versions = await applications.history("DEMO")
    assert [version.get("slug") for version in versions] == ["3", None, "2", "s"]
    assert versions[1]["deleted"] is True
    assert versions[1]["lastModifiedBy"] == "ben"
    assert "pdApiKey" not in versions[1]
    assert await applications.history("demo", 1) == versions[:1]
    assert await applications.history("demo", 0) == []
    assert await applications.history("n\0") == []


async def test_deleting_what_is_not_there_is_no_error(applications):
    """DELETE is as content with nothing."""
    await applications.delete("nope", ANN)
    await applications.delete("no\0pe", ANN)
    assert await applications.history("nope") == []


async def test_deletion_takes_its_subscribers_along(applications):
    """A subscriber runs in the deleting transaction; when it fails the application stays."""
    told = []

    def subscriber(connection, deletion):
        told.append((deletion.application, deletion.by))
        if len(told) == 1:
            raise RuntimeError("no")

    applications.on_deleted(subscriber)
    await applications.create(DEMO, ANN)
    with pytest.raises(RuntimeError):
        await applications.delete("DEMO", BEN)
    assert await applications.find("demo") is not None
    await applications.delete("DEMO", BEN)
    assert await applications.find("demo") is None
    assert set(told) == {("demo", "ben")}


async def test_spinnaker_always_exists(applications):
    """It is stored once, keeps its changes, and is not deleted."""
    await applications.ensure_spinnaker()
    await applications.merge(SPINNAKER, {"name": SPINNAKER, "pdApiKey": "k"}, ANN)
    await applications.ensure_spinnaker()
    document = await applications.get(SPINNAKER)
    assert document["email"]
    assert document["pdApiKey"] == "k"
    with pytest.raises(Conflict):
        await applications.delete("Spinnaker", ANN)


async def test_the_list_is_sorted_by_name_and_searched(applications):
    """Sorted alike on both databases, whatever their collation; filters search."""
    for name in ("b-1", "b", "_a", "a.z", "B_0"):
        await applications.create({**DEMO, "name": name}, ANN)
    assert [d["name"] for d in await applications.list_all()] == ["_A", "A.Z", "B", "B-1", "B_0"]
    assert [d["name"] for d in await applications.list_all(ANN, filters={"name": "b"})] == [
        "B",
        "B-1",
        "B_0",
    ]
    assert len(await applications.list_all(filters={})) == 5


async def test_many_are_found_by_one_question(applications):
    """find_many answers by the names it was asked."""
    await applications.create(DEMO, ANN)
    found = await applications.find_many(["DEMO", "demo", "nope", "no\0pe"])
    assert sorted(found) == ["DEMO", "demo"]
    assert applications.pd_api_key(found["demo"]) == Secret("the-key")
    assert await applications.find_many([]) == {}


async def test_two_masthead_on_one_database_agree(database, database_url, clock):
    """Creations and merges of two processes meet in the database, not in memory."""
    second = await type(database).open(database_url, clock=clock)
    try:
        here, there = Applications(database, clock), Applications(second, clock)
        await asyncio.gather(
            *(side.merge("demo", {**DEMO, f"k{n}": n}, ANN) for n in range(6) for side in (here, there))
        )
        assert {f"k{n}" for n in range(6)} <= set(await there.get("demo"))
        assert len(await here.history("demo", 50)) == 12
    finally:
        await second.close()


async def test_a_merge_waits_for_the_one_before(database, database_url, clock):
    """A merge that meets another process' unfinished change is laid over that change, not over the old version."""
    second = await type(database).open(database_url, clock=clock)
    applications = Applications(database, clock)
    await applications.create(DEMO, ANN)
    locked, release = threading.Event(), threading.Event()

    def slowly(connection):
        stored = rows.lock(connection, "demo")
        locked.set()
        release.wait(20)
        rows.change(connection, "demo", {**stored, "first": 1})

    try:
        slow = asyncio.ensure_future(second.write(slowly))
        await asyncio.to_thread(locked.wait, 20)
        merge = asyncio.ensure_future(applications.merge("demo", {"name": "demo", "second": 2}, BEN))
        while database.is_postgresql and not merge.done() and not await database.read(is_somebody_waiting):
            pass
        release.set()
        await asyncio.gather(slow, merge)
    finally:
        release.set()
        await second.close()
    assert {"first", "second"} <= set(await applications.get("demo"))


def is_somebody_waiting(connection) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return connection.execute(text(waiting)).scalar_one() > 0
