"""An integration key that stands in a wrong place is not told back, at any door."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from support.doors import CHECKOUT_KEY, UNKNOWN_KEY

PAGE = {"notificationType": "PAGER_DUTY", "to": [], "additionalContext": {"message": "x"}}


def requests(key: str) -> list[tuple[str, str, object]]:
    return [
        ("GET", f"/applications/{key}", None),
        ("GET", f"/pipelines/{key}", None),
        ("GET", f"/tasks/{key}", None),
        ("GET", f"/{key}", None),
        ("GET", f"/v1/services/{key}", None),
        ("GET", f"/v1/services?limit={key}", None),
        ("GET", f"/v1/applications/{key}/pagerduty-service", None),
        ("PUT", "/v1/applications/demo/pagerduty-service", {"service": f"x{key}"}),
        ("PATCH", "/v1/applications/demo", {"name": key}),
        ("PATCH", f"/front50/v2/applications/{key}", {"name": "demo"}),
        ("POST", "/front50/v2/applications", {"name": key}),
        ("POST", f"/pipelines/{key}/{key}", {}),
        ("POST", f"/pipelines/demo/{key}", {}),
        ("POST", f"/orca/orchestrate/{key}", {}),
        ("POST", "/orca/ops", [{"name": key}]),
        ("GET", f"/front50/pipelines/{key}/get", None),
        ("POST", f"/echo/notifications/callbacks/{key}", {}),
        ("POST", "/echo/notifications", {**PAGE, "notificationType": key}),
        ("POST", "/echo/notifications", {**PAGE, "severity": key}),
        ("POST", "/echo/notifications", {**PAGE, "additionalContext": {"message": "x", "severity": key}}),
        ("POST", "/echo/notifications", {**PAGE, "source": {"executionId": {key: 1}}}),
    ]


@pytest.mark.parametrize("key", [CHECKOUT_KEY, UNKNOWN_KEY])
@pytest.mark.parametrize("number", range(len(requests("x"))))
async def test_no_refusal_repeats_a_key(demo, key, number):
    """Neither the body, nor a header, nor the log."""
    method, path, body = requests(key)[number]
    with capture_logs() as logs:
        answer = await demo.client.request(method, path, json=body)
    assert answer.status_code >= 400, answer.text
    assert key not in f"{answer.text} {answer.headers} {logs}".lower()


@pytest.mark.parametrize(
    "job",
    [
        {"type": "pageApplicationOwner", "message": "x", "applications": [CHECKOUT_KEY]},
        {"type": "pageApplicationOwner", "message": "x", "applications": ["demo"], "severity": CHECKOUT_KEY},
        {"type": "upsertApplication", "application": {"name": CHECKOUT_KEY, "cloudProviders": "dcos,tencentcloud", "x": 1}},
        {"type": "deletePipeline", "pipeline": CHECKOUT_KEY},
    ],
)  # fmt: skip
async def test_no_failed_task_repeats_a_key_in_its_errors(demo, job):
    """What Deck shows as the reason; the request itself stays as it was sent."""
    ref = (await demo.client.post("/tasks", json={"application": "demo", "job": [job]})).json()["ref"]
    task = await demo.ended(ref)
    assert task["status"] == "TERMINAL"
    details = [one["value"]["details"] for one in task["variables"] if one["key"] == "exception"]
    assert details
    assert CHECKOUT_KEY not in str(details).lower()
