"""What executions promise, on both databases and with several machines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from masthead.executions import ExecutionType, store
from masthead.executions.fakes import FakePaging, FakePipelines
from masthead.executions.matching import Search
from masthead.executions.model import from_document
from masthead.executions.status import Status
from masthead.kernel.clock import SystemClock, to_ms
from masthead.kernel.errors import Conflict, InvalidRequest, NotFound
from masthead.storage.database import Database
from support.engines import ANN, PATIENCE_S, WAIT, Machine

KEY = "0123456789abcdef0123456789abcdea"
PAGE = {"type": "pageApplicationOwner", "keys": [KEY], "message": "down"}


@pytest.fixture
async def machine(database) -> AsyncIterator[Machine]:
    started = await Machine(database, FakePaging(SystemClock()), FakePipelines()).start()
    yield started
    await started.stop()


async def test_a_pipeline_runs_as_its_graph_says(machine):
    """Two branches and a join, with a page and a wait of a moment: everything succeeds, one page goes out."""
    done = await machine.run(
        {"refId": "1", "type": "wait", "waitTime": 0.05},
        {"refId": "2", "requisiteStageRefIds": ["1"], **PAGE},
        {"refId": "3", "requisiteStageRefIds": ["1"], "type": "wait"},
        {"refId": "4", "requisiteStageRefIds": ["2", "3"], "type": "wait"},
    )
    assert done["status"] == "SUCCEEDED"
    assert {stage["status"] for stage in done["stages"]} == {"SUCCEEDED"}
    assert len(machine.paging.drafts) == 1
    assert done["stages"][3]["startTime"] >= done["stages"][1]["endTime"]


async def test_a_task_can_be_read_the_moment_it_was_started(machine):
    """Read-your-writes: Deck asks at once."""
    task_id = await machine.executions.start_tasks({"job": [PAGE]}, ANN)
    assert (await machine.executions.get_task(task_id))["id"] == task_id
    done = await machine.executions.wait(task_id, PATIENCE_S)
    assert done["steps"][0]["status"] == "SUCCEEDED"


async def test_a_wait_gives_what_there_is_when_its_time_is_over(machine):
    """An execution that does not end is given as it stands."""
    execution_id = await machine.begin(WAIT)
    assert (await machine.executions.wait(execution_id, 0.05))["status"] in ("NOT_STARTED", "RUNNING")


async def test_an_execution_that_was_cut_is_finished_by_the_next_start_and_pages_once(database):
    """The process ends while the page is on its way; the next one asks for the same page and finishes."""
    paging, pipelines = FakePaging(SystemClock()), FakePipelines()
    paging.is_holding = True
    first = await Machine(database, paging, pipelines).start()
    execution_id = await first.begin({"type": "wait"}, PAGE, {"type": "wait"})
    while not paging.drafts:
        await first.until_running(execution_id)
    await first.stop()
    paging.decide("page-1")
    second = await Machine(database, paging, pipelines).start()
    done = await second.executions.wait(execution_id, PATIENCE_S)
    await second.stop()
    assert done["status"] == "SUCCEEDED"
    assert len(paging.drafts) == 1


async def test_another_machine_sees_what_one_machine_runs(database):
    """A wait on a machine that runs nothing itself ends when the execution does."""
    paging, pipelines = FakePaging(SystemClock()), FakePipelines()
    one = await Machine(database, paging, pipelines).start()
    other = Machine(database, paging, pipelines)
    execution_id = await one.begin({"type": "wait", "waitTime": 0.05})
    assert (await other.executions.wait(execution_id, PATIENCE_S))["status"] == "SUCCEEDED"
    await one.stop()


async def test_cancelling_ends_a_waiting_execution(machine):
    """What runs ends CANCELED, with who and why."""
    execution_id = await machine.begin(WAIT, WAIT)
    await machine.until_running(execution_id)
    await machine.executions.cancel(execution_id, ANN, "enough", kind=ExecutionType.PIPELINE)
    done = await machine.executions.wait(execution_id, PATIENCE_S)
    assert done["status"] == "CANCELED"
    assert [stage["status"] for stage in done["stages"]] == ["CANCELED", "NOT_STARTED"]
    assert (done["canceled"], done["canceledBy"]) == (True, "ann@example.com")
    assert done["cancellationReason"] == "enough"
    await machine.executions.cancel(execution_id, ANN, "again")
    assert (await machine.executions.get_pipeline(execution_id))["cancellationReason"] == "enough"


async def test_cancelling_interrupts_a_stage_that_waits_for_its_page(machine):
    """Nobody waits for the patience of the page stage to end."""
    machine.paging.is_holding = True
    execution_id = await machine.begin(PAGE)
    while not machine.paging.drafts:
        await machine.until_running(execution_id)
    await machine.executions.cancel(execution_id, ANN)
    assert (await machine.executions.wait(execution_id, 4.0))["status"] == "CANCELED"


async def test_only_complete_executions_are_deleted(machine):
    """Orca's sentence while it runs; afterwards it is gone."""
    execution_id = await machine.begin(WAIT)
    with pytest.raises(Conflict, match=r"Cannot delete a running pipeline, please cancel it first."):
        await machine.executions.delete(execution_id, ANN)
    await machine.executions.cancel(execution_id, ANN)
    await machine.executions.wait(execution_id, PATIENCE_S)
    await machine.executions.delete(execution_id, ANN)
    with pytest.raises(
        NotFound, match=f"No pipeline found for {execution_id} with requireLatestVersion: false"
    ):
        await machine.executions.get_pipeline(execution_id)


