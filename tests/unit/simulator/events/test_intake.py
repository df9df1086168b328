"""Events over HTTP: statuses, bodies, keys, what an accepted event does."""

from __future__ import annotations

import json

import pytest

from masthead.simulator.events.rules import EVENT_LIMIT

INVALID = {"status": "invalid event", "message": "Event object is invalid"}
UNREADABLE = {
    "status": "unrecognized object",
    "message": "Event object format is unrecognized",
    "errors": ["JSON parse error"],
}
PATHS = ("/generic/2010-04-15/create_event.json", "/v2/enqueue", "/v2/change/enqueue")


async def test_v1_answers_200_with_the_incident_key(desk):
    """Events v1 answers 200 and gives back the incident key."""
    answer = await desk.v1(incident_key="k1")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "success", "message": "Event processed", "incident_key": "k1"},
    )


async def test_v2_answers_202_with_the_dedup_key(desk):
    """Events v2 answers 202 and gives back the dedup key."""
    answer = await desk.v2(dedup_key="k1")
    assert (answer.status_code, answer.json()) == (
        202,
        {"status": "success", "message": "Event processed", "dedup_key": "k1"},
    )


async def test_change_event_answers_202_and_opens_nothing(desk):
    """A change event answers 202 without a dedup key, notifies nobody and can be read back."""
    answer = await desk.change()
    assert answer.status_code == 202
    assert "dedup_key" not in answer.json()
    assert await desk.incidents() == []
    changes = (await desk.get("/services/PPAYAPI/change_events")).json()["change_events"]
    assert [change["summary"] for change in changes] == ["Deployed 1.2"]


async def test_without_a_key_each_event_is_a_new_incident(desk):
    """Without an incident key PagerDuty makes one, so that the same event twice opens two incidents."""
    first, second = (await desk.v1()).json()["incident_key"], (await desk.v1()).json()["incident_key"]
    assert first != second
    assert len(await desk.incidents()) == 2


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"a": "\xc3"}', b"[" * 5000])
async def test_what_is_no_json_object_is_refused(desk, path, body):
    """What is no JSON object gets 400 and PagerDuty's parse error, whatever the bytes."""
    answer = await desk.http.post(path, content=body)
    assert (answer.status_code, answer.json()) == (400, UNREADABLE)


@pytest.mark.parametrize("path", PATHS)
async def test_the_body_may_have_512000_bytes(desk, path):
    """An event of more than 512,000 bytes is refused, one of exactly as many is read."""
    whole = b'{"x": "' + b"y" * (EVENT_LIMIT - 9) + b'"}'
    assert len(whole) == EVENT_LIMIT
    fits = await desk.http.post(path, content=whole)
    too_large = await desk.http.post(path, content=whole + b" ")
    assert "too large" not in fits.text
    assert (too_large.status_code, too_large.json()) == (
        400,
        {**INVALID, "errors": ["Event object is too large (maximum is 512 KB)"]},
    )


async def test_errors_come_in_pagerdutys_body(desk):
    """A refused event gets 400 and every error in the list."""
    answer = await desk.v2(routing_key="short", event_action="page")
    assert answer.status_code == 400
    assert answer.json() == {
        **INVALID,
        "errors": [
            "Length of 'routing_key' is incorrect (should be 32 characters)",
            "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')",
        ],
    }


async def test_an_unknown_key_is_invalid(desk):
    """A well-formed key that nobody has is refused, with words of its own in each API."""
    assert (await desk.v2(routing_key="0" * 32)).json()["errors"] == ["Invalid routing key"]
    assert (await desk.v1(service_key="0" * 32)).json()["errors"] == ["Service key is invalid"]


async def test_a_key_belongs_to_one_protocol(desk):
    """An integration's key is refused by the other Events API, unless the setting is lenient."""
    assert (await desk.v2(routing_key=desk.v1_key)).status_code == 400
    assert (await desk.v1(service_key=desk.v2_key)).status_code == 400
    await desk.settings(strict_protocols=False)
    assert (await desk.v2(routing_key=desk.v1_key)).status_code == 202
    assert (await desk.v1(service_key=desk.v2_key)).status_code == 200


async def test_orchestration_keys_take_events_but_no_changes(desk):
    """A key that begins with R takes events for its service and refuses change events."""
    assert (await desk.v2(routing_key=desk.orchestration_key)).status_code == 202
    assert [incident["service"] for incident in await desk.incidents()] == ["Checkout"]
    answer = await desk.change(routing_key=desk.orchestration_key)
    assert (answer.status_code, answer.json()["errors"]) == (400, ["Invalid routing key"])


async def test_both_kinds_of_keys_take_change_events(desk):
    """A change event goes through the same key as alerts, of either kind."""
    for key in (desk.v1_key, desk.v2_key):
        assert (await desk.change(routing_key=key)).status_code == 202


async def test_other_methods_are_refused(desk):
    """Only POST is taken."""
    answer = await desk.http.get("/v2/enqueue")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_latency_is_waited_before_an_answer(desk):
    """The setting ``latency_ms`` makes every call slower."""
    await desk.settings(latency_ms=250)
    await desk.v2()
    await desk.get("/abilities")
    assert desk.clock.slept == [0.25, 0.25]


async def test_the_ledger_tells_what_came_and_what_became_of_it(desk):
    """GET /simulator/events lists every request, newest last, with status, outcome and body."""
    await desk.v1(incident_key="a")
    await desk.v2(routing_key="0" * 32, dedup_key="b")
    await desk.http.post("/v2/enqueue", content=b"nonsense")
    first, second, third = await desk.events()
    assert (first["protocol"], first["key"], first["action"], first["dedup_key"]) == (
        "v1",
        desk.v1_key,
        "trigger",
        "a",
    )
    assert (first["status"], first["outcome"], first["time"]) == (200, "opened", "2026-11-24T03:00:00Z")
    assert first["incident"] == (await desk.incidents())[0]["id"]
    assert first["body"]["description"] == "The till is shut"
    assert (second["status"], second["outcome"]) == (400, "rejected: Invalid routing key")
    assert (third["status"], third["body"]) == (400, "nonsense")


async def test_events_can_be_chosen(desk):
    """The list of events can be cut by key, dedup key, action, number and count."""
    for name in "abc":
        await desk.v2(dedup_key=name)
    await desk.v2(dedup_key="a", event_action="resolve")
    assert [e["dedup_key"] for e in await desk.events(limit=2)] == ["c", "a"]
    assert [e["sequence"] for e in await desk.events(after=2)] == [3, 4]
    assert [e["action"] for e in await desk.events(dedup_key="a")] == ["trigger", "resolve"]
    assert [e["dedup_key"] for e in await desk.events(action="trigger", limit=1)] == ["c"]
    assert await desk.events(key="0" * 32) == []
    assert (await desk.http.get("/simulator/events?limit=many")).status_code == 400


async def test_body_is_kept_as_it_was_sent(desk):
    """The ledger gives a body back byte for byte as JSON, numbers included."""
    body = json.dumps(
        {
            "routing_key": desk.v2_key,
            "event_action": "trigger",
            "payload": {"summary": "s", "severity": "info", "source": "x", "custom_details": {"n": 1e100}},
        }
    )
    await desk.http.post("/v2/enqueue", content=body)
    assert body in (await desk.http.get("/simulator/events")).text
