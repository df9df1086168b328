"""A Masthead whose applications page the services of :func:`support.organisations.shop`."""

from __future__ import annotations

from typing import Any

from support.organisations import key_of
from support.processes import Process, wait_until

PIPELINE = {
    "name": "two pages",
    "stages": [
        {"refId": "1", "requisiteStageRefIds": [], "type": "pageApplicationOwner", "message": "begun"},
        {"refId": "2", "requisiteStageRefIds": ["1"], "type": "wait", "waitTime": 1},
        {"refId": "3", "requisiteStageRefIds": ["2"], "type": "pageApplicationOwner", "message": "done"},
    ],
}


def furnish(server: Process, applications: int) -> dict[str, str]:
    """Make applications with a service and a pipeline each; gives the integration key of each application."""
    wait_until(lambda: server.get("/v1/catalog")["services"])
    keys = {}
    for number in range(applications):
        name = f"shop{number}"
        job = {"type": "createApplication", "application": {"name": name, "email": "a@example.com"}}
        server.post("/tasks", {"application": name, "description": "create", "job": [job]})
        keys[name] = key_of(number)
    wait_until(lambda: set(keys) <= {one["name"] for one in server.get("/applications")})
    for number, name in enumerate(keys):
        server.ask("PUT", f"/v1/applications/{name}/pagerduty-service", json={"service": f"Service {number}"})
        stages: list[dict[str, Any]] = [dict(stage) for stage in PIPELINE["stages"]]
        for stage in stages:
            if stage["type"] == "pageApplicationOwner":
                stage["applications"] = [name]
        server.post("/pipelines", {**PIPELINE, "application": name, "stages": stages})
    return keys