async def test_tasks_and_pipelines_are_not_each_other(machine):
    """A pipeline's run is no task, in Orca's words, and the other way round."""
    execution_id = await machine.begin({"type": "wait"})
    with pytest.raises(NotFound, match=f"No orchestration found for {execution_id}"):
        await machine.executions.get_task(execution_id)
    with pytest.raises(NotFound, match=f"No orchestration found for {execution_id}"):
        await machine.executions.cancel(execution_id, ANN, kind=ExecutionType.ORCHESTRATION)
    with pytest.raises(NotFound, match="No pipeline found for nothing"):
        await machine.executions.wait("nothing", 1)


async def test_a_correlation_id_starts_once_however_many_machines_are_asked(machine, database_url):
    """Two machines that are asked at the same moment both give the one execution; others are not held up."""
    elsewhere = await Database.open(database_url, clock=SystemClock())
    other = await Machine(elsewhere, machine.paging, machine.pipelines).start()
    try:
        both = [one.executions for one in (machine, other)]
        for number in range(20):
            body = {"job": [WAIT], "trigger": {"correlationId": f"both-{number}"}}
            started = await asyncio.gather(*(one.start_tasks(body, ANN) for one in [*both, *both]))
            assert len(set(started)) == 1, number
    finally:
        await other.stop()
        await elsewhere.close()


async def test_the_same_correlation_id_gives_the_running_execution(machine):
    """Until it is complete; then a new one starts."""
    trigger = {"correlationId": "c1"}
    first = await machine.begin(WAIT, trigger=trigger)
    assert await machine.begin(WAIT, trigger=trigger) == first
    await machine.executions.cancel(first, ANN)
    await machine.executions.wait(first, PATIENCE_S)
    assert await machine.begin({"type": "wait"}, trigger=trigger) != first


async def test_the_same_execution_id_starts_once(machine):
    """Posting again what was posted before gives the first one."""
    first = await machine.begin(PAGE, executionId="01ARZ3NDEKTSV4RRFFQ69G5FAV")
    await machine.executions.wait(first, PATIENCE_S)
    assert await machine.begin(PAGE, executionId=first) == first
    assert len(machine.paging.drafts) == 1


