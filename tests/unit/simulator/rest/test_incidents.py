"""Incidents over REST: looking them up, changing them, opening one by hand."""

from __future__ import annotations

import pytest

ANNA = "anna.lindqvist@example.com"


async def _list(desk, **params):
    return (await desk.get("/incidents", **params)).json()["incidents"]


async def _put(desk, id_, *, sender=ANNA, **change):
    body = {"incident": {"type": "incident_reference", **change}}
    return await desk.rest("PUT", f"/incidents/{id_}", sender=sender, json=body)


async def _create(desk, *, sender=ANNA, **fields):
    incident = {
        "type": "incident",
        "title": "By hand",
        "service": {"id": "PSEARCH", "type": "service_reference"},
        **fields,
    }
    return await desk.rest("POST", "/incidents", sender=sender, json={"incident": incident})


async def test_the_key_finds_the_incident(desk):
    """GET /incidents?incident_key proves that an event opened an incident, whatever its status."""
    await desk.v2(dedup_key="k")
    await desk.v2(dedup_key="other")
    await desk.v2(dedup_key="k", event_action="resolve")
    (incident,) = await _list(desk, incident_key="k")
    assert (incident["incident_key"], incident["status"], incident["incident_number"]) == ("k", "resolved", 1)
    assert incident["service"]["id"] == "PPAYAPI"
    assert incident["html_url"].endswith(f"/incidents/{incident['id']}")
    assert await _list(desk, incident_key="nothing") == []


async def test_the_key_may_be_hidden_in_the_alert(desk):
    """With child alerts incident_key may be null; the filter still finds it, and the alert has the key."""
    await desk.settings(null_incident_keys=True)
    await desk.v2(dedup_key="k")
    (incident,) = await _list(desk, incident_key="k")
    assert incident["incident_key"] is None
    (alert,) = (await desk.get(f"/incidents/{incident['id']}/alerts")).json()["alerts"]
    assert (alert["alert_key"], alert["severity"]) == ("k", "critical")
    assert alert["body"]["details"]["payload"]["summary"] == "Cards are refused"


async def test_assignee_and_acknowledgement_are_told(desk):
    """Who is assigned, who acknowledged, and nobody any more once it is resolved."""
    await desk.v2(dedup_key="k")
    (incident,) = await _list(desk)
    assignee = incident["assignments"][0]["assignee"]
    assert incident["acknowledgements"] == []
    await desk.http.post("/simulator/incidents/1/acknowledge")
    incident = (await desk.get(f"/incidents/{incident['id']}")).json()["incident"]
    assert incident["acknowledgements"][0]["acknowledger"] == assignee
    assert incident["last_status_change_by"] == assignee
    await desk.http.post("/simulator/incidents/1/resolve")
    (incident,) = await _list(desk)
    assert (incident["assignments"], incident["resolved_at"]) == ([], "2026-11-24T03:00:00Z")
    assert incident["alert_counts"] == {"all": 1, "triggered": 0, "resolved": 1}


async def test_incidents_can_be_filtered_and_sorted(desk):
    """By status, service, urgency, user, team and time; in either order."""
    await desk.v2(dedup_key="a")
    desk.clock.elapsed += 60
    await desk.v2(
        dedup_key="b",
        routing_key=desk.search_key,
        payload={"summary": "s", "source": "x", "severity": "info"},
    )
    await desk.v2(dedup_key="a", event_action="acknowledge")

    async def keys(**params):
        return [one["incident_key"] for one in await _list(desk, **params)]

    assert await keys(**{"statuses[]": ["triggered", "resolved"]}) == ["b"]
    assert await keys(**{"statuses[]": "acknowledged"}) == ["a"]
    assert await keys(**{"service_ids[]": "PSEARCH"}) == ["b"]
    assert await keys(**{"urgencies[]": "high"}) == ["a"]
    assert await keys(**{"team_ids[]": "PTMONEY"}) == ["a"]
    assert await keys(**{"user_ids[]": "PUHIRO8"}) == []
    assert await keys(since="2026-11-24T03:00:30Z") == ["b"]
    assert await keys(until="2026-11-24T03:00:30Z") == ["a"]
    assert await keys(since="2026-11-24T03:00:30Z", date_range="all") == ["a", "b"]
    assert await keys(sort_by="incident_number:desc") == ["b", "a"]


async def test_rest_may_show_an_incident_late(desk, clock):
    """An accepted event's incident may become visible later, for 202 is not an incident yet."""
    await desk.settings(incident_delay_ms=3000)
    await desk.v2(dedup_key="k")
    assert await _list(desk, incident_key="k") == []
    clock.elapsed += 3
    assert len(await _list(desk, incident_key="k")) == 1


async def test_a_person_acknowledges_and_resolves(desk):
    """PUT with From acknowledges and resolves; a resolved one is refused with code 1001."""
    await desk.v2()
    (incident,) = await _list(desk)
    changed = (await _put(desk, incident["id"], status="acknowledged")).json()["incident"]
    assert (changed["status"], changed["last_status_change_by"]["summary"]) == (
        "acknowledged",
        "Anna Lindqvist",
    )
    assert (await _put(desk, incident["id"], status="resolved")).json()["incident"]["status"] == "resolved"
    answer = await _put(desk, incident["id"], status="resolved")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1001)


