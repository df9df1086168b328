"""A simulator and a Masthead with applications and pipelines, as the pages show them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.entering import ANN, PASSWORDS, write_users
from support.processes import Process, masthead, running, simulator, wait_until

__all__ = [
    "CANARY_KEY",
    "CANARY_TOKEN",
    "ORGANISATION",
    "PIPELINE",
    "Site",
    "applications",
    "open_large_site",
    "open_site",
]

_EXAMPLES = Path(__file__).parents[2] / "examples" / "demo"
#: Of the service "Shipping", and the REST token; neither may reach a browser.
CANARY_KEY = "canary0known0canary0known0canary"
CANARY_TOKEN = "u+canaryTokenOfTheRestApi"
#: In whose name a site's own requests are made where nobody has to log in.
AS_ANN = {"X-SPINNAKER-USER": ANN}

#: The example organisation, whose rotas stand still here so that tests hold on any day, and a service whose key is looked
#: for everywhere, and whose nights nobody has.
ORGANISATION: dict[str, Any] = {
    "extends": "example",
    "schedules": [
        {"id": "PSSHIPS", "name": "Shipping days", "rotation": ["PUFATI6", "PUEMIL5"], "turn_hours": 24, "hours": [6, 22]},
        {"id": "PSSTORE", "name": "Storefront rota", "rotation": ["PUBENJ2"]},
        {"id": "PSMONEY", "name": "Payments rota", "rotation": ["PUEMIL5"]},
        {"id": "PSPLATF", "name": "Platform rota", "rotation": ["PUHIRO8"]},
    ],
    "escalation_policies": [
        {"id": "PPSHIPS", "name": "Shipping", "teams": ["PTSTORE"], "levels": [["PSSHIPS"], ["PUGRAC7"]]}
    ],
    "services": [
        {
            "id": "PSHIPP1",
            "name": "Shipping",
            "policy": "PPSHIPS",
            "teams": ["PTSTORE"],
            "integrations": [
                {"id": "PISHIP1", "name": "Masthead", "type": "events_api_v2_inbound_integration", "key": CANARY_KEY}
            ],
        }
    ],
}  # fmt: skip
SHIPPING = {
    "name": "shipping",
    "email": "shipping-team@example.com",
    "description": "Sends what was bought",
    "pagerDutyService": "Shipping",
}

#: Three stages, of which the second waits for somebody.
PIPELINE: dict[str, Any] = {
    "application": "payments",
    "name": "Nightly settlement",
    "parameterConfig": [{"name": "region", "label": "Region", "default": "eu", "required": True}],
    "stages": [
        {
            "refId": "1",
            "requisiteStageRefIds": [],
            "type": "wait",
            "name": "Wait for the bank",
            "waitTime": 1,
        },
        {
            "refId": "2",
            "requisiteStageRefIds": ["1"],
            "type": "manualJudgment",
            "name": "Is the balance right?",
            "judgmentInputs": [],
        },
        {
            "refId": "3",
            "requisiteStageRefIds": ["2"],
            "type": "pageApplicationOwner",
            "name": "Tell the owners",
            "applications": ["payments"],
            "message": "Settlement in ${parameters.region} has ended",
            "details": {"from": "Nightly settlement"},
        },
    ],
}


@dataclass(frozen=True)
class Site:
    """Both processes, and what no page may show."""

    server: Process
    pagerduty: Process
    folder: Path
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def url(self) -> str:
        return self.server.url

    def create(self, **attributes: Any) -> None:
        """Make an application, or change one; ``pagerDutyService`` names the service that it pages."""
        service = attributes.pop("pagerDutyService", None)
        name = attributes["name"]
        job = {"type": "createApplication", "application": {"email": f"{name}@example.com", **attributes}}
        task = {"application": name, "description": "Create", "job": [job]}
        self.server.ask("POST", "/tasks", json=task, headers=AS_ANN)
        wait_until(
            lambda: any(one["name"].lower() == name.lower() for one in self.server.get("/applications"))
        )
        if service is not None:
            self.server.ask("PUT", f"/v1/applications/{name}/pagerduty-service", json={"service": service})

    def page(self, application: str, message: str, **more: Any) -> dict[str, Any]:
        """Page the owners of *application* and wait until PagerDuty has answered."""
        body = {"applications": [application], "message": message, **more}
        return dict(self.server.ask("POST", "/v1/pages?wait=10", json=body, headers=AS_ANN))

    def start(self, application: str, pipeline: str, **parameters: Any) -> str:
        """Start a pipeline; gives the id of the execution."""
        body = {"type": "manual", "parameters": parameters}
        path = f"/pipelines/{application}/{pipeline.replace(' ', '%20')}"
        return str(self.server.ask("POST", path, json=body, headers=AS_ANN)["ref"]).rpartition("/")[2]

    def incidents(self, **query: str) -> list[dict[str, Any]]:
        """Give PagerDuty's incidents, newest last."""
        return list(self.pagerduty.get("/simulator/incidents", **query))

    def acknowledge(self, incident: Mapping[str, Any], user: str) -> None:
        """Acknowledge as the person *user* (id, name or e-mail) would in PagerDuty."""
        self.pagerduty.post(f"/simulator/incidents/{incident['id']}/acknowledge", {"user": user})


