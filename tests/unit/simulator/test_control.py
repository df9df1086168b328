"""The simulator's own routes."""

from __future__ import annotations

import pytest


async def test_summary(desk):
    """GET /simulator counts what happened."""
    await desk.v2(dedup_key="k")
    await desk.v2(dedup_key="k", event_action="resolve")
    await desk.v1()
    await desk.fault(status=500)
    document = (await desk.http.get("/simulator")).json()
    assert (document["events"], document["incidents"], document["open_incidents"], document["faults"]) == (
        3,
        2,
        1,
        1,
    )


async def test_acting_as_a_human(desk):
    """A human, by name, e-mail or id, acknowledges and resolves by the incident's id or number."""
    await desk.v2()
    (incident,) = await desk.incidents()
    answer = await desk.http.post(
        f"/simulator/incidents/{incident['id']}/acknowledge", json={"user": "anna lindqvist"}
    )
    assert (answer.json()["status"], answer.json()["acknowledged_by"]) == ("acknowledged", ["Anna Lindqvist"])
    answer = await desk.http.post("/simulator/incidents/1/resolve", json={"user": "PUBENJ2"})
    assert (answer.json()["status"], answer.json()["changed_by"]) == ("resolved", "Benjamin Okafor")
    assert (await desk.http.post("/simulator/incidents/1/resolve")).status_code == 409


async def test_without_a_name_the_assignee_acts(desk):
    """Without a user it is whoever is assigned."""
    await desk.v2()
    answer = await desk.http.post("/simulator/incidents/1/acknowledge")
    assert answer.json()["acknowledged_by"] == answer.json()["assignees"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/simulator/incidents/99/acknowledge", {}, 404),
        ("/simulator/incidents/QNONE/resolve", {}, 404),
        ("/simulator/incidents/1/acknowledge", {"user": "Nobody"}, 400),
        ("/simulator/incidents/1/acknowledge", {"name": "Anna"}, 400),
        ("/simulator/settings", {"unknown": 1}, 400),
        ("/simulator/settings", {"events_per_key": -1}, 400),
        ("/simulator/settings", {"latency_ms": "slow"}, 400),
        ("/simulator/services/PNONE", {"status": "active"}, 404),
        ("/simulator/services/PCHKOUT", {"status": "gone"}, 400),
        ("/simulator/schedules/PNONE", {"rotation": []}, 404),
        ("/simulator/schedules/PSSTORE", {"rotation": ["PNONE"]}, 400),
        ("/simulator/data", {"nonsense": 1}, 400),
        ("/simulator/webhooks/PNONE/rotate", {}, 404),
        ("/simulator/nothing", {}, 404),
    ],
)
async def test_mistakes_get_a_reason(desk, path, body, status):
    """A mistake is answered with its status and a reason in JSON, and changes nothing."""
    await desk.v2()
    answer = await desk.http.post(path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_incidents_can_be_chosen(desk):
    """The list of incidents can be cut by key and status."""
    await desk.v2(dedup_key="a")
    await desk.v2(dedup_key="b")
    await desk.v2(dedup_key="a", event_action="resolve")
    chosen = (await desk.http.get("/simulator/incidents?status=triggered")).json()
    assert [one["incident_key"] for one in chosen] == ["b"]
    chosen = (await desk.http.get("/simulator/incidents?incident_key=a")).json()
    assert [one["status"] for one in chosen] == ["resolved"]


async def test_a_service_can_be_put_into_maintenance(desk):
    """A service's status changes at run time, and back."""
    await desk.http.post("/simulator/services/PPAYAPI", json={"status": "maintenance"})
    await desk.v2()
    assert await desk.incidents() == []
    assert (await desk.get("/services/PPAYAPI")).json()["service"]["status"] == "maintenance"
    await desk.http.post("/simulator/services/PPAYAPI", json={"status": "active"})
    await desk.v2()
    assert len(await desk.incidents()) == 1


async def test_a_rotation_can_be_emptied(desk):
    """A schedule's rotation changes at run time, so that nobody is on call."""
    await desk.http.post("/simulator/schedules/PSMONEY", json={"rotation": []})
    await desk.v2()
    (incident,) = await desk.incidents()
    assert incident["assignees"] == ["Devika Rao", "Emil Novak"]


async def test_reset_begins_again(desk):
    """A reset forgets everything that happened or was changed; ``only: history`` keeps what was set up."""
    await desk.v2()
    await desk.settings(events_per_key=1)
    await desk.http.post("/simulator/services/PWIKI01", json={"status": "disabled"})
    await desk.fault(status=500, count=1)
    answer = await desk.http.post("/simulator/reset", json={"only": "history"})
    assert (answer.json()["events"], answer.json()["incidents"], answer.json()["faults"]) == (0, 0, 1)
    assert (await desk.v2()).status_code == 500
    assert [(await desk.v2()).status_code for _ in range(2)] == [202, 429]
    await desk.http.post("/simulator/reset")
    assert (await desk.http.get("/simulator/settings")).json()["events_per_key"] == 120
    assert (await desk.get("/services/PWIKI01")).json()["service"]["status"] == "active"
    assert [(await desk.v2()).status_code for _ in range(2)] == [202, 202]
    assert [one["number"] for one in await desk.incidents()] == [1, 2]


async def test_the_organisation_can_be_replaced(desk):
    """Another organisation takes the place of the first, and comes back in the shape of a file."""
    document = {
        "users": [{"id": "U", "name": "Ada"}],
        "escalation_policies": [{"id": "E", "name": "E", "levels": [["U"]]}],
        "services": [{"name": "One", "policy": "E", "integrations": [{"key": "k" * 32}]}],
    }
    answer = await desk.http.post("/simulator/data", json=document)
    assert answer.json()["services"] == 1
    assert (await desk.v2(routing_key="k" * 32)).status_code == 202
    again = (await desk.http.get("/simulator/data")).json()
    assert [service["name"] for service in again["services"]] == ["One"]
    assert (await desk.http.post("/simulator/data", json=again)).status_code == 200


async def test_settings_are_shown_and_kept(desk):
    """A change of settings answers with all of them; what was not named stays."""
    await desk.settings(latency_ms=5, events_per_key=7)
    await desk.settings(rest_latency_ms=1)
    settings = (await desk.http.get("/simulator/settings")).json()
    assert (settings["events_latency_ms"], settings["rest_latency_ms"], settings["events_per_key"]) == (
        5,
        1,
        7,
    )
