"""Triggers with real processes and kill -9: everything that must start starts, and once."""

from __future__ import annotations

import pytest

from support.processes import Process, masthead, running, wait_until

RUNS = 20


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").new_database()
    return str(tmp_path / "m.db")


def save(server: Process, name: str, *triggers: dict, stages: list[dict]) -> None:
    document = {"id": name, "application": "demo", "name": name, "stages": stages}
    server.post("/pipelines", {**document, "triggers": list(triggers)})


def runs(server: Process, name: str) -> list[dict]:
    return server.get("/executions", pipelineConfigIds=name, limit=1000)


def test_kill_9_between_an_end_and_what_it_starts_loses_and_doubles_nothing(pagerduty, database):
    """Parents end while the process is killed; after the next start each has exactly one child."""
    after = {
        "type": "pipeline",
        "enabled": True,
        "application": "demo",
        "pipeline": "parent",
        "status": ["successful"],
    }
    with running(masthead(pagerduty.url, database)) as first:
        job = {"type": "createApplication", "application": {"name": "demo", "email": "a@example.com"}}
        first.post("/tasks", {"application": "demo", "description": "d", "job": [job]})
        wait_until(lambda: any(a["name"] == "demo" for a in first.get("/applications")))
        save(first, "parent", stages=[{"type": "wait", "name": "w", "waitTime": 0}])
        save(first, "child", after, stages=[{"type": "wait", "name": "w", "waitTime": 0}])
        started = [
            first.post("/pipelines/demo/parent", {"type": "manual"})["ref"].rpartition("/")[2]
            for _ in range(RUNS)
        ]
        first.kill()
    with running(masthead(pagerduty.url, database)) as second:
        wait_until(lambda: len(runs(second, "child")) >= RUNS)
        wait_until(lambda: all(one["status"] == "SUCCEEDED" for one in runs(second, "child")))
        parents = [one["trigger"]["parentExecution"]["id"] for one in runs(second, "child")]
    assert sorted(parents) == sorted(started)
