"""One process's share of executions, with faked neighbours, on a database that others may use too."""

from __future__ import annotations

from masthead.executions import Executions
from masthead.executions.fakes import FakeApplications, FakePaging, FakePipelines, fake_services
from masthead.kernel.caller import Caller
from masthead.kernel.clock import SystemClock
from masthead.kernel.ids import UlidIds
from masthead.kernel.tasks import Tasks
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines

ANN = Caller(user="ann@example.com")
WAIT = {"type": "wait", "waitTime": 3600}
#: Seconds that nothing here takes unless it hangs.
PATIENCE_S = 30.0


class Machine:
    """One process's share of the work, on a database that others may use too."""

    def __init__(self, database: Database, paging: FakePaging, pipelines: FakePipelines) -> None:
        self.clock, self.database = SystemClock(), database
        self.machines = Machines(database, self.clock, UlidIds(), version="test")
        self.bursts = Bursts(database, self.clock, self.machines, sweep_every_s=0.02)
        self.paging, self.pipelines = paging, pipelines
        services = fake_services(
            self.clock, applications=FakeApplications(), paging=paging, pipelines=pipelines
        )
        self.executions = Executions(database, self.bursts, self.clock, UlidIds(), services=services)
        self.tasks = Tasks(lambda _name, _error: None)

    async def start(self) -> Machine:
        await self.machines.start()
        self.tasks.start(self.bursts.run(), name="bursts")
        return self

    async def stop(self) -> None:
        """End in the middle of whatever runs."""
        await self.tasks.close()
        await self.bursts.close()
        await self.executions.close()
        await self.machines.stop()

    async def run(self, *stages: dict, **config) -> dict:
        """Run a pipeline to its end."""
        return await self.executions.wait(await self.begin(*stages, **config), PATIENCE_S)

    async def begin(self, *stages: dict, **config) -> str:
        body = {"application": "demo", "name": "p", "stages": list(stages), **config}
        return await self.executions.start_pipeline(body, ANN)

    async def until_running(self, execution_id: str) -> dict:
        """Give the execution once a stage of it runs."""
        while True:
            found = await self.executions.get_pipeline(execution_id)
            if any(stage["status"] == "RUNNING" for stage in found["stages"]):
                return found
