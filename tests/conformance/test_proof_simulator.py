"""Proof against the simulator over HTTP: events go in by one door, what became of them is read by the other."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import httpx
import pytest

from masthead.catalog import Catalog
from masthead.kernel.clock import SystemClock
from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import Event, EventsClient, Outcome, Protocol, RestClient, RestIncidents, Severity
from masthead.paging.model import Incident, IncidentState, NotOpened
from masthead.simulator.app import create_app
from masthead.simulator.run import bind, build_server
from support.proving import House, ours
from unit.pagerduty.endpoint import EagerClock

V1_CHECKOUT = "c0ffee00000000000000000checkout1"
V2_PAYMENTS = "c0ffee00000000000000paymentsapi2"
V2_NOTIFICATIONS = "c0ffee00000000000notifications02"
V2_WAREHOUSE = "c0ffee000000000000000warehouse02"
V1_COUPONS = "c0ffee0000000000000000000coupon1"
V2_MAILER = "c0ffee00000000000000legacymailer"


@pytest.fixture
def simulator():
    with bind("127.0.0.1", 0) as taken:
        server = build_server(create_app(None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/simulator") as control:
            yield control
        server.should_exit = True
        thread.join()


class Town:
    """Events in, proof out."""

    def __init__(self, simulator: httpx.Client, house: House, events: EventsClient) -> None:
        self.simulator, self.house, self.events = simulator, house, events

    async def send(self, key: str, dedup_key: str, **changes) -> None:
        protocol = Protocol.V1 if key.endswith("1") else Protocol.V2
        event = Event(protocol, "trigger", Secret(key), dedup_key, summary="db down", **changes)
        answer = await self.events.send(event)
        assert answer.outcome is Outcome.ACCEPTED, answer.text

    async def page(self, key: str, dedup_key: str, **changes) -> str:
        """Send a page and note that it was accepted; gives the delivery's id."""
        known = self.house.book.service_of_key(Secret(key))
        ids = await self.house.accept(dedup_key, service_id=known[0].id if known else None)
        await self.send(key, dedup_key, **changes)
        return ids[0]

    async def incident(self, delivery_id: str) -> Incident:
        return await self.house.proof.incident_of(delivery_id)

    def post(self, path: str, body: dict | None = None) -> None:
        self.simulator.post(path, json=body or {}).raise_for_status()


@pytest.fixture
async def town(simulator, database):
    clock = EagerClock()
    clock._now = datetime.now(UTC)
    url = str(simulator.base_url).removesuffix("/simulator/")
    rest = RestClient(url, lambda: Secret("any-token"), clock)
    catalog = Catalog(rest, database, clock)
    await catalog.refresh()
    events = EventsClient(url)
    yield Town(simulator, House(database, clock, reader=RestIncidents(rest), book=catalog), events)
    await events.close()
    await catalog.close()


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_page_is_followed_from_triggered_to_resolved(town, hidden):
    """As people act on it; also where PagerDuty shows incidents without their key."""
    town.post("settings", {"null_incident_keys": hidden})
    id_ = await town.page(V2_PAYMENTS, ours("a"))
    await town.house.run_until(2)
    incident = await town.incident(id_)
    assert (incident.state, incident.number) == (IncidentState.TRIGGERED, 1)
    assert incident.url
    assert incident.assignee in ("Devika Rao", "Emil Novak")
    town.post("incidents/1/acknowledge", {"user": "Anna Lindqvist"})
    await town.house.run_until(60)
    acknowledged = await town.incident(id_)
    assert (acknowledged.state, acknowledged.assignee) == (IncidentState.ACKNOWLEDGED, "Anna Lindqvist")
    town.post("incidents/1/resolve")
    await town.house.run_until(120)
    assert await town.house.due_at() is None
    resolved = await town.incident(id_)
    assert (resolved.state, resolved.assignee) == (IncidentState.RESOLVED, acknowledged.assignee)


@pytest.mark.parametrize(
    ("key", "severity", "reason", "is_inferred"),
    [
        (V1_COUPONS, Severity.CRITICAL, NotOpened.DISABLED, False),
        (V2_WAREHOUSE, Severity.CRITICAL, NotOpened.MAINTENANCE, False),
        (V2_MAILER, Severity.CRITICAL, NotOpened.NOBODY_ON_CALL, True),
        (V2_NOTIFICATIONS, Severity.INFO, NotOpened.SUPPRESSED, True),
    ],
)
async def test_why_nothing_was_opened_is_what_the_simulator_knows(town, key, severity, reason, is_inferred):
    """PagerDuty accepts each of these events and opens nothing."""
    id_ = await town.page(key, ours("a"), severity=severity)
    await town.house.run_until(61)
    incident = await town.incident(id_)
    assert (incident.state, incident.reason, incident.is_inferred) == (
        IncidentState.NOT_OPENED,
        reason,
        is_inferred,
    )
    assert town.simulator.get("incidents").json() == []


