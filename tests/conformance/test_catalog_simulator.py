"""Catalog and events against the simulator, over HTTP and with faults: the two know PagerDuty independently."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass

import httpx
import pytest
import structlog

from masthead.catalog import Catalog
from masthead.kernel.clock import SystemClock
from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import Event, EventsClient, Outcome, Protocol, RestClient, Severity
from masthead.simulator.app import create_app
from masthead.simulator.run import bind, build_server
from masthead.storage.database import Database
from unit.pagerduty.endpoint import EagerClock

TOKEN = Secret("good-token-for-tests")
V1_KEY = Secret("c0ffee00000000000000000checkout1")
V2_KEY = Secret("c0ffee00000000000000paymentsapi2")


@dataclass(frozen=True)
class Simulated:
    """A simulator that is being served, and a client of its control routes."""

    url: str

    def post(self, path: str, body: dict) -> None:
        answer = httpx.post(f"{self.url}/simulator/{path}", json=body)
        assert answer.is_success, answer.text

    def fault(self, **order) -> None:
        self.post("faults", order)

    def heal(self) -> None:
        httpx.delete(f"{self.url}/simulator/faults")

    def incidents(self) -> list[dict]:
        return httpx.get(f"{self.url}/simulator/incidents").json()


@pytest.fixture
def simulator(request, tmp_path):
    data = None
    if services := getattr(request, "param", None):
        data = tmp_path / "data.json"
        data.write_text(json.dumps(organisation(services)))
    with bind("127.0.0.1", 0) as taken:
        server = build_server(create_app(data))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        yield Simulated(f"http://127.0.0.1:{taken.getsockname()[1]}")
        server.should_exit = True
        thread.join()


def organisation(services: int) -> dict:
    return {
        "users": [{"name": "Ann", "id": "PUANN01"}],
        "escalation_policies": [{"name": "Everything", "id": "PPALL01", "levels": [["PUANN01"]]}],
        "services": [
            {"name": f"Service {number:05}", "id": f"P{number:06}", "policy": "PPALL01", "integrations": [{}]}
            for number in range(services)
        ],
        "tokens": [{"token": TOKEN.reveal()}, {"token": "no-oncalls", "scopes": ["services.read"]}],
    }


@pytest.fixture
async def start(simulator, database_url):
    """A catalog of the simulator's account; every wait is over at once."""
    database = await Database.open(database_url, clock=SystemClock())
    catalogs = []

    async def make(token: Secret = TOKEN) -> Catalog:
        rest = RestClient(simulator.url, lambda: token, EagerClock(), timeout_s=20)
        catalogs.append(Catalog(rest, database, EagerClock()))
        await catalogs[-1].load()
        return catalogs[-1]

    yield make
    for catalog in catalogs:
        await catalog.close()
    await database.close()


async def test_the_example_account_is_read(start):
    """Names, policies, teams, statuses, keys, and who is on call."""
    catalog = await start()
    await catalog.refresh()
    assert catalog.state.is_complete
    assert catalog.state.trouble is None
    checkout = catalog.find_service("checkout")
    assert checkout.usable().key == V1_KEY
    assert checkout.policy_name
    assert checkout.teams
    payments = catalog.find_service("Payments")
    assert payments.usable().key == V2_KEY
    assert payments.usable(prefer_v1=True).protocol is Protocol.V1
    assert catalog.oncalls_of(payments.policy_id)[0].level == 1
    assert catalog.oncalls_of(payments.policy_id)[0].user_url
    assert "maintenance" in catalog.find_service("Warehouse").warning
    unusable = [service for service in catalog.services() if service.usable() is None]
    assert unusable
    assert all(service.unusable_reason for service in unusable)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 500}, Reason.SERVER),
        (
            {"status": 401, "body": {"error": {"message": "Authentication failed", "code": 2006}}},
            Reason.TOKEN,
        ),
        ({"status": 403, "body": {"error": {"message": "Access Denied", "errors": "x"}}}, Reason.SCOPE),
        ({"status": 429}, Reason.THROTTLED),
        ({"status": 429, "headers": {"Retry-After": "600"}}, Reason.THROTTLED),
        ({"status": 404, "body": "<h1>no</h1>"}, Reason.NOT_FOUND),
        ({"status": 200, "body": {"hello": "world"}}, Reason.ANSWER),
        ({"reset": True}, Reason.NETWORK),
        ({"half_body": True}, Reason.NETWORK),
    ],
)
async def test_a_fault_empties_nothing_and_is_told(start, simulator, fault, reason):
    """Whatever befalls the REST API; and the token is nowhere in what is told."""
    catalog = await start()
    await catalog.refresh()
    known = catalog.services()
    simulator.fault(target="rest", **fault)
    with structlog.testing.capture_logs() as logs:
        await catalog.refresh()
    assert catalog.services() == known
    assert catalog.state.trouble.reason is reason
    assert TOKEN.reveal() not in f"{logs} {catalog.state}"
    simulator.heal()
    restarted = await start()
    assert restarted.services() == known
    await restarted.refresh()
    assert restarted.state.trouble is None


async def test_a_wrong_token_is_told_from_a_missing_scope(start):
    """401 and 403 need different hands."""
    wrong = await start(Secret("invalid-token"))
    await wrong.refresh()
    assert wrong.state.trouble.reason is Reason.TOKEN
    assert "region" in wrong.state.explanation


