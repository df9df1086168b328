"""Webhooks and cron lines through Gate's and Echo's doors."""

from __future__ import annotations

import pytest

HOOK = {"type": "webhook", "enabled": True, "source": "ci"}


@pytest.mark.parametrize("door", ["", "/echo"])
async def test_a_webhook_starts_a_pipeline_and_answers_the_event(demo, door):
    """The execution is there when the answer is."""
    config = await demo.pipeline(triggers=[HOOK])
    answer = await demo.client.post(f"{door}/webhooks/webhook/ci", json={"parameters": {"a": "b"}})
    assert answer.status_code == 200
    body = answer.json()
    assert (set(body), body["eventProcessed"]) == ({"eventProcessed", "eventId"}, True)
    (run,) = (await demo.client.get(f"/executions?pipelineConfigIds={config['id']}")).json()
    assert (run["trigger"]["eventId"], run["trigger"]["parameters"]) == (body["eventId"], {"a": "b"})


async def test_a_webhook_that_nobody_waits_for_is_processed_too(demo):
    """Nobody learns what is there."""
    answer = await demo.client.post("/webhooks/webhook/unknown", json={})
    assert (answer.status_code, answer.json()["eventProcessed"]) == (200, True)


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/webhooks/webhook/ci", b"", 200),
        ("/webhooks/webhook/ci", b"null", 200),
        ("/webhooks/webhook/ci", b"[1]", 400),
        ("/webhooks/webhook/ci", b"text", 400),
        ("/webhooks/webhook/ci", b'{"a": "' + b"x" * 200_000 + b'"}', 400),
        ("/webhooks/webhook/ci", b'{"a":' * 60 + b"1" + b"}" * 60, 400),
        ("/echo/webhooks/webhook/ci", b"", 400),
        ("/echo/webhooks/webhook/bitbucket", b"", 200),
        ("/echo/webhooks/webhook", b'{"source": "ci"}', 200),
        ("/echo/webhooks/webhook", b'{"source": 5}', 200),
    ],
)
async def test_bodies_are_json_objects_within_bounds(demo, path, content, status):
    """Gate takes none for an empty one, Echo only from Bitbucket."""
    answer = await demo.client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status


async def test_a_form_is_no_payload(demo):
    """415, as at Gate."""
    answer = await demo.client.post("/webhooks/webhook/ci", data={"payload": "{}"})
    assert answer.status_code == 415


async def test_gate_and_echo_say_whether_a_cron_line_can_be_used(demo):
    """Gate answers 200 either way, Echo 400."""
    good, bad = "0 0 10 ? * MON-FRI", "0 0 10 * * *"
    gate = (await demo.client.get("/cron/validate", params={"expression": good})).json()
    assert gate["valid"] is True
    assert "10:00:00" in gate["description"]
    assert "America/Los_Angeles" in gate["description"]
    gate = (await demo.client.get("/cron/validate", params={"expression": bad})).json()
    assert gate["valid"] is False
    assert "one of them must be '?'" in gate["message"]
    echo = await demo.client.get("/echo/validateCronExpression", params={"cronExpression": good})
    assert (echo.status_code, echo.json()["response"]) == (200, "Cron expression is valid")
    echo = await demo.client.get("/echo/validateCronExpression", params={"cronExpression": bad})
    assert (echo.status_code, "one of them" in echo.json()["message"]) == (400, True)


async def test_the_next_firings_of_a_pipeline_are_told(demo):
    """Of the triggers that are enabled, in their time zone."""
    cron = {
        "type": "cron",
        "enabled": True,
        "cronExpression": "0 0 0 1 1 ? 2150",
        "timeZone": "Europe/Berlin",
    }
    await demo.pipeline(triggers=[cron, {**cron, "enabled": False}])
    told = (await demo.client.get("/v1/pipelines/demo/release/firings?limit=3")).json()
    (trigger,) = told["triggers"]
    assert trigger["next"] == ["2150-01-01T00:00:00+01:00"]
    assert (trigger["cronExpression"], trigger["timeZone"]) == ("0 0 0 1 1 ? 2150", "Europe/Berlin")
    assert (await demo.client.get("/v1/pipelines/demo/nope/firings")).status_code == 404