def applications() -> list[dict[str, Any]]:
    """Give the five applications of the demo, and one whose service has the canary key."""
    return [*json.loads((_EXAMPLES / "applications.json").read_text()), SHIPPING]


@contextlib.contextmanager
def open_site(
    folder: Path,
    *,
    organisation: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    has_users: bool = False,
    is_furnished: bool = True,
    awaits_catalog: bool = True,
) -> Iterator[Site]:
    """Run both processes over *folder*; ended by their own ids.

    Args:
        folder: Where the database and the organisation's file go.
        organisation: The simulator's data file; the example with the canary if not given.
        environ: More of the environment of ``masthead serve``.
        has_users: Whether the users of :mod:`support.entering` have to log in; the site's own requests are Ann's.
        is_furnished: Whether the demo's applications and a pipeline are there.
        awaits_catalog: Whether to wait until PagerDuty's services are read.
    """
    data = folder / "organisation.json"
    data.write_text(json.dumps(organisation or ORGANISATION))
    settings = {
        "PAGERDUTY_TOKEN": CANARY_TOKEN,
        **(environ or {}),
    }
    with running(simulator(data=data)) as pagerduty:
        if has_users:
            settings["MASTHEAD_ACCESS_USERS_FILE"] = str(write_users(folder / "users"))
        server = masthead(pagerduty.url, str(folder / "masthead.db"), environ=settings)
        server.auth = (ANN, PASSWORDS[ANN]) if has_users else None
        with running(server):
            site = Site(server, pagerduty, folder, (*_keys(pagerduty.get("/simulator/data")), CANARY_TOKEN))
            if awaits_catalog:
                wait_until(lambda: server.get("/v1/catalog")["services"])
            if is_furnished:
                _furnish(site)
            yield site


def _furnish(site: Site) -> None:
    for document in applications():
        site.create(**document)
    site.server.post("/pipelines", PIPELINE)


def _keys(document: Any) -> Iterator[str]:
    """Give every integration key of the organisation."""
    if isinstance(document, dict):
        if isinstance(document.get("key"), str) and document["key"]:
            yield document["key"]
        for value in document.values():
            yield from _keys(value)
    elif isinstance(document, list):
        for value in document:
            yield from _keys(value)


@contextlib.contextmanager
def open_large_site(folder: Path, *, services: int = 10_000, applications: int = 3_000) -> Iterator[Site]:
    """Run both with as many services and applications as a large company has; every application pages a service."""
    generate = {"services": services, "users": 400, "policies": 300}
    with open_site(folder, organisation={"generate": generate}, is_furnished=False) as site:
        wait_until(lambda: site.server.get("/v1/catalog")["services"] == services, timeout_s=120)
        keys = [one["integrations"][0]["key"] for one in site.pagerduty.get("/simulator/data")["services"]]
        documents = [
            {"name": f"app{number:04}", "email": f"team{number % 97}@example.com", "pdApiKey": keys[number]}
            for number in range(applications)
        ]
        with httpx.Client(base_url=site.url, timeout=60) as client, ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda one: client.post("/front50/v2/applications", json=one), documents))
        assert all(one.is_success for one in answers)
        yield site
