"""PagerDuty's own Python client against the simulator, over TLS (it speaks https only)."""

from __future__ import annotations

import pagerduty
import pytest

KEY = "c0ffee00000000000000paymentsapi2"


@pytest.fixture
def events(secure_simulator, trusting):
    with pagerduty.EventsApiV2Client(KEY, base_url=secure_simulator.url, verify=trusting) as client:
        yield client


@pytest.fixture
def rest(secure_simulator, trusting):
    with pagerduty.RestApiV2Client(
        "any-token",
        default_from="anna.lindqvist@example.com",
        base_url=secure_simulator.url,
        verify=trusting,
    ) as client:
        yield client


def test_trigger_acknowledge_resolve(events, rest):
    """The client triggers, acknowledges and resolves, and finds the incident by its key each time."""

    def status():
        return [one["status"] for one in rest.list_all("incidents", params={"incident_key": "k"})]

    assert events.trigger("Cards are refused", "test", dedup_key="k", severity="error") == "k"
    assert status() == ["triggered"]
    assert events.acknowledge("k") == "k"
    assert status() == ["acknowledged"]
    assert events.resolve("k") == "k"
    assert status() == ["resolved"]


def test_change_events(events, rest):
    """The client's change event is read back; a timestamp goes along, without it releases 7.0.1 to 7.2.0 fail."""
    events.submit("Deployed 1.2", timestamp="2026-11-24T03:00:00Z")
    assert [one["summary"] for one in rest.iter_all("services/PPAYAPI/change_events")] == ["Deployed 1.2"]


def test_refusals_reach_the_client(events):
    """A refused event raises with the answer's status."""
    with pytest.raises(pagerduty.HttpError) as caught:
        events.trigger("s" * 1025, "test")
    assert caught.value.response.status_code == 400
    assert caught.value.response.json()["errors"] == ["'summary' is too long (maiximum is 1024 characters)"]


def test_services_in_pages(rest):
    """The client walks through all pages and sees keys when integrations are included."""
    params = {"include[]": ["integrations"], "total": True}
    services = list(rest.iter_all("services", params=params, page_size=5, total=True))
    assert len(services) == 12
    assert KEY in {one.get("integration_key") for service in services for one in service["integrations"]}


def test_people_and_oncalls(rest):
    """Users, policies, schedules and on-calls come as the client expects them."""
    assert rest.find("users", "carmen.ruiz@example.com", attribute="email")["name"] == "Carmen Ruiz"
    assert len(rest.list_all("escalation_policies")) == 4
    assert len(rest.list_all("schedules")) == 4
    assert {one["escalation_level"] for one in rest.list_all("oncalls")} == {1, 2, 3}
    assert rest.rget("/escalation_policies/PPSTORE")["name"] == "Storefront"


def test_a_person_acts(events, rest):
    """The client acknowledges by PUT, leaves a note, opens an incident by hand."""
    events.trigger("Cards are refused", "test", dedup_key="k")
    (incident,) = rest.list_all("incidents", params={"statuses[]": ["triggered"]})
    changed = rest.rput(incident, json={"type": "incident_reference", "status": "acknowledged"})
    assert changed["status"] == "acknowledged"
    rest.rpost(f"/incidents/{incident['id']}/notes", json={"content": "Looking"})
    assert [note["content"] for note in rest.rget(f"/incidents/{incident['id']}/notes")] == ["Looking"]
    service = {"id": "PSEARCH", "type": "service_reference"}
    made = rest.rpost("incidents", json={"type": "incident", "title": "By hand", "service": service})
    assert made["incident_number"] == 2


def test_a_wrong_token(secure_simulator, trusting):
    """A token that begins with ``invalid`` raises with 401."""
    client = pagerduty.RestApiV2Client("invalid-token", base_url=secure_simulator.url, verify=trusting)
    with client, pytest.raises(pagerduty.HttpError) as caught:
        client.list_all("services")
    assert caught.value.response.status_code == 401
