"""All that starts pipelines by itself, as one part."""

from __future__ import annotations

from masthead.executions import Executions
from masthead.kernel.clock import Clock
from masthead.pipelines import Pipelines
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.triggers.checks import problems_of_triggers
from masthead.triggers.cron import Cron, Schedule
from masthead.triggers.endings import Endings
from masthead.triggers.webhooks import Webhooks

__all__ = ["Triggers"]


class Triggers:
    """Starts pipelines when what they wait for happens, exactly once, on any number of machines."""

    def __init__(
        self,
        database: Database,
        bursts: Bursts,
        *,
        pipelines: Pipelines,
        executions: Executions,
        clock: Clock,
        schedule: Schedule | None = None,
    ) -> None:
        """Register with *bursts*, *pipelines* and *executions*, before ``bursts`` runs."""
        self._pipelines = pipelines
        self._endings = Endings(database, bursts, pipelines=pipelines, executions=executions)
        self.cron = Cron(
            database,
            bursts,
            pipelines=pipelines,
            executions=executions,
            clock=clock,
            schedule=schedule or Schedule(),
        )
        pipelines.checks.add(problems_of_triggers)
        self.webhooks = Webhooks(clock, pipelines=pipelines, executions=executions)

    async def start(self) -> None:
        """Make sure that every trigger that is stored can be found, and that those of time have theirs."""
        await self._pipelines.index_triggers()
        await self.cron.start()
