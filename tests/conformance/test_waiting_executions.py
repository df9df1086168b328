"""Pipelines of which only so many run at once, on both databases and with several machines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import pytest

from masthead.executions.fakes import FakePaging, FakePipelines
from masthead.executions.retention import ExecutionRetention
from masthead.executions.waiting import SUPERSEDED
from masthead.kernel.clock import ManualClock, SystemClock
from support.engines import ANN, PATIENCE_S, WAIT, Machine

ONE = {"id": "config", "limitConcurrent": True, "keepWaitingPipelines": True}
JUDGE = {"type": "manualJudgment"}


@pytest.fixture
async def machine(database) -> AsyncIterator[Machine]:
    started = await Machine(database, FakePaging(SystemClock()), FakePipelines()).start()
    yield started
    await started.stop()


async def statuses(machine: Machine, *ids: str) -> list[str]:
    found = await machine.executions.by_ids(ids)
    return [each["status"] for each in found]


async def until(machine: Machine, wanted: list[str], *ids: str) -> None:
    """Wait until the executions have these statuses."""
    async with asyncio.timeout(PATIENCE_S):
        while await statuses(machine, *ids) != wanted:
            pass


async def until_held_back(machine: Machine, count: int, config_id: str = "config") -> None:
    """Wait until so many executions have been looked at and must wait."""
    async with asyncio.timeout(PATIENCE_S):
        while (
            len(await machine.database.read(lambda c: machine.executions._waiting._waiting(c, config_id)))
            != count
        ):
            pass


async def end(machine: Machine, execution_id: str) -> None:
    """Say continue to the judgment that an execution waits for."""
    found = await machine.until_running(execution_id)
    await machine.executions.change_stage(
        execution_id, found["stages"][0]["id"], {"judgmentStatus": "continue"}, ANN
    )


async def test_the_oldest_that_waits_starts_when_the_one_before_ends(machine):
    """With keepWaitingPipelines all run, one after the other, in the order in which they were started."""
    ids = [await machine.begin(JUDGE, **ONE) for _ in range(1)]
    await machine.until_running(ids[0])
    for number in range(3):
        ids.append(await machine.begin(JUDGE, **ONE))
        await until_held_back(machine, number + 1)
    for number in range(4):
        running = ["SUCCEEDED"] * number + ["RUNNING"] + ["NOT_STARTED"] * (3 - number)
        await until(machine, running, *ids)
        await end(machine, ids[number])
    await until(machine, ["SUCCEEDED"] * 4, *ids)


async def test_the_newest_takes_the_place_of_the_others_that_wait(machine):
    """Without keepWaitingPipelines the others are cancelled by spinnaker, in Orca's words."""
    config = {**ONE, "keepWaitingPipelines": False}
    ids = [await machine.begin(JUDGE, **config)]
    await machine.until_running(ids[0])
    for number in range(3):
        ids.append(await machine.begin(JUDGE, **config))
        await until_held_back(machine, number + 1)
    await end(machine, ids[0])
    await until(machine, ["SUCCEEDED", "CANCELED", "CANCELED", "RUNNING"], *ids)
    cancelled = await machine.executions.get_pipeline(ids[1])
    assert cancelled["canceledBy"] == "spinnaker"
    assert cancelled["cancellationReason"] == SUPERSEDED
    assert "startTime" not in cancelled


async def test_as_many_run_as_may(machine):
    """maxConcurrentExecutions: the third waits, and starts when either of the first two ends."""
    config = {"id": "config", "maxConcurrentExecutions": 2, "keepWaitingPipelines": True}
    ids = [await machine.begin(JUDGE, **config) for _ in range(2)]
    await until(machine, ["RUNNING", "RUNNING"], *ids)
    ids.append(await machine.begin(JUDGE, **config))
    await until_held_back(machine, 1)
    await end(machine, ids[1])
    await until(machine, ["RUNNING", "SUCCEEDED", "RUNNING"], *ids)


async def test_one_that_waits_can_be_cancelled_and_the_next_is_not_lost(machine):
    """It never starts; the one behind it does when the first ends."""
    ids = [await machine.begin(JUDGE, **ONE)]
    await machine.until_running(ids[0])
    for number in range(2):
        ids.append(await machine.begin(JUDGE, **ONE))
        await until_held_back(machine, number + 1)
    await machine.executions.cancel(ids[1], ANN, "enough")
    await end(machine, ids[0])
    await until(machine, ["SUCCEEDED", "CANCELED", "RUNNING"], *ids)


