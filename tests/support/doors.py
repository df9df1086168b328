"""All doors over the real domain on SQLite; only PagerDuty is scripted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from starlette.types import ASGIApp

from masthead.api import Services, create_app
from masthead.applications import Applications
from masthead.catalog import Catalog, Roster
from masthead.config import Settings
from masthead.executions import Executions
from masthead.executions import Services as StageServices
from masthead.executions.stages.registry import STAGE_TYPES
from masthead.kernel.caller import Caller
from masthead.kernel.clock import SystemClock
from masthead.kernel.errors import OutsideFailure
from masthead.kernel.ids import UlidIds
from masthead.ownership import Ownership
from masthead.pagerduty import Collected, Severity
from masthead.pagerduty.fakes import ScriptedSender
from masthead.paging import Paging
from masthead.paging.audit import Audit
from masthead.paging.hashing import KeyHasher
from masthead.paging.pager import Infrastructure
from masthead.pipelines import Pipelines
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.triggers import Triggers
from masthead.web import WebServices

ANN = Caller(user="ann@example.com")
CHECKOUT_KEY = "c0ffee00c0ffee00c0ffee00c0ffee01"
PAYMENTS_KEY = "c0ffee00c0ffee00c0ffee00c0ffee02"
UNKNOWN_KEY = "dead0000dead0000dead0000dead9999"

SERVICES = [
    {
        "id": "PSVC01",
        "name": "Checkout",
        "status": "active",
        "last_incident_timestamp": "2026-11-01T10:00:00Z",
        "html_url": "https://acme.pagerduty.com/service-directory/PSVC01",
        "escalation_policy": {"id": "PPOL01", "summary": "Shop"},
        "teams": [{"id": "PTEAM1", "summary": "Shop team"}],
        "integrations": [
            {"id": "PINT00", "type": "aws_cloudwatch_inbound_integration", "name": "CloudWatch"},
            {
                "id": "PINT01",
                "type": "events_api_v2_inbound_integration",
                "name": "Spinnaker",
                "integration_key": CHECKOUT_KEY,
            },
        ],
    },
    {
        "id": "PSVC02",
        "name": "Payments",
        "status": "disabled",
        "last_incident_timestamp": None,
        "escalation_policy": {"id": "PPOL02", "summary": "Money"},
        "integrations": [
            {
                "id": "PINT02",
                "type": "generic_events_api_inbound_integration",
                "name": "v1",
                "integration_key": PAYMENTS_KEY,
            }
        ],
    },
    {
        "id": "PSVC03",
        "name": "Mail",
        "status": "active",
        "escalation_policy": None,
        "integrations": [],
    },
]


def on_call(policy: str | None, level: int, name: str | None) -> dict[str, Any]:
    return {
        "escalation_policy": {"id": policy, "summary": f"Policy {policy}"} if policy else None,
        "escalation_level": level,
        "user": {"id": "PUSER", "summary": name, "html_url": "https://acme.pagerduty.com/users/P"}
        if name
        else None,
        "schedule": None,
        "start": None,
        "end": None,
    }


ONCALLS = [
    on_call("PPOL01", 2, "Grace Hopper"),
    on_call("PPOL01", 1, "Ada Lovelace"),
    on_call("PPOL02", 1, None),
    on_call(None, 1, "Nobody's"),
]


class ScriptedRest:
    """Stands in for the REST client: gives the lists, or fails."""

    def __init__(self) -> None:
        self.obstacle: OutsideFailure | None = None
        self.failure: OutsideFailure | None = None
        #: Failures of one list: "services" or "oncalls".
        self.fails: dict[str, OutsideFailure] = {}

    async def collect(self, path: str, item_key: str, params: Any = ()) -> Any:
        if failure := self.failure or self.fails.get(item_key):
            raise failure
        items = SERVICES if item_key == "services" else ONCALLS
        return Collected(items)

    async def close(self) -> None:
        pass


@dataclass
class House:
    """Everything a test may look at or change behind the doors."""

    services: Services
    sender: ScriptedSender
    rest: ScriptedRest
    client: httpx.AsyncClient
    health: dict[str, Any] = field(default_factory=dict)
    ann: Caller = ANN

    async def application(self, name: str = "demo", **attributes: Any) -> None:
        document = {"name": name, "email": "team@example.com", **attributes}
        await self.services.applications.create(document, ANN)

    async def pipeline(self, name: str = "release", **changes: Any) -> dict[str, Any]:
        stages = [{"type": "wait", "waitTime": 0, "refId": "1", "requisiteStageRefIds": []}]
        document = {"application": "demo", "name": name, "stages": stages, **changes}
        return await self.services.pipelines.save(document, ANN)

    async def ended(self, ref: str) -> dict[str, Any]:
        """Give the task or execution behind *ref* once it has ended."""
        found = await self.services.executions.wait(ref.rpartition("/")[2], 20)
        assert found["status"] not in ("NOT_STARTED", "RUNNING", "PAUSED"), found["status"]
        return (await self.client.get(ref)).json()


def settings(**changes: dict[str, Any]) -> Settings:
    """Give settings with PagerDuty switched on; *changes* are fields of sections."""
    given = {"events": {"enabled": True}, "server": {"max_body_bytes": 100_000, "max_depth": 50}}
    all_changes = {**given, **{name: {**given.get(name, {}), **more} for name, more in changes.items()}}
    default = Settings()
    sections = {name: replace(getattr(default, name), **fields) for name, fields in all_changes.items()}
    return replace(default, **sections)


@contextlib.asynccontextmanager
async def running_house(database: Database, **changes: Any) -> AsyncIterator[House]:
    """Run everything behind the doors until the context ends; the catalog is loaded."""
    clock, ids = SystemClock(), UlidIds()
    sender, rest = ScriptedSender(), ScriptedRest()
    machines = Machines(database, clock, ids, version="test")
    bursts = Bursts(database, clock, machines)
    catalog = Catalog(rest, database, clock)
    await catalog.refresh()
    applications, pipelines = Applications(database, clock), Pipelines(database, clock, ids)
    pipelines.checks.add(STAGE_TYPES.problems)
    applications.on_deleted(pipelines.delete_of_application)
    ownership = Ownership(applications, catalog)
    hasher = await KeyHasher.of(database)
    infrastructure = Infrastructure(database, bursts, machines, clock, ids)
    paging = Paging(infrastructure, sender=sender, catalog=catalog, hasher=hasher)
    stage_services = StageServices(
        applications=applications,
        pipelines=pipelines,
        paging=paging,
        key_label=ownership.label,
        default_severity=Severity.CRITICAL,
    )
    executions = Executions(database, bursts, clock, ids, services=stage_services)
    triggers = Triggers(database, bursts, pipelines=pipelines, executions=executions, clock=clock)
    await applications.ensure_spinnaker()
    await triggers.start()
    await machines.start()
    loop = asyncio.ensure_future(bursts.run())
    health: dict[str, Any] = {"database": {"status": "UP"}}

    async def look() -> Mapping[str, Mapping[str, Any]]:
        return health

    services = Services(
        applications=applications,
        pipelines=pipelines,
        executions=executions,
        triggers=triggers,
        paging=paging,
        audit=Audit(database),
        catalog=catalog,
        ownership=ownership,
        settings=settings(**changes),
        clock=clock,
        ids=ids,
        health=look,
        version="1.2.3",
    )
    async with client_of(create_app(services)) as client:
        yield House(services, sender, rest, client, health)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await bursts.close()
    await executions.close()
    await paging.settle(5)
    await machines.stop()


def web_services(house: House) -> WebServices:
    """Give what the pages show of everything in *house*."""
    services = house.services
    return WebServices(
        applications=services.applications,
        catalog=services.catalog,
        ownership=services.ownership,
        settings=services.settings,
        clock=services.clock,
        version=services.version,
        ids=services.ids,
        health=services.health,
        audit=services.audit,
        paging=services.paging,
        pipelines=services.pipelines,
        executions=services.executions,
        preflights=services.preflights,
        lint=services.lint,
        roster=Roster({services.catalog.default_account: house.rest}, services.clock),
        access=services.access,
    )


class Client(httpx.AsyncClient):
    """A client that posts forms below /ui/ as a browser does: with the token of a page that it has loaded."""

    async def request(self, method: str, url: Any, **given: Any) -> httpx.Response:
        if method == "POST" and str(url).startswith("/ui/") and not self._has_token(given):
            page = (await super().request("GET", "/ui/login", follow_redirects=True)).text
            token = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
            given["headers"] = {"X-CSRF-Token": token, **(given.get("headers") or {})}
        return await super().request(method, url, **given)

    def _has_token(self, given: dict[str, Any]) -> bool:
        return "X-CSRF-Token" in (given.get("headers") or {}) or "csrf" in (given.get("data") or {})


def client_of(app: ASGIApp, **arguments: Any) -> Client:
    """Give a client that calls *app* without a socket."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return Client(transport=transport, base_url="http://masthead", **arguments)
