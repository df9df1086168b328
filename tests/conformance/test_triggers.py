"""What triggers promise, on both databases and with several machines: one run for each cause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from ulid import ULID

from masthead.executions import Executions
from masthead.executions.fakes import FakeApplications, FakePaging, fake_services
from masthead.kernel.caller import Caller
from masthead.kernel.clock import SystemClock
from masthead.kernel.ids import UlidIds
from masthead.kernel.tasks import Tasks
from masthead.pipelines import Pipelines
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.triggers import Triggers
from masthead.triggers.endings import BURST

ANN = Caller(user="ann@example.com")
NOOP = {"type": "noop", "name": "n"}


class Machine:
    """One process's share of the work, on a database that others may use too."""

    def __init__(self, database: Database) -> None:
        clock = SystemClock()
        self.database = database
        self.machines = Machines(database, clock, UlidIds(), version="test")
        self.bursts = Bursts(database, clock, self.machines, sweep_every_s=0.02)
        self.pipelines = Pipelines(database, clock, UlidIds())
        services = fake_services(
            clock, applications=FakeApplications(), paging=FakePaging(clock), pipelines=self.pipelines
        )
        self.executions = Executions(database, self.bursts, clock, UlidIds(), services=services)
        self.triggers = Triggers(
            database, self.bursts, pipelines=self.pipelines, executions=self.executions, clock=clock
        )
        self.tasks = Tasks(lambda _name, _error: None)

    async def start(self) -> Machine:
        await self.triggers.start()
        await self.machines.start()
        self.tasks.start(self.bursts.run(), name="bursts")
        return self

    async def stop(self) -> None:
        """End in the middle of whatever runs."""
        await self.tasks.close()
        await self.bursts.close()
        await self.executions.close()
        await self.machines.stop()

    async def save(self, name: str, *triggers: dict) -> dict:
        document = {"id": name, "application": "demo", "name": name, "stages": [NOOP]}
        return await self.pipelines.save({**document, "triggers": list(triggers)}, ANN)

    async def run(self, name: str) -> str:
        config = await self.pipelines.get(name)
        return await self.executions.start_pipeline({**config, "trigger": {}}, ANN)

    async def runs(self, name: str) -> list[dict]:
        return await self.executions.of_configs([name], limit=1000)

    async def quiet(self) -> None:
        """Wait until nothing is due any more."""
        await until(self._has_no_bursts)

    async def _has_no_bursts(self) -> bool:
        from sqlalchemy import func, select

        from masthead.storage.schema import burst

        return (
            await self.database.read(lambda c: c.execute(select(func.count()).select_from(burst)).scalar())
            == 0
        )


async def until(happened: Callable) -> None:
    """Let the loop turn until something has happened; the test's own time limit ends what hangs."""
    while not await happened():
        await asyncio.to_thread(lambda: None)


def after(parent: str, status: str = "successful") -> dict:
    return {
        "type": "pipeline",
        "enabled": True,
        "application": "demo",
        "pipeline": parent,
        "status": [status],
    }


@pytest.fixture
async def machines(database, database_url) -> AsyncIterator[list[Machine]]:
    """Two machines on one database; on SQLite one, for a file belongs to one process."""
    others = [await Database.open(database_url, clock=SystemClock())] if database.is_postgresql else []
    started = [await Machine(each).start() for each in (database, *others)]
    yield started
    for machine in started:
        await machine.stop()
    for other in others:
        await other.close()


async def test_each_end_starts_each_child_once(machines):
    """Fifty executions on all machines at once, and two children for each."""
    first = machines[0]
    await first.save("parent")
    for name in ("one", "two"):
        await first.save(name, after("parent"))
    parents = await asyncio.gather(*(machines[at % len(machines)].run("parent") for at in range(50)))
    await first.quiet()
    for name in ("one", "two"):
        children = await first.runs(name)
        assert sorted(each["trigger"]["parentExecution"]["id"] for each in children) == sorted(parents)
        assert {each["status"] for each in children} == {"SUCCEEDED"}


async def test_two_machines_that_work_off_the_same_end_start_its_child_once(machines):
    """As when one was thought dead: each runs the burst to its end."""
    first = machines[0]
    await first.save("parent")
    await first.save("child", after("parent"))
    parent_id = await first.run("parent")
    await first.quiet()
    parent = await first.executions.get_pipeline(parent_id)
    subject = f"{parent_id} SUCCEEDED {parent['endTime']}"
    for machine in machines * 3:
        await machine.database.write(lambda c, one=machine: one.bursts.request(c, BURST, subject))
        await machine.quiet()
    assert len(await first.runs("child")) == 1


async def test_a_child_is_found_however_long_its_parent_s_id_is(machines):
    """Databases index no long texts."""
    first = machines[0]
    name = "p" * 3000
    await first.save(name)
    await first.save("child", after(name))
    await first.save("other", after(name[:-1] + "q"))
    await first.run(name)
    await first.quiet()
    assert (len(await first.runs("child")), await first.runs("other")) == (1, [])


async def test_each_firing_of_a_cron_line_is_run_once_on_however_many_machines(machines):
    """Every second for three seconds, each second once and none left out, while all machines look for what is due."""
    first = machines[0]
    every_second = {"type": "cron", "enabled": True, "cronExpression": "* * * * * ?", "timeZone": "UTC"}
    await first.save("ticks", every_second)

    async def has_ticked() -> bool:
        return len(await first.runs("ticks")) >= 3

    await until(has_ticked)
    await first.save("ticks")
    await first.quiet()
    fired = [ULID.from_str(each["id"]).milliseconds for each in await first.runs("ticks")]
    assert sorted(fired) == list(range(min(fired), max(fired) + 1, 1000))