async def test_other_pipelines_and_pipelines_without_id_do_not_count(machine):
    """The limit is a pipeline's own."""
    await machine.begin(JUDGE, **ONE)
    others = [
        await machine.begin(JUDGE, **{**ONE, "id": "other"}),
        await machine.begin(JUDGE, limitConcurrent=True),
        await machine.begin(JUDGE, limitConcurrent=True),
    ]
    await until(machine, ["RUNNING"] * 3, *others)


async def test_a_restarted_one_waits_its_turn(machine):
    """Its stage is to begin anew, and does when the other has ended."""
    first = await machine.begin(JUDGE, **ONE)
    await end(machine, first)
    await until(machine, ["SUCCEEDED"], first)
    second = await machine.begin(JUDGE, **ONE)
    await machine.until_running(second)
    stage = (await machine.executions.get_pipeline(first))["stages"][0]["id"]
    await machine.executions.restart_stage(first, stage, ANN)
    await until_held_back(machine, 1)
    assert await statuses(machine, first, second) == ["NOT_STARTED", "RUNNING"]
    await end(machine, second)
    await until(machine, ["RUNNING", "SUCCEEDED"], first, second)


async def test_never_more_than_one_runs_though_two_machines_start_and_end_them(database):
    """Twenty starts at once on two machines: all succeed, no two overlap."""
    paging, pipelines = FakePaging(SystemClock()), FakePipelines()
    machines = [await Machine(database, paging, pipelines).start() for _ in range(2)]
    stages = [{"type": "wait", "waitTime": 0.01}]
    starts = (machines[n % 2].begin(*stages, **ONE) for n in range(20))
    ids = await asyncio.gather(*starts)
    await until(machines[0], ["SUCCEEDED"] * 20, *ids)
    found = sorted(await machines[1].executions.by_ids(ids), key=lambda each: each["startTime"])
    for machine in machines:
        await machine.stop()
    for before, after in pairwise(found):
        assert before["endTime"] <= after["startTime"]


async def test_a_machine_that_dies_after_the_end_leaves_the_next_start_to_another(database):
    """The wish to wake the next is stored with the end: another machine fulfils it."""
    paging, pipelines = FakePaging(SystemClock()), FakePipelines()
    first = await Machine(database, paging, pipelines).start()
    ids = [await first.begin(JUDGE, **ONE)]
    await first.until_running(ids[0])
    ids.append(await first.begin(JUDGE, **ONE))
    await until_held_back(first, 1)

    async def never(_turn):
        await asyncio.Event().wait()

    first.bursts.register("executions-waiting", never)
    await end(first, ids[0])
    await until(first, ["SUCCEEDED", "NOT_STARTED"], *ids)
    await first.stop()
    second = await Machine(database, paging, pipelines).start()
    await until(second, ["SUCCEEDED", "RUNNING"], *ids)
    await second.stop()


async def test_executions_that_ended_long_ago_are_forgotten(machine):
    """What has not ended stays, and so does what is younger; all of it with 0 days."""
    done = await machine.run({"type": "noop"})
    cancelled = await machine.begin(WAIT)
    await machine.executions.cancel(cancelled, ANN)
    await until(machine, ["CANCELED"], cancelled)
    waiting = await machine.begin(WAIT)
    await machine.until_running(waiting)
    clock = ManualClock(SystemClock().now() + timedelta(days=29))
    retention = ExecutionRetention(machine.database, clock, 30)
    assert await forget(retention, clock) == 0
    await clock.advance(2 * 86_400)
    assert await forget(retention, clock) == 2
    assert await machine.executions.by_ids([done["id"], cancelled]) == []
    assert await statuses(machine, waiting) == ["RUNNING"]
    await ExecutionRetention(machine.database, clock, 0).run()


async def forget(retention: ExecutionRetention, clock: ManualClock) -> int:
    task = asyncio.ensure_future(retention.forget())
    while not task.done():
        await asyncio.sleep(0)
        await clock.advance(1)
    return task.result()
