"""Killed in the middle and started again: the execution finishes and nobody is woken twice."""

from __future__ import annotations

import pytest

from support.processes import Process, masthead, running, wait_until

PIPELINE = {
    "application": "demo",
    "name": "two pages",
    "stages": [
        {"refId": "1", "requisiteStageRefIds": [], "type": "wait", "name": "first wait", "waitTime": 0},
        {"refId": "2", "requisiteStageRefIds": ["1"], "type": "pageApplicationOwner", "applications": ["demo"], "message": "first"},
        {"refId": "3", "requisiteStageRefIds": ["2"], "type": "wait", "name": "second wait", "waitTime": 1},
        {"refId": "4", "requisiteStageRefIds": ["3"], "type": "pageApplicationOwner", "applications": ["demo"], "message": "second"},
    ],
}  # fmt: skip


def prepare(server: Process) -> None:
    """An application demo with a service, and the pipeline."""
    wait_until(lambda: server.get("/v1/catalog")["services"])
    job = {"type": "createApplication", "application": {"name": "demo", "email": "a@example.com"}}
    server.post("/tasks", {"application": "demo", "description": "d", "job": [job]})
    wait_until(lambda: any(a["name"] == "demo" for a in server.get("/applications")))
    server.ask("PUT", "/v1/applications/demo/pagerduty-service", json={"service": "Search"})
    server.post("/pipelines", PIPELINE)


def start(server: Process) -> str:
    return server.post("/pipelines/demo/two pages", {"type": "manual"})["ref"].rpartition("/")[2]


def has_ended(server: Process, execution_id: str) -> bool:
    return server.get(f"/pipelines/{execution_id}")["status"] in ("SUCCEEDED", "TERMINAL", "CANCELED")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> str:
    """A database of each kind; on PostgreSQL a dead machine is found by its silence."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").new_database()
    return str(tmp_path / "m.db")


@pytest.mark.parametrize("messages_seen", [0, 1])
def test_kill_9_in_the_middle_loses_nothing_and_pages_once(pagerduty, database, messages_seen):
    """Whether killed at once or between the two pages: both pages arrive, each opens one incident."""
    with running(masthead(pagerduty.url, database)) as first:
        prepare(first)
        execution_id = start(first)
        wait_until(lambda: len(pagerduty.get("/simulator/incidents")) >= messages_seen)
        first.kill()
    with running(masthead(pagerduty.url, database)) as second:
        wait_until(lambda: has_ended(second, execution_id))
        assert second.get(f"/pipelines/{execution_id}")["status"] == "SUCCEEDED"
    titles = sorted(incident["title"] for incident in pagerduty.get("/simulator/incidents"))
    assert titles == ["first", "second"]


def test_what_was_refused_for_now_survives_a_kill(pagerduty, tmp_path):
    """PagerDuty down, Masthead killed while the page waits, both come back: one incident."""
    database = str(tmp_path / "m.db")
    pagerduty.post("/simulator/faults", {"target": "events", "status": 503})
    with running(masthead(pagerduty.url, database)) as first:
        prepare(first)
        execution_id = start(first)
        wait_until(lambda: len(pagerduty.get("/simulator/events")) >= 2)
        first.kill()
    pagerduty.ask("DELETE", "/simulator/faults")
    with running(masthead(pagerduty.url, database)) as second:
        wait_until(lambda: has_ended(second, execution_id))
        stages = second.get(f"/pipelines/{execution_id}")["stages"]
    assert [stage["status"] for stage in stages] == ["SUCCEEDED"] * 4
    titles = sorted(incident["title"] for incident in pagerduty.get("/simulator/incidents"))
    assert titles == ["first", "second"]


def test_sigterm_ends_cleanly_and_loses_nothing(pagerduty, tmp_path):
    """Asked to end while an execution waits: status 0, and the next start goes on."""
    database = str(tmp_path / "m.db")
    with running(masthead(pagerduty.url, database)) as first:
        prepare(first)
        execution_id = start(first)
        assert first.stop() == 0, first.output()
    with running(masthead(pagerduty.url, database)) as second:
        wait_until(lambda: has_ended(second, execution_id))
    assert len(pagerduty.get("/simulator/incidents")) == 2
