"""Pipelines, executions and triggers on a real database, with a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from masthead.executions import Executions
from masthead.executions.fakes import FakeApplications, FakePaging, fake_services
from masthead.kernel.caller import Caller
from masthead.kernel.clock import ManualClock
from masthead.kernel.ids import SequentialIds
from masthead.pipelines import Pipelines
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.triggers import Triggers

ANN = Caller(user="ann@example.com", origin="deck", address="10.0.0.1")
NOOP = {"type": "noop", "name": "n"}


@dataclass
class Bench:
    """What a test may look at."""

    clock: ManualClock
    database: Database
    bursts: Bursts
    pipelines: Pipelines
    executions: Executions
    triggers: Triggers
    ann: Caller = ANN

    async def idle(self) -> None:
        """Run what is due, and what that leads to, until nothing is."""
        while True:
            await self.bursts.sweep()
            tasks = set(self.bursts._tasks._tasks) | set(self.executions._tasks._tasks)
            if not tasks:
                return
            await asyncio.wait(tasks)

    async def save(self, name: str, *triggers: dict, **fields) -> dict:
        """Store a pipeline whose id is its name."""
        document = {"id": name, "application": "demo", "name": name, "stages": [NOOP], **fields}
        return await self.pipelines.save({**document, "triggers": list(triggers)}, ANN)

    async def run(self, name: str, **trigger) -> dict:
        """Run a stored pipeline and all that follows, and give its execution."""
        config = await self.pipelines.get(name)
        started = await self.executions.start_pipeline({**config, "trigger": trigger}, ANN)
        await self.idle()
        return await self.executions.get_pipeline(started)

    async def runs(self, name: str) -> list[dict]:
        """Give the executions of a pipeline, oldest start first."""
        return await self.executions.of_configs([name], limit=100)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock()
    database = await Database.open(f"sqlite:///{tmp_path}/masthead.db", clock=clock)
    machines = Machines(database, clock, SequentialIds(), version="test")
    await machines.start()
    bursts = Bursts(database, clock, machines)
    pipelines = Pipelines(database, clock, SequentialIds())
    services = fake_services(
        clock, applications=FakeApplications(), pipelines=pipelines, paging=FakePaging(clock)
    )
    executions = Executions(database, bursts, clock, SequentialIds(), services=services)
    triggers = Triggers(database, bursts, pipelines=pipelines, executions=executions, clock=clock)
    yield Bench(clock, database, bursts, pipelines, executions, triggers)
    await bursts.close()
    await executions.close()
    await machines.stop()
    await database.close()