async def test_a_disabled_pipeline_is_refused_and_recorded(machine):
    """The posted copy's flag records a TERMINAL execution, the stored one's does not."""
    machine.pipelines.stored["p1"] = {"id": "p1", "application": "demo", "name": "p"}
    with pytest.raises(InvalidRequest, match=r"Pipeline is disabled and cannot be started."):
        await machine.begin(PAGE, id="p1", disabled=True)
    (recorded,) = await machine.executions.list_pipelines("demo")
    assert recorded["status"] == "TERMINAL"
    assert recorded["cancellationReason"] == "Failed on startup: Pipeline is disabled and cannot be started."
    machine.pipelines.stored["p1"]["disabled"] = True
    with pytest.raises(InvalidRequest, match=r"The pipeline config p \(p1\) belonging to demo is disabled"):
        await machine.begin(PAGE, id="p1")
    assert machine.paging.drafts == []


async def test_a_pipeline_without_stages_ends_terminal(machine):
    """Accepted, and over at once, with the reason."""
    done = await machine.run()
    assert done["status"] == "TERMINAL"
    assert done["cancellationReason"] == "Failed on startup: There is no stage to run."


async def test_lists_are_orcas(machine):
    """Per pipeline the newest, oldest start first, not started ones before; only pipelines that exist."""
    for config_id in ("p1", "p2", "gone"):
        machine.pipelines.stored[config_id] = {"id": config_id, "application": "demo", "name": config_id}
        for _ in range(3):
            await machine.run({"type": "wait"}, id=config_id)
    del machine.pipelines.stored["gone"]
    found = await machine.executions.list_pipelines("demo", limit=2)
    assert sorted(each["pipelineConfigId"] for each in found) == ["p1", "p1", "p2", "p2"]
    assert [each["startTime"] for each in found] == sorted(each["startTime"] for each in found)
    assert await machine.executions.list_pipelines("demo", name_filter="P2", limit=1) == [found[-1]]
    assert await machine.executions.list_pipelines("demo", statuses=["RUNNING"]) == []
    reduced = await machine.executions.of_configs(["p1"], expand=False)
    assert reduced[0]["stages"][0]["tasks"] == []
    by_ids = await machine.executions.by_ids([found[0]["id"], "unknown"], statuses=["SUCCEEDED"])
    assert [each["id"] for each in by_ids] == [found[0]["id"]]


async def test_old_executions_are_listed_only_when_there_are_no_younger_ones(machine, monkeypatch):
    """Fourteen days, or else the newest two."""
    machine.pipelines.stored["p1"] = {"id": "p1", "application": "demo", "name": "p"}
    for _ in range(3):
        await machine.run({"type": "wait"}, id="p1")
    later = to_ms(machine.clock.now()) + 15 * 86_400_000
    monkeypatch.setattr(machine.executions, "_now_ms", lambda: later)
    assert len(await machine.executions.list_pipelines("demo", limit=5)) == 2
    assert await machine.executions.list_tasks() == []


async def test_tasks_are_listed_newest_first_in_parts(machine):
    """By application, by status, page by page."""
    ids = []
    for _ in range(3):
        task_id = await machine.executions.start_tasks({"application": "demo", "job": [PAGE]}, ANN)
        await machine.executions.wait(task_id, PATIENCE_S)
        ids.append(task_id)
    await machine.begin({"type": "wait"})
    listed = await machine.executions.list_tasks("demo")
    assert sorted(each["id"] for each in listed) == sorted(ids)
    assert [each["buildTime"] for each in listed] == sorted((t["buildTime"] for t in listed), reverse=True)
    second = await machine.executions.list_tasks("demo", page=2, limit=2)
    assert [each["id"] for each in second] == [listed[2]["id"]]
    assert await machine.executions.list_tasks("demo", statuses=["RUNNING"]) == []
    assert await machine.executions.list_tasks("other") == []
    assert len(await machine.executions.list_tasks()) == 3


async def test_many_executions_and_many_stages_finish(machine):
    """A hundred at once, one with 200 parallel and one with 500 stages in a line."""
    wide = {"refId": "0", "type": "wait"}
    parallel = [{"refId": str(n), "requisiteStageRefIds": ["0"], **PAGE} for n in range(1, 201)]
    line = [{"type": "wait"} for _ in range(500)]
    begun = [await machine.begin(wide, *parallel), await machine.begin(*line)]
    begun += [await machine.begin({"type": "wait"}, PAGE) for _ in range(100)]
    done = await asyncio.gather(*(machine.executions.wait(each, PATIENCE_S) for each in begun))
    assert {each["status"] for each in done} == {"SUCCEEDED"}
    assert len(machine.paging.drafts) == 300


