"""``POST /v1/pages?dryRun=true`` says who would be woken and shows what PagerDuty would get."""

from __future__ import annotations

import pytest

from support.doors import CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY

PAGE = {"message": "The nightly run failed", "severity": "error", "details": {"run": 4711}}


async def dry(house, **body):
    return await house.client.post("/v1/pages?dryRun=true", json={**PAGE, **body})


async def test_a_dry_run_shows_people_and_the_exact_body(demo):
    """By level, with the service's name in the key's place."""
    answer = await dry(demo, applications=["demo"])
    found = answer.json()
    assert (answer.status_code, found["isDryRun"], found["isClear"], found["problems"]) == (
        200,
        True,
        True,
        [],
    )
    (target,) = found["targets"]
    assert (target["service"], target["serviceId"], target["protocol"]) == ("Checkout", "PSVC01", "v2")
    assert (target["applications"], target["account"]) == (["demo"], "default")
    assert target["escalationPolicy"] == {"id": "PPOL01", "name": "Shop"}
    assert target["integration"]["name"] == "Spinnaker"
    assert target["wouldWake"] == ["Ada Lovelace"]
    assert target["levels"] == [
        {"level": 1, "users": ["Ada Lovelace"]},
        {"level": 2, "users": ["Grace Hopper"]},
    ]
    body = target["body"]
    assert (body["routing_key"], body["event_action"]) == ("Checkout", "trigger")
    assert body["payload"]["summary"] == "The nightly run failed"
    assert body["payload"]["custom_details"] == {"run": 4711, "from": "anonymous"}
    assert target["bodyBytes"] > 100
    assert CHECKOUT_KEY not in answer.text


async def test_the_body_is_the_one_that_is_sent(demo):
    """But for the key and the moment."""
    shown = (await dry(demo, applications=["demo"], dedupKey="mine")).json()["targets"][0]["body"]
    await demo.client.post("/v1/pages?wait=5", json={**PAGE, "applications": ["demo"], "dedupKey": "mine"})
    (sent,) = demo.sender.sent
    assert (shown["dedup_key"], shown["client"]) == (sent.dedup_key, sent.client) == ("mine", sent.client)
    assert shown["payload"]["source"] == sent.source
    assert shown["payload"]["severity"] == sent.severity


async def test_what_keeps_people_asleep_is_told_all_at_once(demo):
    """Services that open nothing, names that lead nowhere, keys that nobody has: 200, because nothing was asked for."""
    answer = await dry(demo, applications=["demo", "nope"], services=["Payments", "Mail"], keys=[UNKNOWN_KEY])
    found = answer.json()
    assert (answer.status_code, found["isClear"]) == (200, False)
    assert [one["service"] for one in found["targets"]] == ["key …9999", "Payments", "Checkout"]
    assert [[one["rule"] for one in target["problems"]] for target in found["targets"]] == [
        ["key-unknown"],
        ["service-disabled", "nobody-on-call"],
        [],
    ]
    assert found["targets"][1]["body"]["service_key"] == "Payments"
    assert [one["rule"] for one in found["problems"]] == ["service-unusable", "no-such-application"]
    assert not [key for key in (CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY) if key in answer.text]


async def test_nobody_to_page_has_no_bodies(house):
    """The problems say why."""
    found = (await dry(house, applications=["nope"])).json()
    assert (found["targets"], found["isClear"]) == ([], False)


@pytest.mark.parametrize(
    ("body", "pointer"), [({"message": ""}, "/message"), ({"severity": "bad"}, "/severity")]
)
async def test_a_body_that_could_not_be_sent_is_refused_as_without_dry_run(demo, body, pointer):
    """With the field's pointer."""
    answer = await dry(demo, applications=["demo"], **body)
    assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)
