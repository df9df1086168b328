"""A small Masthead of executions only: real database and bursts, faked neighbours, a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from masthead.executions import Executions
from masthead.executions.fakes import FakeApplications, FakePaging, FakePipelines, fake_services
from masthead.executions.webhooks import Webhooks
from masthead.kernel.caller import Caller
from masthead.kernel.clock import ManualClock
from masthead.kernel.ids import SequentialIds
from masthead.outbound.fakes import FakeOutbound
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines

ANN = Caller(user="ann@example.com", origin="deck", address="10.0.0.1")


@dataclass
class Bench:
    """Executions with everything that a test may look at."""

    clock: ManualClock
    database: Database
    bursts: Bursts
    executions: Executions
    applications: FakeApplications
    pipelines: FakePipelines
    paging: FakePaging
    outbound: FakeOutbound
    ann: Caller = ANN

    async def idle(self) -> None:
        """Wait until no burst runs; one that waits for the clock must be moved on by the test."""
        while tasks := set(self.bursts._tasks._tasks) | set(self.executions._tasks._tasks):
            await asyncio.wait(tasks)

    async def until(self, happened: Callable[[], object]) -> None:
        """Let the loop turn until something has happened."""
        while not happened():
            await asyncio.to_thread(lambda: None)

    async def until_asleep(self) -> None:
        """Let the loop turn until something waits for the clock."""
        await self.until(lambda: [each for each in self.clock._sleepers if not each[2].done()])

    async def run_due(self) -> None:
        """Run what is due, to its end."""
        await self.bursts.sweep()
        await self.idle()

    async def task(self, *jobs: dict, **body) -> dict:
        """Run jobs to their end and give the task."""
        task_id = await self.executions.start_tasks({"application": "demo", "job": list(jobs), **body}, ANN)
        await self.idle()
        return await self.executions.get_task(task_id)

    async def pipeline(self, *stages: dict, **config) -> dict:
        """Run a pipeline until it rests and give the execution."""
        body = {"application": "demo", "name": "p", "stages": list(stages), **config}
        execution_id = await self.executions.start_pipeline(body, ANN)
        await self.idle()
        return await self.executions.get_pipeline(execution_id)

    @staticmethod
    def variable(task: dict, key: str):
        """Give a variable of the task's view, or None."""
        return next((each["value"] for each in task["variables"] if each["key"] == key), None)

    def errors(self, task: dict) -> list[str]:
        """Give the sentences why the task failed."""
        return self.variable(task, "exception")["details"]["errors"]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock()
    database = await Database.open(f"sqlite:///{tmp_path}/masthead.db", clock=clock)
    machines = Machines(database, clock, SequentialIds(), version="test")
    await machines.start()
    bursts = Bursts(database, clock, machines)
    applications, pipelines, paging = FakeApplications(), FakePipelines(), FakePaging(clock)
    outbound = FakeOutbound()
    services = fake_services(
        clock, applications=applications, pipelines=pipelines, paging=paging, webhooks=Webhooks(outbound)
    )
    executions = Executions(database, bursts, clock, SequentialIds(), services=services)
    yield Bench(clock, database, bursts, executions, applications, pipelines, paging, outbound)
    await bursts.close()
    await executions.close()
    await machines.stop()
    await database.close()
