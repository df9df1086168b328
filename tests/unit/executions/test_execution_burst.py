"""One burst: what it runs together, what it writes, and what it survives."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from masthead.executions import store
from masthead.executions.burst import Burst
from masthead.executions.machine import cancel_by
from masthead.executions.stages.base import StageType, TaskContext, TaskResult, TaskType
from masthead.executions.stages.registry import StageTypes
from masthead.executions.status import Status
from masthead.storage.schema import burst


class Scripted(TaskType):
    """Does what the test says."""

    name = "scripted"
    implementing_class = "example.ScriptedTask"
    backoff_s = 10.0

    def __init__(self) -> None:
        self.runs = 0
        self.cancelled_stages: list[str] = []
        self.started = asyncio.Event()
        self.gate = asyncio.Event()

    async def run(self, work: TaskContext) -> TaskResult:
        self.runs += 1
        self.started.set()
        what = work.context.get("do")
        if what == "raise":
            raise RuntimeError("secret-0123456789")
        if what == "again" and self.runs < 3:
            return TaskResult(Status.RUNNING, context={"seen": self.runs})
        if what == "hold":
            await self.gate.wait()
        if what == "terminal":
            return TaskResult(Status.TERMINAL)
        return TaskResult(Status.SUCCEEDED)

    def settled(self, context: dict) -> dict:
        if context.get("do") == "break":
            raise RuntimeError("secret-0123456789")
        return {}

    async def cancelled(self, work: TaskContext) -> None:
        self.cancelled_stages.append(work.stage.name)
        if work.context.get("do") == "hold":
            raise RuntimeError("the hook fails too")


class ScriptedStage(StageType):
    type = "scripted"
    label = doc = "Scripted"

    def __init__(self, task: Scripted) -> None:
        self.tasks = (task,)


@pytest.fixture
def scripted(bench) -> Scripted:
    task = Scripted()
    burst = Burst(
        bench.database,
        bench.clock,
        planner=StageTypes([ScriptedStage(task)]),
        services=bench.executions._services,
        expressions=bench.executions._expressions,
        on_complete=bench.executions._completed,
    )
    bench.bursts.register("execution", burst.run)
    return task


def stage(do: str = "", name: str = "s", **fields) -> dict:
    return {"type": "scripted", "name": name, "do": do, **fields}


async def test_what_nobody_foresaw_fails_the_stage_without_repeating_its_text(bench, scripted):
    """A bug in a task is a TERMINAL stage; the exception's text, which may hold anything, goes to the log."""
    run = await bench.pipeline(stage("raise"))
    assert run["status"] == "TERMINAL"
    exception = run["stages"][0]["context"]["exception"]
    assert exception["exceptionType"] == "RuntimeError"
    assert exception["details"]["errors"] == [
        "Masthead failed inside scripted (RuntimeError); its log says more."
    ]
    assert run["stages"][0]["tasks"][0]["taskExceptionDetails"]["exception"] == exception
    assert "0123456789" not in str(run)


async def test_an_execution_that_cannot_be_carried_on_does_not_hang(bench, scripted):
    """It is tried for some minutes, and then ended; a stage of it can be restarted by a release that knows better."""
    run = await bench.pipeline(stage("break"), stage())
    for _ in range(8):
        assert (await bench.executions.get_pipeline(run["id"]))["status"] == "RUNNING"
        await bench.clock.advance(130)
        await bench.run_due()
    run = await bench.executions.get_pipeline(run["id"])
    assert [run["status"], *(each["status"] for each in run["stages"])] == [
        "TERMINAL", "TERMINAL", "NOT_STARTED",
    ]  # fmt: skip
    assert run["stages"][0]["context"]["exception"]["details"]["errors"] == [
        "Masthead failed inside the execution (RuntimeError); its log says more."
    ]
    assert run["stages"][0]["tasks"][0]["status"] == "TERMINAL"
    assert "0123456789" not in str(run)
    assert await bench.database.read(lambda c: c.execute(select(burst.c.subject)).all()) == []
    await bench.executions.change_stage(run["id"], run["stages"][0]["id"], {"do": ""}, bench.ann)
    await bench.executions.restart_stage(run["id"], run["stages"][0]["id"], bench.ann)
    await bench.idle()
    assert (await bench.executions.get_pipeline(run["id"]))["status"] == "SUCCEEDED"


async def test_a_task_that_goes_on_is_run_again_after_its_back_off(bench, scripted):
    """In between nothing runs, and what it returned is stored."""
    run = await bench.pipeline(stage("again"))
    assert run["stages"][0]["context"]["seen"] == 1
    await bench.clock.advance(9)
    await bench.run_due()
    assert scripted.runs == 1
    for _ in range(2):
        await bench.clock.advance(10)
        await bench.run_due()
    assert scripted.runs == 3
    assert (await bench.executions.get_pipeline(run["id"]))["status"] == "SUCCEEDED"


async def test_branches_run_at_the_same_time_and_progress_is_stored(bench, scripted):
    """While one branch holds, the other ends and both can be seen."""
    body = {"application": "demo", "stages": [stage("hold", refId="1"), stage(name="quick", refId="2")]}
    execution_id = await bench.executions.start_pipeline(body, bench.ann)
    statuses: list[str] = []
    while statuses != ["RUNNING", "SUCCEEDED"]:
        run = await bench.executions.get_pipeline(execution_id)
        statuses = [each["status"] for each in run["stages"]]
    scripted.gate.set()
    await bench.idle()
    assert (await bench.executions.get_pipeline(execution_id))["status"] == "SUCCEEDED"


