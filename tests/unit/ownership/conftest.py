"""Applications, pipelines and a catalog in which one service has each trouble there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from masthead.applications import Applications
from masthead.catalog import Catalog
from masthead.kernel.caller import Caller
from masthead.kernel.clock import ManualClock
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.kernel.secret import Secret
from masthead.ownership import Lint, Preflights
from masthead.pagerduty import Answer, Collected, Outcome, Protocol
from masthead.pagerduty.fakes import ScriptedReader
from masthead.pipelines import Pipelines

ANN = Caller(user="ann@example.com")
V1, V2 = "generic_events_api_inbound_integration", "events_api_v2_inbound_integration"
MAIL = "generic_email_inbound_integration"
#: A key that no service has, and one as event orchestrations have them.
STRANGE, ORCHESTRATION = "dead" * 7 + "9999", "R" + "0dead" * 6 + "1"


def key_of(name: str) -> str:
    """The key of a service's first integration."""
    return name.encode().hex().ljust(32, "0")[:32]


def service(name: str, type_: str = V2, **changes: Any) -> dict[str, Any]:
    integration = {"id": f"I{name}", "type": type_, "name": f"{name} in", "integration_key": key_of(name)}
    policy = {"id": f"E{name}", "summary": f"{name} policy"}
    document = {"id": f"P{name}", "name": name, "status": "active", "escalation_policy": policy}
    return document | {"integrations": [integration]} | changes


def oncall(name: str, user: str | None, level: int = 1, end: str | None = None) -> dict[str, Any]:
    document = {"escalation_policy": {"id": f"E{name}"}, "escalation_level": level, "start": None, "end": end}
    return document | {"user": user and {"id": f"U{user}", "summary": user}, "schedule": None}


BETTER = {"id": "IBETTER", "type": V2, "name": "Spinnaker", "integration_key": "b" * 32}
SERVICES = [
    service("Shop"),
    service("Old", V1),
    service("Disabled", status="disabled"),
    service("Maintained", status="maintenance"),
    service("Unled", escalation_policy=None),
    service("Empty"),
    service("Late"),
    service("Mail", MAIL),
    service("Both", MAIL, integrations=[service("Both", MAIL)["integrations"][0], BETTER]),
]
ONCALLS = [
    oncall("Shop", "Grace", level=2),
    oncall("Shop", "Ada"),
    oncall("Shop", "Ada"),
    oncall("Old", "Ada"),
    oncall("Disabled", "Ada"),
    oncall("Maintained", "Ada"),
    oncall("Empty", None),
    oncall("Empty", "Gone", end="2026-11-23T02:59:59Z"),
    oncall("Late", "Grace", level=3),
    oncall("Mail", "Ada"),
    oncall("Both", "Ada"),
]


@dataclass
class Town:
    """What is looked at, and PagerDuty's answers about keys."""

    clock: ManualClock
    reader: ScriptedReader
    applications: Applications
    pipelines: Pipelines
    catalog: Catalog
    answers: dict[str, Answer]
    asked: list[tuple[str, Protocol, str]]

    async def application(self, name: str, key: str | None = None, **attributes: Any) -> None:
        document = {"name": name, "email": f"{name}@example.com", **attributes}
        await self.applications.create(document | ({"pdApiKey": key} if key else {}), ANN)

    async def pipeline(self, application: str, *stages: dict[str, Any], **changes: Any) -> None:
        drawn = [
            {"type": "pageApplicationOwner", "refId": str(number), "requisiteStageRefIds": [], **stage}
            for number, stage in enumerate(stages, 1)
        ]
        document = {"application": application, "name": "Deploy", "stages": drawn, **changes}
        await self.pipelines.save(document, ANN)

    async def refresh(
        self, services: Sequence[dict] | OutsideFailure, oncalls: Sequence[dict] | OutsideFailure
    ) -> None:
        for path, given in (("/services", services), ("/oncalls", oncalls)):
            is_list = not isinstance(given, OutsideFailure)
            self.reader.answer(path, Collected(list(given), total=len(given)) if is_list else given)
        await self.catalog.refresh()

    def preflights(self, **given: Any) -> Preflights:
        return Preflights(self.applications, self.catalog, self.clock, **given)

    def lint(self, **given: Any) -> Lint:
        async def check(key: Secret, protocol: Protocol, *, account: str) -> Answer:
            self.asked.append((key.reveal(), protocol, account))
            return self.answers.get(
                key.reveal(), Answer(Outcome.ACCEPTED, 202, None, None, "Event processed", 1)
            )

        return Lint(self.applications, self.pipelines, self.preflights(), check_key=check, **given)


@pytest.fixture
async def blind_town(database, clock, ids) -> Town:
    """One whose catalog never saw PagerDuty."""
    reader = ScriptedReader()
    catalog = Catalog(reader, database, clock)
    return Town(
        clock, reader, Applications(database, clock), Pipelines(database, clock, ids), catalog, {}, []
    )


@pytest.fixture
async def town(blind_town) -> Town:
    await blind_town.refresh(SERVICES, ONCALLS)
    return blind_town


@pytest.fixture
def failure() -> OutsideFailure:
    return OutsideFailure("Check the token.", reason=Reason.TOKEN)