async def test_all_runs_are_found_piece_by_piece_each_once(database):
    """Newest first, through all applications and in one, also where many were made in the same instant."""
    runs = [
        from_document({
            "id": f"run-{n:03}", "type": "PIPELINE", "application": f"app{n % 7}", "name": "release", "stages": [],
            "status": "TERMINAL" if n % 2 else "SUCCEEDED", "buildTime": min(n, 30), "trigger": {},
        })
        for n in range(60)
    ]  # fmt: skip

    def fill(connection):
        for one in runs:
            store.insert(connection, one)

    await database.write(fill)

    def walk(connection, search):
        found = store.ids_made_between(connection, search, limit=8)
        if len(found) < 8:
            return found
        at = min(int(found[-1][4:]), 30)
        return found + walk(connection, replace(search, after=(at, found[-1])))

    async def numbers(search):
        return [int(one[4:]) for one in await database.read(lambda connection: walk(connection, search))]

    assert await numbers(Search()) == list(reversed(range(60)))
    assert await numbers(Search(application="app3")) == [n for n in reversed(range(60)) if n % 7 == 3]
    assert await numbers(Search(statuses=("TERMINAL",))) == [n for n in reversed(range(60)) if n % 2]
    both = Search(statuses=("TERMINAL", "SUCCEEDED"))
    assert await numbers(both) == list(reversed(range(60)))


async def test_those_that_wait_for_somebody_are_found_however_many_run(database):
    """Until somebody decided, and piece by piece in their order; a list of any length knows them."""

    def made(number: int, **changes):
        of_run = {"type": changes.pop("kind", "PIPELINE"), "status": changes.pop("whole", "RUNNING")}
        stage = {
            "id": "s",
            "refId": "1",
            "name": "ask",
            "type": "manualJudgment",
            "status": "RUNNING",
            "context": {},
            **changes,
        }
        return from_document({
            "id": f"run-{number:04}", "application": f"app{number % 2}", "name": "release", "buildTime": number,
            "trigger": {}, "stages": [stage], **of_run,
        })  # fmt: skip

    running = [made(n, type="wait") for n in range(10, 1300)]
    others = [
        made(4, status="SUCCEEDED"),
        made(5, whole="PAUSED"),
        made(6, kind="ORCHESTRATION"),
        made(7, whole="CANCELED"),
    ]
    waiting = [made(n) for n in (1, 2, 3)]

    def fill(connection):
        for one in (*running, *others, *waiting):
            store.insert(connection, one)
        waiting[1].stages[0].status = Status.SUCCEEDED
        store.save(connection, waiting[1])

    await database.write(fill)
    ids = [one.id for one in (*running, *others, *waiting)]

    def look(connection):
        everything = Search(is_awaiting=True, statuses=("TERMINAL",))
        return (
            store.ids_made_between(connection, everything, limit=1),
            store.ids_made_between(connection, replace(everything, after=(3, "run-0003")), limit=9),
            store.ids_made_between(connection, replace(everything, application="app0"), limit=9),
            store.awaiting(connection, ids),
        )

    assert await database.read(look) == (["run-0003"], ["run-0001"], [], {"run-0001", "run-0003"})


@pytest.mark.parametrize(
    ("search", "index"),
    [
        (Search(is_awaiting=True), "ix_execution_judgment"),
        (Search(name="release"), "ix_execution_type_name_build_at"),
    ],
)
async def test_lists_read_what_they_show_and_no_more(database, search, index):
    """The planner goes by an index in the list's order, however many executions are stored."""

    def plan(connection):
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        query = str(store._newest_ids(search, 51).compile(connection, compile_kwargs={"literal_binds": True}))
        return str(connection.execute(text(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{query}")).all())

    found = await database.read(plan)
    assert index in found
    assert "TEMP B-TREE" not in found
