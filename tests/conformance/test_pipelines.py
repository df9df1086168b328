"""Front50's pipelines over both databases."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import text

from masthead.applications import Applications
from masthead.kernel.caller import Caller
from masthead.kernel.clock import to_ms
from masthead.kernel.errors import IncompletePipeline, InvalidRequest, NotFound
from masthead.kernel.ids import UlidIds
from masthead.pipelines import Pipelines, rows
from masthead.pipelines.document import accept

ANN, BEN = Caller(user="ann@example.com"), Caller(user="ben")
RELEASE = {
    "name": "release",
    "application": "demo",
    "stages": [{"refId": "1", "requisiteStageRefIds": [], "type": "wait", "mine": {"kept": None}}],
    "description": "unknown to us",
}


@pytest.fixture
def pipelines(database, clock, ids) -> Pipelines:
    return Pipelines(database, clock, ids)


async def save(pipelines: Pipelines, name: str, **more):
    return await pipelines.save({"name": name, "application": "demo", **more}, ANN)


async def names(pipelines: Pipelines, **filters) -> list[str]:
    return [one["name"] for one in await pipelines.of_application("demo", **filters)]


async def test_what_was_saved_is_read(pipelines, clock):
    """Save, then get by id and by name: unknown keys kept, instants and user set."""
    saved = await pipelines.save(RELEASE, ANN)
    now = str(to_ms(clock.now()))
    assert saved == {
        **RELEASE,
        "id": saved["id"],
        "schema": "1",
        "triggers": [],
        "index": 0,
        "createTs": now,
        "updateTs": now,
        "lastModifiedBy": "ann@example.com",
    }
    assert await pipelines.get(saved["id"]) == saved
    assert await pipelines.get_named("Demo", "RELEASE") == saved
    assert await pipelines.find("demo", "Release") == saved
    assert await pipelines.find("demo", saved["id"]) == saved


async def test_what_is_unknown_is_not_found(pipelines):
    """Front50's sentences; what cannot be stored is simply not there."""
    with pytest.raises(NotFound, match="No pipeline found with id nope"):
        await pipelines.get("nope")
    with pytest.raises(NotFound, match="No pipeline found in cache with application demo, name nope"):
        await pipelines.get_named("demo", "nope")
    for strange in ("nope", "no\0pe", "no\ud800pe"):
        assert await pipelines.find("demo", strange) is None
        assert await pipelines.of_application(strange) == []
        assert await pipelines.history(strange) == []


async def test_an_id_of_another_application_is_not_found_in_this_one(pipelines):
    """Nobody starts a pipeline through an application that it does not belong to."""
    saved = await pipelines.save(RELEASE, ANN)
    assert await pipelines.find("other", saved["id"]) is None


async def test_a_name_goes_before_an_id(pipelines):
    """When one pipeline's name is another's id, the name wins."""
    await save(pipelines, "first", id="second")
    second = await save(pipelines, "second")
    assert await pipelines.find("demo", "second") == second


async def test_incomplete_pipelines_are_not_saved(pipelines):
    """No name, no pipeline."""
    with pytest.raises(IncompletePipeline):
        await pipelines.save({"application": "demo"}, ANN)


async def test_a_name_is_unique_in_its_application_in_any_case(pipelines):
    """Front50's sentence; the same name in another application is free."""
    saved = await pipelines.save(RELEASE, ANN)
    with pytest.raises(
        InvalidRequest,
        match=r"^A pipeline with name RELEASE already exists in application demo$",
    ):
        await save(pipelines, " RELEASE ")
    await pipelines.save({**RELEASE, "application": "other"}, ANN)
    await pipelines.save({**saved, "name": "Release"}, ANN)


async def test_of_many_creations_at_once_one_wins(pipelines, database_url, database, clock):
    """Also from two processes: one pipeline, clear losers."""
    second = await type(database).open(database_url, clock=clock)
    try:
        there = Pipelines(second, clock, UlidIds())
        results = await asyncio.gather(
            *(side.save(RELEASE, ANN) for _ in range(6) for side in (pipelines, there)),
            return_exceptions=True,
        )
    finally:
        await second.close()
    refused = {str(result) for result in results if not isinstance(result, dict)}
    assert refused == {"A pipeline with name release already exists in application demo"}
    assert await names(pipelines) == ["release"]