@pytest.mark.parametrize("simulator", [3], indirect=True)
async def test_a_token_without_a_scope_brings_what_it_may(start):
    """Services come, on-calls say why they do not."""
    catalog = await start(Secret("no-oncalls"))
    await catalog.refresh()
    assert len(catalog.services()) == 3
    assert catalog.state.oncalls_trouble.reason is Reason.SCOPE


@pytest.mark.parametrize("simulator", [950], indirect=True)
async def test_one_page_that_fails_leaves_the_rest(start, simulator):
    """The first page fails three times: its hundred services are missing, later it is known from before."""
    catalog = await start()
    simulator.fault(target="/services", status=500, count=3)
    await catalog.refresh()
    assert len(catalog.services()) == 850
    assert not catalog.state.is_complete
    assert catalog.state.trouble.reason is Reason.SERVER
    await catalog.refresh()
    assert len(catalog.services()) == 950
    assert catalog.state.is_complete
    simulator.fault(target="/services", status=500, count=3)
    await catalog.refresh()
    assert len(catalog.services()) == 950
    assert not catalog.state.is_complete


@pytest.mark.parametrize("simulator", [950], indirect=True)
@pytest.mark.parametrize("kind", ["full", "bare"])
async def test_throttling_is_sat_out(start, simulator, kind):
    """Two 429 on the way, with headers and without: everything comes all the same."""
    simulator.post("settings", {"rest_429": kind})
    simulator.fault(target="/services", status=429, count=2)
    catalog = await start()
    await catalog.refresh()
    assert len(catalog.services()) == 950
    assert catalog.state.is_complete


@pytest.mark.parametrize("simulator", [10_150], indirect=True)
async def test_more_than_an_offset_reaches_is_read(start):
    """From both ends of the list."""
    catalog = await start()
    await catalog.refresh()
    assert len({service.id for service in catalog.services()}) == 10_150
    assert catalog.state.is_complete


@pytest.fixture
async def events(simulator):
    client = EventsClient(simulator.url, token=lambda: TOKEN)
    yield client
    await client.close()


def event(key: Secret, protocol: Protocol, **changes) -> Event:
    values = {
        "action": "trigger",
        "dedup_key": "d1",
        "summary": "The till is shut",
        "severity": Severity.ERROR,
    }
    return Event(protocol, routing_key=key, **values | changes)


@pytest.mark.parametrize(
    ("key", "protocol", "status"), [(V1_KEY, Protocol.V1, 200), (V2_KEY, Protocol.V2, 202)]
)
async def test_an_event_opens_an_incident_and_closes_it(events, simulator, key, protocol, status):
    """Over both protocols, however long the message; a second trigger opens no second one."""
    sent = event(key, protocol, summary="é" * 5000, details={"log": "z" * 600_000})
    for _ in range(2):
        answer = await events.send(sent)
        assert (answer.outcome, answer.status, answer.dedup_key) == (Outcome.ACCEPTED, status, "d1")
    assert [incident["status"] for incident in simulator.incidents()] == ["triggered"]
    await events.send(event(key, protocol, action="acknowledge"))
    assert [incident["status"] for incident in simulator.incidents()] == ["acknowledged"]
    await events.send(event(key, protocol, action="resolve"))
    assert [incident["status"] for incident in simulator.incidents()] == ["resolved"]


@pytest.mark.parametrize(("key", "protocol"), [(V1_KEY, Protocol.V2), (V2_KEY, Protocol.V1), (Secret("short"), Protocol.V2), (Secret("0" * 32), Protocol.V1)])  # fmt: skip
async def test_a_key_that_does_not_fit_is_rejected(events, key, protocol):
    """Never to be tried again, with what to check."""
    answer = await events.send(event(key, protocol))
    assert (answer.outcome, answer.reason) == (Outcome.REJECTED, Reason.KEY)
    assert "integration" in answer.text
    assert key.reveal() not in repr(answer)


@pytest.mark.parametrize(
    ("key", "protocol", "status"), [(V1_KEY, Protocol.V1, 403), (V2_KEY, Protocol.V2, 429)]
)
async def test_a_budget_that_is_used_up_means_later(events, simulator, key, protocol, status):
    """v1 says 403, v2 says 429."""
    simulator.post("settings", {"events_per_key": 1})
    await events.send(event(key, protocol))
    answer = await events.send(event(key, protocol))
    assert (answer.outcome, answer.status, answer.reason) == (Outcome.RETRY, status, Reason.THROTTLED)


@pytest.mark.parametrize("fault", [{"reset": True, "when": "after"}, {"half_body": True}, {"status": 500}])
@pytest.mark.parametrize(("key", "protocol"), [(V1_KEY, Protocol.V1), (V2_KEY, Protocol.V2)])
async def test_a_lost_answer_doubles_nothing(events, simulator, key, protocol, fault):
    """The same event again, under the same dedup key: one incident."""
    simulator.fault(target="events", count=1, **fault)
    first = await events.send(event(key, protocol))
    assert (first.outcome, first.may_have_arrived) == (Outcome.RETRY, True)
    assert (await events.send(event(key, protocol))).outcome is Outcome.ACCEPTED
    assert len(simulator.incidents()) == 1


async def test_a_hundred_keys_are_told_at_once(events, simulator):
    """A slow PagerDuty costs one round trip, not one for each."""
    answers = await asyncio.gather(
        *(events.send(event(V2_KEY, Protocol.V2, dedup_key=str(number))) for number in range(100))
    )
    assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
    assert len(simulator.incidents()) == 100
