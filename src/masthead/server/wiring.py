"""Which part is built from which: read from top to bottom, it is the architecture."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, text

from masthead import __version__
from masthead.access import Access
from masthead.api.services import Services
from masthead.applications import Applications, NameRule
from masthead.catalog import Catalog, CatalogState, Roster
from masthead.config import Settings
from masthead.executions import Executions
from masthead.executions.ports import Services as StageServices
from masthead.executions.retention import ExecutionRetention
from masthead.kernel.clock import Clock, SystemClock
from masthead.kernel.errors import StorageUnavailable
from masthead.kernel.ids import UlidIds
from masthead.kernel.tasks import Tasks
from masthead.ownership import Ownership
from masthead.pagerduty import AccountSenders, Protocol, parse_severity
from masthead.paging import Paging
from masthead.paging.audit import Audit
from masthead.paging.hashing import KeyHasher
from masthead.paging.pager import Infrastructure, Limits
from masthead.paging.proof import Proof, Timings
from masthead.paging.retention import Retention
from masthead.paging.retry import RetryPolicy
from masthead.pipelines import Pipelines
from masthead.server.accounts import open_accounts
from masthead.server.scrape import readings_of
from masthead.server.webhooks import open_outbound, open_webhooks, stage_types, url_reader
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.storage.shared_time import SharedTime
from masthead.telemetry.metrics import Metrics
from masthead.triggers import Schedule, Triggers

__all__ = ["Masthead"]

log = structlog.get_logger(__name__)
_HEALTH_TIMEOUT_S = 5.0
#: How long a clean stop waits for what is being sent and run.
_SETTLE_S = 10.0


@dataclass
class Masthead:
    """A running Masthead: the domain's objects and what moves them."""

    settings: Settings
    clock: Clock
    access: Access
    database: Database
    shared_time: SharedTime
    machines: Machines
    bursts: Bursts
    events: AccountSenders
    catalog: Catalog
    roster: Roster
    applications: Applications
    pipelines: Pipelines
    ownership: Ownership
    paging: Paging
    executions: Executions
    triggers: Triggers
    tasks: Tasks
    metrics: Metrics

    @classmethod
    async def start(cls, settings: Settings, *, database_url: str) -> Masthead:
        """Open the database, build every part and set the background going.

        Raises:
            ConfigurationInvalid: the database URL is none of ours, or the file of users cannot be used.
            StorageUnavailable: the database cannot be opened.
        """
        clock, metrics = SystemClock(), Metrics()
        ids = UlidIds(clock)
        database = await Database.open(database_url, clock=clock)
        shared_time = SharedTime(database, clock)
        await shared_time.compare()
        access = await Access.start(settings.access, database, clock, host=settings.server.host)
        machines = Machines(database, clock, ids, version=__version__)
        bursts = Bursts(database, clock, machines)
        accounts = open_accounts(settings, database, clock)
        catalog = accounts.catalog
        await catalog.load()
        rule = NameRule(settings.applications.name_regex, settings.applications.name_message)
        applications = Applications(database, clock, name_rule=rule)
        pipelines = Pipelines(database, clock, ids)
        applications.on_deleted(pipelines.delete_of_application)
        types = stage_types(settings)
        pipelines.checks.add(types.problems)
        ownership = Ownership(
            applications,
            catalog,
            prefer_v1=settings.events.prefer_v1,
            requires_service=settings.deck.required,
        )
        proof = Proof(
            database,
            bursts,
            clock,
            readers=accounts.incidents,
            catalog=catalog,
            timings=Timings(
                wait_s=settings.paging.proof_wait_s,
                follow_s=settings.paging.follow_s,
                looks_per_s=settings.paging.looks_per_minute / 60,
            ),
        )
        paging = Paging(
            Infrastructure(database, bursts, machines, clock, ids),
            sender=accounts.senders,
            catalog=catalog,
            hasher=await KeyHasher.of(database),
            retry=_retry(settings),
            limits=Limits(
                settings.paging.budget, settings.paging.budget_window_s, settings.paging.waiting_limit
            ),
            unknown_key_protocol=Protocol(settings.events.unknown_key_protocol),
            is_enabled=settings.events.enabled,
            metrics=metrics.paging,
            witness=proof,
            look_back=proof,
        )
        proof.on_changed(lambda delivery_id, _: paging.learned(delivery_id))
        metrics.readings = readings_of(
            database, clock, catalogs=lambda: catalog.states, budget=paging.budget.used
        )
        outbound = open_outbound(settings)
        stage_services = StageServices(
            applications=applications,
            pipelines=pipelines,
            paging=paging,
            key_label=ownership.label,
            default_severity=parse_severity(settings.events.default_severity),
            read_url=url_reader(outbound),
            webhooks=open_webhooks(settings, outbound),
            asks_roles=lambda: not access.is_open,
            window_zone=ZoneInfo(settings.executions.window_time_zone),
        )
        executions = Executions(database, bursts, clock, ids, services=stage_services, types=types)
        schedule = Schedule(settings.scheduler.time_zone, settings.scheduler.make_up_s)
        triggers = Triggers(
            database, bursts, pipelines=pipelines, executions=executions, clock=clock, schedule=schedule
        )
        masthead = cls(
            settings, clock, access, database, shared_time, machines, bursts, accounts.senders, catalog, accounts.roster, applications,
            pipelines, ownership, paging, executions, triggers, Tasks(_log_failure), metrics,
        )  # fmt: skip
        await masthead._set_going()
        return masthead

    async def _set_going(self) -> None:
        await self.applications.ensure_spinnaker()
        await self.triggers.start()
        await self.machines.start()
        await self.bursts.rouse()
        self.tasks.start(self.machines.run(), name="machines")
        self.tasks.start(self.shared_time.run(), name="shared time")
        # Before what waits is sent: of an account that was renamed the catalog is to tell whose key it is.
        self.tasks.start(self.catalog.run(), name="catalog")
        self.tasks.start(self.bursts.run(), name="bursts")
        self.tasks.start(self.access.run(), name="access")
        retention = Retention(self.database, self.clock, days=self.settings.paging.retention_days)
        self.tasks.start(retention.run(), name="retention")
        forgetting = ExecutionRetention(
            self.database, self.clock, days=self.settings.executions.retention_days
        )
        self.tasks.start(forgetting.run(), name="retention of executions")

    async def stop(self) -> None:
        """Let what is under way end, keep what is not, close everything."""
        await self.bursts.settle(_SETTLE_S)
        await self.bursts.close()
        await self.executions.close()
        await self.paging.settle(_SETTLE_S)
        await self.tasks.close()
        await self.roster.close()
        await self.catalog.close()
        await self.events.close()
        await self.machines.stop()
        self.access.close()
        await self.database.close()

    def services(self) -> Services:
        """Give what the HTTP doors open to."""
        return Services(
            applications=self.applications,
            pipelines=self.pipelines,
            executions=self.executions,
            triggers=self.triggers,
            paging=self.paging,
            audit=Audit(self.database),
            catalog=self.catalog,
            ownership=self.ownership,
            settings=self.settings,
            clock=self.clock,
            ids=UlidIds(self.clock),
            health=self.health,
            version=__version__,
            metrics=self.metrics,
            check_key=self.events.check_key,
            access=self.access,
        )

    async def health(self) -> Mapping[str, Mapping[str, Any]]:
        """Give the components of Spring's health document."""
        state, states = self.catalog.state, self.catalog.states
        catalog = _details(state)
        if len(states) > 1:
            catalog["accounts"] = {name: _details(one) for name, one in states.items()}
        return {
            "database": await self._database_health(),
            "catalog": {"status": "UP" if state.trouble is None else "UNKNOWN", "details": catalog},
        }

    async def _database_health(self) -> Mapping[str, Any]:
        def work(connection: Connection) -> None:
            connection.execute(text("SELECT 1"))

        try:
            await asyncio.wait_for(self.database.read(work), _HEALTH_TIMEOUT_S)
        except (StorageUnavailable, TimeoutError) as error:
            return {"status": "DOWN", "details": {"error": str(error) or "no answer in time"}}
        return {"status": "UP", "details": {"database": self.database.url.get_backend_name()}}


def _details(state: CatalogState) -> dict[str, Any]:
    details: dict[str, Any] = {"services": state.services}
    return details | {"error": state.trouble.text} if state.trouble else details


def _retry(settings: Settings) -> RetryPolicy:
    paging = settings.paging
    return RetryPolicy(
        timedelta(seconds=paging.retry_first_s),
        timedelta(seconds=paging.retry_longest_s),
        timedelta(seconds=paging.deadline_s),
    )


def _log_failure(name: str, error: BaseException) -> None:
    log.error("task.failed", task=name, error=type(error).__name__, text=str(error))