async def test_a_pipeline_of_another_application_is_not_overwritten(pipelines):
    """Naming an id is not owning it."""
    saved = await pipelines.save(RELEASE, ANN)
    with pytest.raises(InvalidRequest, match="belongs to a pipeline of another application") as caught:
        await pipelines.save({**RELEASE, "id": saved["id"], "application": "other"}, BEN)
    assert caught.value.pointer == "/id"
    assert await pipelines.get(saved["id"]) == saved


async def test_a_stale_pipeline_is_refused_when_asked(pipelines):
    """Two editors: the second is told, with both versions, and may insist."""
    first = await pipelines.save(RELEASE, ANN)
    second = await pipelines.save({**first, "description": "2"}, ANN, stale_check=True)
    assert int(second["updateTs"]) > int(first["updateTs"])
    sentence = (
        f"The submitted pipeline is stale.  submitted updateTs {first['updateTs']} "
        f"does not match stored updateTs {second['updateTs']}"
    )
    with pytest.raises(InvalidRequest) as caught:
        await pipelines.save({**first, "description": "3"}, BEN, stale_check=True)
    assert (caught.value.message, caught.value.errors) == (sentence, (sentence,))
    await pipelines.save({**first, "description": "3"}, BEN)
    await pipelines.save({**RELEASE, "id": first["id"]}, BEN, stale_check=True)


async def test_a_graph_that_cannot_run_is_not_saved(pipelines):
    """Every problem in one answer, pointing at the first."""
    stages = [{"refId": "1", "requisiteStageRefIds": ["2"]}, {"refId": "1", "name": "again"}]
    with pytest.raises(InvalidRequest) as caught:
        await save(pipelines, "broken", stages=stages)
    assert caught.value.pointer == "/stages/1/refId"
    assert len(caught.value.errors) == 2
    assert caught.value.message == "\n".join(caught.value.errors)
    assert await names(pipelines) == []


async def test_a_template_that_would_be_stored_here_does_not_exist(pipelines):
    """Templates are not part of this; a pipeline that needs one is refused with the way out."""
    template = {"type": "templatedPipeline", "template": {"reference": "spinnaker://t"}}
    with pytest.raises(InvalidRequest, match="spinnaker://t does not exist"):
        await save(pipelines, "templated", **template)
    await save(pipelines, "elsewhere", type="templatedPipeline", template={"reference": "https://x"})


async def test_what_json_cannot_carry_is_refused(pipelines):
    """Half surrogates in a definition are the request's fault."""
    with pytest.raises(InvalidRequest):
        await save(pipelines, "odd", description="\ud800")
    assert (await save(pipelines, "even", description="a\0b"))["description"] == "a\0b"


async def test_answers_count_from_zero(pipelines):
    """New pipelines come last; gaps of deletions and given indices do not show."""
    await save(pipelines, "c")
    await save(pipelines, "b", index=7)
    await save(pipelines, "a")
    assert await names(pipelines) == ["c", "b", "a"]
    await pipelines.delete("demo", "c", ANN)
    answer = await pipelines.of_application("DEMO")
    assert [(one["name"], one["index"]) for one in answer] == [("b", 0), ("a", 1)]
    assert (await pipelines.get_named("demo", "b"))["index"] == 7


async def test_a_pipeline_keeps_its_place_when_saved_without_one(pipelines):
    """Without index the stored one stays."""
    await save(pipelines, "a")
    second = await save(pipelines, "b")
    assert (await save(pipelines, "b2", id=second["id"]))["index"] == 1


async def test_lists_are_filtered(pipelines):
    """Name, enabled state and limit; the index counts what is left."""
    for name in ("Deploy", "build", "deploy canary"):
        await save(pipelines, name, disabled=name == "Deploy")
    assert await names(pipelines, name_filter="DEPLOY") == ["Deploy", "deploy canary"]
    assert await names(pipelines, enabled=True) == ["build", "deploy canary"]
    assert await names(pipelines, enabled=False) == ["Deploy"]
    assert await names(pipelines, limit=1) == ["Deploy"]
    assert await names(pipelines, limit=99, name_filter="canary", enabled=True) == ["deploy canary"]
    (last,) = await pipelines.of_application("demo", name_filter="canary")
    assert last["index"] == 0


async def test_all_pipelines_stand_by_application(pipelines):
    """Sorted by application, then in their order; trigger filters apply."""
    cron = [{"type": "cron", "enabled": True}]
    await pipelines.save({"name": "z", "application": "B", "triggers": cron}, ANN)
    await pipelines.save({"name": "y", "application": "a"}, ANN)
    await pipelines.save({"name": "x", "application": "b"}, ANN)
    assert [one["name"] for one in await pipelines.list_all(ANN)] == ["y", "z", "x"]
    assert [one["name"] for one in await pipelines.list_all(trigger_types=["cron"])] == ["z"]
    assert [one["name"] for one in await pipelines.list_all(enabled_triggers=True, enabled=True)] == ["z"]