async def test_an_open_incident_of_the_same_service_hides_no_suppression(town):
    """That something else is open there is not the reason."""
    await town.send(V2_NOTIFICATIONS, ours("b"))
    id_ = await town.page(V2_NOTIFICATIONS, ours("a"), severity=Severity.INFO)
    await town.house.run_until(61)
    assert (await town.incident(id_)).reason is NotOpened.SUPPRESSED


async def test_a_second_page_under_a_chosen_key_joins_the_first(town):
    """It names the incident that took it, and opens a new one once that is resolved."""
    first = await town.page(V2_PAYMENTS, "db-down")
    town.house.pass_time(1)
    second = await town.page(V2_PAYMENTS, "db-down")
    await town.house.run_until(2)
    assert (await town.incident(first)).state is IncidentState.TRIGGERED
    joined = await town.incident(second)
    assert (joined.reason, joined.number, joined.is_inferred) == (NotOpened.ALREADY_OPEN, 1, False)
    town.post("incidents/1/resolve")
    await town.house.run_until(10)
    third = await town.page(V2_PAYMENTS, "db-down")
    await town.house.run_until(10)
    assert (await town.incident(third)).number == 2


async def test_one_chosen_key_for_two_services_finds_the_incident_of_each(town):
    """Though both have the same key."""
    ids = [await town.page(key, "db-down") for key in (V1_CHECKOUT, V2_PAYMENTS)]
    await town.house.run_until(2)
    assert [(await town.incident(id_)).number for id_ in ids] == [1, 2]


async def test_a_throttling_pagerduty_is_left_alone_and_nothing_is_lost(town):
    """For as long as it says; then the incident is found."""
    id_ = await town.page(V2_PAYMENTS, ours("a"))
    order = {"target": "/incidents", "status": 429, "headers": {"Retry-After": "33"}, "count": 1}
    town.post("faults", order)
    await town.house.run_until(20)
    assert (await town.incident(id_)).state is IncidentState.UNKNOWN
    await town.house.run_until(30)
    assert (await town.incident(id_)).state is IncidentState.TRIGGERED


async def test_an_event_whose_answer_was_lost_is_found(town):
    """Also when somebody resolved it meanwhile; one that never arrived is not."""
    town.post("faults", {"reset": True, "when": "after", "count": 1})
    event = Event(Protocol.V2, "trigger", Secret(V2_PAYMENTS), ours("a"), summary="db down")
    answer = await town.events.send(event)
    assert answer.may_have_arrived
    town.house.clock = SystemClock()
    town.house.proof._clock = SystemClock()  # on which an answer is not late at once
    sent = town.house.delivery(dedup_key=ours("a"), service_id="PPAYAPI")
    assert (await town.house.proof.has_arrived(sent)).state is IncidentState.TRIGGERED
    town.post("incidents/1/resolve")
    assert (await town.house.proof.has_arrived(sent)).state is IncidentState.RESOLVED
    never = town.house.delivery(dedup_key=ours("b"), service_id="PPAYAPI")
    assert await town.house.proof.has_arrived(never) is None


async def test_a_key_is_checked_without_an_incident(town):
    """A resolve of nothing: accepted for a key that exists, refused for one that does not or is of the other API."""
    events = town.events
    assert (await events.check_key(Secret(V2_PAYMENTS), Protocol.V2)).outcome is Outcome.ACCEPTED
    assert (await events.check_key(Secret(V1_CHECKOUT), Protocol.V1)).outcome is Outcome.ACCEPTED
    for key, protocol in ((V1_CHECKOUT, Protocol.V2), ("d" * 32, Protocol.V2), ("short", Protocol.V1)):
        assert (await events.check_key(Secret(key), protocol)).reason is Reason.KEY
    assert town.simulator.get("incidents").json() == []


async def test_a_change_event_arrives(town):
    """And opens nothing."""
    event = Event(Protocol.V2, "change", Secret(V2_PAYMENTS), "", summary="Deployed 1.2", source="ci")
    assert (await town.events.send(event)).outcome is Outcome.ACCEPTED
    (record,) = town.simulator.get("events").json()
    assert (record["protocol"], record["outcome"]) == ("change", "change event")
    assert town.simulator.get("incidents").json() == []