@pytest.mark.parametrize("sender", [None, "nobody@example.com"])
async def test_changes_need_a_valid_from(desk, sender):
    """Without From, or with that of nobody, nothing is changed."""
    await desk.v2()
    (incident,) = await _list(desk)
    assert (await _put(desk, incident["id"], sender=sender, status="resolved")).status_code == 400
    assert (await _list(desk))[0]["status"] == "triggered"


async def test_wrong_changes_are_refused(desk):
    """An unknown status, a body of another shape and an unknown incident are refused."""
    await desk.v2()
    (incident,) = await _list(desk)
    assert (await _put(desk, incident["id"], status="snoozed")).status_code == 400
    path = f"/incidents/{incident['id']}"
    assert (await desk.rest("PUT", path, sender=ANNA, json={"status": "resolved"})).status_code == 400
    assert (await desk.rest("PUT", path, sender=ANNA, content=b"{")).status_code == 400
    assert (await _put(desk, "QNONE", status="resolved")).status_code == 404


async def test_several_change_together_or_not_at_all(desk):
    """PUT /incidents changes all of a list, and none when one of them cannot be."""
    await desk.v2(dedup_key="a")
    await desk.v2(dedup_key="b")
    ids = [one["id"] for one in await _list(desk)]
    changes = [{"id": id_, "type": "incident_reference", "status": "resolved"} for id_ in ids]
    body = {"incidents": [*changes, {"id": "QNONE", "status": "resolved"}]}
    assert (await desk.rest("PUT", "/incidents", sender=ANNA, json=body)).status_code == 404
    assert {one["status"] for one in await _list(desk)} == {"triggered"}
    answer = await desk.rest("PUT", "/incidents", sender=ANNA, json={"incidents": changes})
    assert {one["status"] for one in answer.json()["incidents"]} == {"resolved"}
    assert (await desk.rest("PUT", "/incidents", sender=ANNA, json={"incidents": "x"})).status_code == 400


async def test_notes_and_history(desk):
    """Notes are kept and everything stands in the history, newest first."""
    await desk.v2()
    (incident,) = await _list(desk)
    path = f"/incidents/{incident['id']}"
    answer = await desk.rest("POST", f"{path}/notes", sender=ANNA, json={"note": {"content": "Looking"}})
    assert (answer.status_code, answer.json()["note"]["user"]["summary"]) == (201, "Anna Lindqvist")
    assert (await desk.rest("POST", f"{path}/notes", sender=ANNA, json={"note": {}})).status_code == 400
    assert [n["content"] for n in (await desk.get(f"{path}/notes")).json()["notes"]] == ["Looking"]
    entries = (await desk.get(f"{path}/log_entries")).json()["log_entries"]
    assert [entry["type"] for entry in entries] == ["annotate_log_entry", "trigger_log_entry"]
    await desk.change()
    changes = (await desk.get(f"{path}/related_change_events")).json()["change_events"]
    assert [change["summary"] for change in changes] == ["Deployed 1.2"]


async def test_opening_one_by_hand(desk):
    """POST /incidents answers 201; whoever is on call gets it."""
    answer = await _create(
        desk, incident_key="k", urgency="low", body={"type": "incident_body", "details": "d"}
    )
    incident = answer.json()["incident"]
    assert (answer.status_code, incident["status"], incident["urgency"]) == (201, "triggered", "low")
    assert incident["assignments"]
    assert incident["body"]["details"] == "d"
    assert incident["last_status_change_by"]["summary"] == "Anna Lindqvist"


async def test_the_same_key_twice_is_refused(desk):
    """An open incident with the same key on the service is a reason to refuse, not to merge."""
    assert (await _create(desk, incident_key="k")).status_code == 201
    assert (await _create(desk, incident_key="k")).status_code == 400
    await desk.http.post("/simulator/incidents/1/resolve")
    assert (await _create(desk, incident_key="k")).status_code == 201


async def test_who_takes_it_has_seen_it(desk):
    """Assigned to oneself it starts acknowledged; to others or over a policy, triggered."""
    to = {"assignee": {"id": "PUANNA1", "type": "user_reference"}}
    assert (await _create(desk, assignments=[to])).json()["incident"]["status"] == "acknowledged"
    other = {"assignee": {"id": "PUHIRO8", "type": "user_reference"}}
    assert (await _create(desk, assignments=[other])).json()["incident"]["status"] == "triggered"
    policy = {"id": "PPPLATF", "type": "escalation_policy_reference"}
    over = (await _create(desk, escalation_policy=policy)).json()["incident"]
    assert over["escalation_policy"]["id"] == "PPPLATF"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": ""}, "Title cannot be empty."),
        ({"service": {"id": "NONE"}}, "Service not found"),
        ({"service": None}, "Service not found"),
        ({"assignments": [{"assignee": {"id": "NONE"}}]}, "Assignee not found"),
        (
            {"assignments": [{"assignee": {"id": "PUANNA1"}}], "escalation_policy": {"id": "PPPLATF"}},
            "Assignments and escalation policy cannot both be given",
        ),
    ],
)
async def test_opening_by_hand_needs_sense(desk, fields, words):
    """Title, service, people must be there; From too."""
    answer = await _create(desk, **fields)
    assert (answer.status_code, answer.json()["error"]["errors"]) == (400, [words])
    assert (await _create(desk, sender=None)).status_code == 400