async def test_an_update_needs_its_pipeline(pipelines):
    """PUT: unknown is 404, another id is 400 in Front50's words, no id means the path's."""
    with pytest.raises(NotFound):
        await pipelines.update("nope", RELEASE, ANN)
    saved = await pipelines.save(RELEASE, ANN)
    with pytest.raises(InvalidRequest) as caught:
        await pipelines.update(saved["id"], {**RELEASE, "id": "x"}, ANN)
    assert caught.value.message == f"The provided id x doesn't match the existing pipeline id {saved['id']}"
    updated = await pipelines.update(saved["id"], {**RELEASE, "name": "renamed"}, BEN)
    assert (updated["id"], updated["createTs"]) == (saved["id"], saved["createTs"])
    assert await names(pipelines) == ["renamed"]
    other = await save(pipelines, "other")
    with pytest.raises(InvalidRequest, match="already exists"):
        await pipelines.update(other["id"], {**other, "name": "Renamed"}, ANN)
    with pytest.raises(InvalidRequest, match="stale"):
        await pipelines.update(saved["id"], saved, ANN, stale_check=True)


async def test_an_update_never_revives_a_deleted_pipeline(pipelines, ids):
    """A pipeline deleted between looking and writing stays deleted."""
    submitted = accept({**RELEASE, "id": "gone"}, ids)
    with pytest.raises(NotFound):
        await pipelines._store(submitted, ANN, stale_check=False, must_exist=True)
    assert await names(pipelines) == []


async def test_a_pipeline_is_deleted_by_name(pipelines):
    """In any case; a second time there is none; the history stays and ends with who deleted it."""
    saved = await pipelines.save(RELEASE, ANN)
    await pipelines.delete("Demo", "RELEASE", BEN)
    with pytest.raises(NotFound, match="No pipeline found with name 'RELEASE' in application 'demo'"):
        await pipelines.delete("demo", "RELEASE", BEN)
    versions = await pipelines.history(saved["id"])
    assert versions[0]["deleted"] is True
    assert versions[0]["lastModifiedBy"] == "ben"
    assert versions[1:] == [saved]


async def test_history_is_newest_first_and_limited(pipelines):
    """Every save is a version."""
    saved = await pipelines.save(RELEASE, ANN)
    for n in range(3):
        await pipelines.save({**saved, "description": str(n)}, ANN)
    versions = await pipelines.history(saved["id"], 2)
    assert [version["description"] for version in versions] == ["2", "1"]
    assert len(await pipelines.history(saved["id"])) == 4
    assert await pipelines.history(saved["id"], 0) == []


async def test_reordering_moves_all_or_none(pipelines):
    """New places without a new version; a wrong id leaves everything where it was."""
    a, b, c = [await save(pipelines, name) for name in "abc"]
    foreign = await pipelines.save({"name": "x", "application": "other"}, ANN)
    await pipelines.reorder("DEMO", {a["id"]: 2, c["id"]: "0"}, ANN)
    assert await names(pipelines) == ["c", "b", "a"]
    assert (await pipelines.get(a["id"]))["updateTs"] == a["updateTs"]
    assert len(await pipelines.history(a["id"])) == 1
    with pytest.raises(InvalidRequest) as caught:
        await pipelines.reorder("demo", {a["id"]: 0, foreign["id"]: 1}, ANN)
    assert caught.value.message == f"Pipeline with id {foreign['id']} does not belong to application demo"
    with pytest.raises(NotFound):
        await pipelines.reorder("demo", {a["id"]: 0, b["id"]: 1, "zzz": 2}, ANN)
    assert await names(pipelines) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("application", "places", "message"),
    [
        ("", {}, "`application` is required field on request body"),
        (None, {}, "`application` is required field on request body"),
        ("demo", None, "`idsToIndices` is required field on request body"),
        ("demo", [], "`idsToIndices` is required field on request body"),
        ("demo", {"p": "x"}, "An index must be a whole number of 32 bits."),
    ],
)
async def test_an_incomplete_reordering_is_refused(pipelines, application, places, message):
    """What is missing is named."""
    with pytest.raises(InvalidRequest) as caught:
        await pipelines.reorder(application, places, ANN)
    assert caught.value.message == message


