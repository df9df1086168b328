"""The life of an incident, as events and people drive it."""

from __future__ import annotations

import pytest

MAINTENANCE = "c0ffee000000000000000warehouse02"
DISABLED = "c0ffee0000000000000000000coupon1"
NOBODY = "c0ffee00000000000000legacymailer"
SUPPRESSING = "c0ffee00000000000notifications02"


async def _outcomes(desk):
    return [event["outcome"] for event in await desk.events()]


async def test_the_same_key_joins_the_open_incident(desk):
    """A trigger with the key of an open incident is appended and opens nothing."""
    await desk.v2(dedup_key="k")
    await desk.v2(dedup_key="k")
    (incident,) = await desk.incidents()
    assert (incident["events"], incident["status"]) == (2, "triggered")
    assert await _outcomes(desk) == ["opened", "appended"]


async def test_a_resolved_key_opens_a_new_incident(desk):
    """A resolved incident never reopens: its key opens another one."""
    await desk.v2(dedup_key="k")
    await desk.v2(dedup_key="k", event_action="resolve")
    await desk.v2(dedup_key="k")
    assert [incident["status"] for incident in await desk.incidents()] == ["resolved", "triggered"]


async def test_acknowledge_then_resolve(desk):
    """Events acknowledge and resolve the incident of their key; a trigger in between leaves it acknowledged."""
    await desk.v1(incident_key="k")
    await desk.v1(incident_key="k", event_type="acknowledge", description=None)
    await desk.v1(incident_key="k")
    assert [one["status"] for one in await desk.incidents()] == ["acknowledged"]
    await desk.v1(incident_key="k", event_type="resolve", description=None)
    assert [one["status"] for one in await desk.incidents()] == ["resolved"]
    assert await _outcomes(desk) == ["opened", "acknowledged", "appended", "resolved"]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
async def test_without_an_open_incident_it_is_dropped(desk, action):
    """Acknowledge and resolve without an open incident are accepted and dropped."""
    assert (await desk.v2(dedup_key="none", event_action=action)).status_code == 202
    assert (await desk.v1(incident_key="none", event_type=action)).status_code == 200
    assert await _outcomes(desk) == ["dropped: no open incident with this key"] * 2


async def test_another_routing_key_does_not_reach_the_incident(desk):
    """Only the routing key that triggered acknowledges and resolves, even within one service."""
    await desk.v2(dedup_key="k")
    await desk.v2(dedup_key="k", event_action="resolve", routing_key=desk.search_key)
    await desk.v1(incident_key="k", event_type="resolve", service_key="c0ffee00000000000000paymentsapi1")
    assert [one["status"] for one in await desk.incidents()] == ["triggered"]


@pytest.mark.parametrize(
    ("key", "protocol", "reason"),
    [
        (MAINTENANCE, "v2", "not opened: the service is in maintenance"),
        (DISABLED, "v1", "not opened: the service is disabled"),
        (NOBODY, "v2", "not opened: nobody is on call"),
    ],
)
async def test_accepted_without_an_incident(desk, key, protocol, reason):
    """Maintenance, a disabled service and nobody on call: accepted as ever, and no incident."""
    answer = await (desk.v2(routing_key=key) if protocol == "v2" else desk.v1(service_key=key))
    assert answer.status_code == (202 if protocol == "v2" else 200)
    assert answer.json()["status"] == "success"
    assert await desk.incidents() == []
    assert await _outcomes(desk) == [reason]


async def test_suppressed_severities_open_nothing(desk):
    """An event rule may swallow a severity; others still page."""
    payload = {"summary": "s", "source": "x"}
    await desk.v2(routing_key=SUPPRESSING, payload={**payload, "severity": "info"})
    await desk.v2(routing_key=SUPPRESSING, payload={**payload, "severity": "warning"})
    assert await _outcomes(desk) == ["not opened: suppressed by the service's event rules", "opened"]


async def test_v2_needs_a_service_with_alerts(make_desk):
    """Events v2 opens nothing on a service that makes incidents without alerts."""
    document = {
        "extends": "example",
        "services": [
            {
                "name": "Old",
                "policy": "PPMONEY",
                "alert_creation": "create_incidents",
                "integrations": [{"key": "o" * 32}],
            }
        ],
    }
    desk = make_desk(document)
    assert (await desk.v2(routing_key="o" * 32)).status_code == 202
    assert await desk.incidents() == []


@pytest.mark.parametrize(
    ("severity", "urgency"),
    [("critical", "high"), ("error", "high"), ("warning", "low"), ("info", "low")],
)
async def test_severity_decides_urgency_where_the_service_says_so(desk, severity, urgency):
    """On a service with urgency by severity, warning and info are low."""
    await desk.v2(routing_key=desk.search_key, payload={"summary": "s", "source": "x", "severity": severity})
    assert [one["urgency"] for one in await desk.incidents()] == [urgency]


async def test_the_first_level_with_somebody_is_paged(make_desk):
    """When nobody is on call at level 1, level 2 is assigned."""
    document = {
        "users": [{"id": "U", "name": "Ada"}],
        "schedules": [{"id": "S", "name": "Empty"}],
        "escalation_policies": [{"id": "E", "name": "E", "levels": [["S"], ["U"]]}],
        "services": [{"name": "One", "policy": "E", "integrations": [{"key": "k" * 32}]}],
    }
    desk = make_desk(document)
    await desk.v2(routing_key="k" * 32)
    assert [one["assignees"] for one in await desk.incidents()] == [["Ada"]]


async def test_the_oldest_resolved_incidents_go_first(desk):
    """Beyond ``keep_incidents`` the oldest resolved go, then the oldest."""
    await desk.settings(keep_incidents=2)
    for key in "ab":
        await desk.v2(dedup_key=key)
    await desk.v2(dedup_key="b", event_action="resolve")
    await desk.v2(dedup_key="c")
    assert [one["incident_key"] for one in await desk.incidents()] == ["a", "c"]
    await desk.v2(dedup_key="d")
    assert [one["incident_key"] for one in await desk.incidents()] == ["c", "d"]
    assert (await desk.get("/incidents", incident_key="a")).json()["incidents"] == []


async def test_a_forgotten_open_incident_does_not_swallow_its_key(desk):
    """After an open incident was dropped for room, its key opens a new one."""
    await desk.settings(keep_incidents=1)
    for key in "aba":
        await desk.v2(dedup_key=key)
    assert [(one["incident_key"], one["number"]) for one in await desk.incidents()] == [("a", 3)]
