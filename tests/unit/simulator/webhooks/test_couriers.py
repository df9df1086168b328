"""Webhooks: who is told, signatures, order, retries, drops."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from masthead.simulator.app import Simulator
from masthead.simulator.data import built_in
from masthead.simulator.world import World

EVENTS = ["incident.triggered", "incident.acknowledged", "incident.resolved"]


class Receiver:
    """Keeps what it is sent and answers as it is told."""

    def __init__(self):
        self.got = []
        self.answers = []

    async def post(self, url, headers, body):
        self.got.append((url, headers, body))
        answer = self.answers.pop(0) if self.answers else 202
        if isinstance(answer, OSError):
            raise answer
        return answer

    def types(self):
        return [json.loads(body)["event"]["event_type"] for _, _, body in self.got]


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def told(make_desk, receiver, clock):
    """A desk whose simulator sends webhooks to *receiver*."""
    return type(make_desk())(Simulator(World(built_in(), clock=clock, post=receiver.post)), clock)


async def _subscribe(desk, *, filter_type="account_reference", id_=None, **fields):
    subscription = {
        "type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": "http://receiver/hook"},
        "events": EVENTS,
        "filter": {"type": filter_type, "id": id_},
        **fields,
    }
    answer = await desk.rest("POST", "/webhook_subscriptions", json={"webhook_subscription": subscription})
    assert answer.status_code == 201, answer.text
    return answer.json()["webhook_subscription"]


async def _settle(desk):
    await desk.app.world.couriers.settled()


async def test_subscribers_are_told_in_order(told, receiver):
    """Each change of an incident is one webhook, in order, with incident, key and assignees."""
    await _subscribe(told)
    await told.v2(dedup_key="k")
    await told.http.post("/simulator/incidents/1/acknowledge", json={"user": "Anna Lindqvist"})
    await told.v2(dedup_key="k", event_action="resolve")
    await _settle(told)
    assert receiver.types() == EVENTS
    event = json.loads(receiver.got[1][2])["event"]
    assert (event["resource_type"], event["agent"]["summary"]) == ("incident", "Anna Lindqvist")
    data = event["data"]
    assert (data["type"], data["incident_key"], data["status"], data["number"]) == (
        "incident",
        "k",
        "acknowledged",
        1,
    )
    assert data["assignees"]


async def test_bodies_are_signed(told, receiver):
    """The signature is the HMAC of the raw body with the secret that was shown once."""
    subscription = await _subscribe(told)
    secret = subscription["delivery_method"]["secret"]
    again = (await told.get(f"/webhook_subscriptions/{subscription['id']}")).json()["webhook_subscription"]
    assert again["delivery_method"]["secret"] is None
    await told.v2()
    await _settle(told)
    _, headers, body = receiver.got[0]
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-PagerDuty-Signature"] == f"v1={expected}"


async def test_rotation_signs_with_both_secrets(told, receiver):
    """During a rotation a body carries the signatures of the new and the old secret."""
    subscription = await _subscribe(told)
    old = subscription["delivery_method"]["secret"]
    new = (await told.http.post(f"/simulator/webhooks/{subscription['id']}/rotate")).json()["secret"]
    await told.v2()
    await _settle(told)
    _, headers, body = receiver.got[0]
    expected = [f"v1={hmac.new(one.encode(), body, hashlib.sha256).hexdigest()}" for one in (new, old)]
    assert headers["X-PagerDuty-Signature"] == ",".join(expected)


@pytest.mark.parametrize(
    ("filter_type", "id_", "told_of"),
    [
        ("account_reference", None, 1),
        ("service_reference", "PPAYAPI", 1),
        ("service_reference", "PCHKOUT", 0),
        ("team_reference", "PTMONEY", 1),
        ("team_reference", "PTSTORE", 0),
    ],
)
async def test_filters(told, receiver, filter_type, id_, told_of):
    """A subscription may be about the account, a service or a team."""
    await _subscribe(told, filter_type=filter_type, id_=id_)
    await told.v2()
    await _settle(told)
    assert len(receiver.got) == told_of


async def test_only_the_events_asked_for(told, receiver):
    """Events that were not asked for are not sent."""
    await _subscribe(told, events=["incident.resolved"])
    await told.v2(dedup_key="k")
    await told.v2(dedup_key="k", event_action="resolve")
    await _settle(told)
    assert receiver.types() == ["incident.resolved"]


async def test_failures_are_tried_again_in_order(told, receiver):
    """After 5xx, 429 and broken connections it is tried again under the same id, and nothing overtakes it."""
    await _subscribe(told)
    receiver.answers = [500, 429, OSError("reset"), 202, 202]
    await told.v2(dedup_key="k")
    await told.v2(dedup_key="k", event_action="resolve")
    await _settle(told)
    assert receiver.types() == ["incident.triggered"] * 4 + ["incident.resolved"]
    assert len({headers["X-Webhook-Id"] for _, headers, _ in receiver.got}) == 2
    assert told.clock.slept == [1, 2, 4]
    parcels = (await told.http.get("/simulator/webhooks")).json()
    assert [(one["state"], one["attempts"]) for one in parcels] == [
        ("delivered", [500, 429, None, 202]),
        ("delivered", [202]),
    ]


async def test_a_4xx_drops_and_three_drops_disable(told, receiver):
    """A 4xx is never tried again; three in a row switch the subscription off."""
    subscription = await _subscribe(told)
    receiver.answers = [404, 404, 404]
    for _ in range(4):
        await told.v2()
        await _settle(told)
    assert len(receiver.got) == 3
    again = (await told.get(f"/webhook_subscriptions/{subscription['id']}")).json()["webhook_subscription"]
    assert (again["active"], again["delivery_method"]["temporarily_disabled"]) == (False, True)


async def test_delayed_and_doubled(told, receiver):
    """Settings delay webhooks and send each several times under one id."""
    await _subscribe(told)
    await told.settings(webhook_delay_ms=1500, webhook_copies=2)
    await told.v2()
    await _settle(told)
    assert receiver.types() == ["incident.triggered"] * 2
    assert len({headers["X-Webhook-Id"] for _, headers, _ in receiver.got}) == 1
    assert told.clock.slept == [1.5, 1.5]


async def test_ping_list_and_delete(told, receiver):
    """A subscription can be pinged, listed, ended."""
    subscription = await _subscribe(
        told, delivery_method={"url": "http://r/", "custom_headers": [{"name": "X-A", "value": "secret"}]}
    )
    path = f"/webhook_subscriptions/{subscription['id']}"
    assert (await told.rest("POST", f"{path}/ping")).status_code == 202
    await _settle(told)
    assert receiver.types() == ["pagey.ping"]
    assert receiver.got[0][1]["X-A"] == "secret"
    listed = (await told.get("/webhook_subscriptions")).json()["webhook_subscriptions"]
    assert listed[0]["delivery_method"]["custom_headers"] == [{"name": "X-A", "value": "<redacted>"}]
    assert (await told.rest("DELETE", path)).status_code == 204
    assert (await told.rest("DELETE", path)).status_code == 404
    refused = await told.rest("POST", "/webhook_subscriptions", json={"webhook_subscription": {"events": []}})
    assert refused.status_code == 400