async def test_a_batch_saves_what_it_can(pipelines):
    """In order, each for itself, with Front50's result."""
    result = await pipelines.batch_save(
        [
            {"name": "a", "application": "demo"},
            {"name": "A", "application": "demo", "x": 1},
            {"name": "b"},
            5,
            {"name": "c", "application": "demo"},
        ],
        ANN,
    )
    assert result == {
        "successful_pipelines_count": 2,
        "successful_pipelines": ["a", "c"],
        "failed_pipelines_count": 3,
        "failed_pipelines": [
            {
                "name": "A",
                "application": "demo",
                "x": 1,
                "errorMsg": "A pipeline with name A already exists in application demo",
            },
            {"name": "b", "errorMsg": "A pipeline requires name and application fields"},
            {"errorMsg": "A pipeline is a JSON object."},
        ],
    }
    assert await names(pipelines) == ["a", "c"]
    with pytest.raises(InvalidRequest):
        await pipelines.batch_save({}, ANN)


async def test_a_batch_can_check_for_staleness(pipelines):
    """StaleCheck applies to each."""
    saved = await save(pipelines, "a")
    await pipelines.save(saved, ANN)
    result = await pipelines.batch_save([saved], ANN, stale_check=True)
    assert result["failed_pipelines"][0]["errorMsg"].startswith("The submitted pipeline is stale.  ")


async def test_the_pipelines_that_another_starts(pipelines):
    """By the triggers of all applications."""
    trigger = {"type": "pipeline", "enabled": True, "pipeline": "p", "status": ["successful"]}
    await pipelines.save({"name": "after", "application": "other", "triggers": [trigger]}, ANN)
    await save(pipelines, "idle")
    assert [one["name"] for one in await pipelines.triggered_by("p", "successful")] == ["after"]
    assert await pipelines.triggered_by("p", "failed") == []


async def test_an_application_takes_its_pipelines_along(database, clock, pipelines):
    """Deleting an application deletes its pipelines in the same transaction, and no others."""
    applications = Applications(database, clock)
    applications.on_deleted(pipelines.delete_of_application)
    await applications.create({"name": "Demo", "email": "a@b"}, ANN)
    saved = await pipelines.save(RELEASE, ANN)
    await pipelines.save({**RELEASE, "application": "other"}, ANN)
    await applications.delete("demo", BEN)
    assert await pipelines.of_application("demo") == []
    assert len(await pipelines.of_application("other")) == 1
    assert (await pipelines.history(saved["id"]))[0]["lastModifiedBy"] == "ben"


async def test_a_save_that_meets_another_process_unfinished_one_is_stale(
    pipelines, database, database_url, clock
):
    """Of two editors that save in one moment, on two machines, the second is told."""
    saved = await pipelines.save(RELEASE, ANN)
    second = await type(database).open(database_url, clock=clock)
    locked, release = threading.Event(), threading.Event()

    def slowly(connection):
        stored = rows.lock(connection, saved["id"])
        locked.set()
        release.wait(20)
        rows.store(connection, {**stored, "updateTs": str(int(stored["updateTs"]) + 1)}, is_new=False)

    try:
        slow = asyncio.ensure_future(second.write(slowly))
        await asyncio.to_thread(locked.wait, 20)
        late = asyncio.ensure_future(pipelines.save(saved, BEN, stale_check=True))
        while database.is_postgresql and not late.done() and not await database.read(is_somebody_waiting):
            pass
        release.set()
        await slow
        with pytest.raises(InvalidRequest, match="is stale"):
            await late
    finally:
        release.set()
        await second.close()


def is_somebody_waiting(connection) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return connection.execute(text(waiting)).scalar_one() > 0


async def test_pipelines_are_found_by_words_of_their_name_and_application(pipelines):
    """Every word must stand in either, in any case; wildcards are letters like others."""
    await save(pipelines, "Nightly release")
    await save(pipelines, "100% rollout", application="shop")
    await save(pipelines, "100 steps", application="shop")

    async def found(text: str, limit: int = 9) -> list[str]:
        return [one["name"] for one in await pipelines.search(text, limit=limit)]

    assert await found("RELEASE demo") == ["Nightly release"]
    assert await found("100%") == ["100% rollout"]
    assert await found("shop") == ["100 steps", "100% rollout"]
    assert await found("shop", limit=1) == ["100 steps"]
    assert await found("shop release") == []
    assert await found("\x00") == []