async def test_a_failing_branch_cuts_the_others_and_tells_their_types(bench, scripted):
    """The held task is cancelled, its hook called, and a hook that fails changes nothing."""
    run = await bench.pipeline(
        stage("hold", name="held", refId="1"), stage("terminal", name="bad", refId="2")
    )
    assert run["status"] == "TERMINAL"
    assert [each["status"] for each in run["stages"]] == ["CANCELED", "TERMINAL"]
    assert scripted.cancelled_stages == ["held"]


async def test_cancelling_cuts_a_task_in_its_middle(bench, scripted):
    """The run that holds is told at once, and the next one ends what ran."""
    execution_id = await bench.executions.start_pipeline({"stages": [stage("hold")]}, bench.ann)
    await scripted.started.wait()
    await bench.executions.cancel(execution_id, bench.ann)
    await bench.idle()
    assert (await bench.executions.get_pipeline(execution_id))["status"] == "CANCELED"
    assert scripted.cancelled_stages == ["s"]


async def test_an_execution_that_was_deleted_is_nothing_to_do(bench, scripted):
    """A burst of an execution that is not there ends."""
    await bench.database.write(lambda c: bench.bursts.request(c, "execution", "ghost"))
    await bench.run_due()
    assert scripted.runs == 0
    assert await bench.bursts.sweep() == 1.0


async def test_nothing_is_left_to_do_for_a_complete_execution(bench, scripted):
    """Its burst row is gone."""
    await bench.pipeline(stage())
    await bench.clock.advance(1_000_000)
    await bench.run_due()
    assert scripted.runs == 1


async def test_an_execution_is_written_few_times(bench, scripted):
    """Once when it is posted, once before its tasks, once at the end: whatever the number of branches."""
    run = await bench.pipeline(*(stage(name=str(n), refId=str(n)) for n in range(20)))

    def version(connection):
        return connection.execute(store.table.select().where(store.table.c.id == run["id"])).one().version

    assert await bench.database.read(version) <= 4


async def test_a_run_that_was_overtaken_writes_nothing_and_starts_nothing(bench, scripted):
    """Another machine cancelled it meanwhile: what this run knows is old, and the next stage never runs."""
    body = {"application": "demo", "stages": [stage("hold", name="first"), stage(name="second")]}
    execution_id = await bench.executions.start_pipeline(body, bench.ann)
    await scripted.started.wait()

    def cancel_elsewhere(connection):
        execution = store.find_to_change(connection, execution_id)
        cancel_by(execution, "bob", "elsewhere")
        store.save(connection, execution)
        bench.bursts.request(connection, "execution", execution_id)

    await bench.database.write(cancel_elsewhere)
    scripted.gate.set()
    await bench.idle()
    assert scripted.runs == 1
    await bench.run_due()
    run = await bench.executions.get_pipeline(execution_id)
    assert (run["status"], run["canceledBy"]) == ("CANCELED", "bob")
    assert [each["status"] for each in run["stages"]] == ["CANCELED", "NOT_STARTED"]


class OnceTask(Scripted):
    """Notes each attempt; holds where it is told."""

    name = "once"
    is_once = True

    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[tuple[str, bool]] = []

    async def run(self, work: TaskContext) -> TaskResult:
        self.attempts.append((work.attempt, work.is_repeated))
        return await super().run(work)


@pytest.fixture
def once(bench) -> OnceTask:
    task = OnceTask()
    burst = Burst(
        bench.database,
        bench.clock,
        planner=StageTypes([ScriptedStage(task)]),
        services=bench.executions._services,
        expressions=bench.executions._expressions,
        on_complete=bench.executions._completed,
    )
    bench.bursts.register("execution", burst.run)
    return task


async def test_an_attempt_whose_end_nobody_saw_is_recognised(bench, once):
    """It is made again under the same name; one that reported is followed by another, and nobody outside sees the note."""
    body = {"application": "demo", "stages": [stage("hold")]}
    execution_id = await bench.executions.start_pipeline(body, bench.ann)
    await once.started.wait()
    run = await bench.executions.get_pipeline(execution_id)
    assert "begunAt" not in run["stages"][0]["tasks"][0]
    once.started.clear()
    await bench.executions.change_stage(execution_id, run["stages"][0]["id"], {"x": 1}, bench.ann)
    await once.started.wait()
    once.gate.set()
    await bench.idle()
    (first, repeated), (second, is_repeated) = once.attempts
    assert (first == second, repeated, is_repeated) == (True, False, True)

    once.attempts.clear()
    once.runs = 0
    run = await bench.pipeline(stage("again"))
    for _ in range(2):
        await bench.clock.advance(10)
        await bench.run_due()
    assert (await bench.executions.get_pipeline(run["id"]))["status"] == "SUCCEEDED"
    assert [is_repeated for _, is_repeated in once.attempts] == [False] * 3
    assert len({attempt for attempt, _ in once.attempts}) == 3
