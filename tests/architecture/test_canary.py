"""A canary key and a canary token go through a whole run; afterwards they stand nowhere but where keys may stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from masthead.storage.schema import metadata
from support.ledgers import is_at_rest, query
from support.organisations import shop
from support.processes import Process, masthead, running, simulator, wait_until

#: Known to PagerDuty; unknown to it, but of a key's shape; and of a shape that no pattern for keys recognises.
KNOWN, UNKNOWN, ODD = (
    "canary0known0canary0known0canary",
    "canary1unkno1canary1unkno1canary",
    "canaryOfAnOddShape",
)
TOKEN = "u+canaryTokenOfTheRestApi"
CANARIES = (KNOWN, UNKNOWN, ODD, TOKEN)
#: Where keys may stand (schema.py); of an execution only in the members that their owners wrote.
COLUMNS = {
    ("application", "document"),
    ("application_history", "document"),
    ("pipeline", "document"),
    ("pipeline_history", "document"),
    ("delivery", "routing_key"),
    ("catalog_snapshot", "document"),
}
OWNERS_WROTE = ("keys", "pdApiKey")


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[tuple[Process, Path]]:
    """A Masthead that was configured with the canaries, paged by every door, and refused."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "organisation.json").write_text(json.dumps(_organisation()))
    with running(simulator(data=folder / "organisation.json")) as pagerduty:
        environ = {
            "PAGERDUTY_TOKEN": TOKEN,
            "MASTHEAD_SERVER_LOG_LEVEL": "DEBUG",
            "MASTHEAD_EVENTS_TOKEN": TOKEN,
        }
        with running(masthead(pagerduty.url, str(folder / "m.db"), environ=environ)) as server:
            wait_until(lambda: server.get("/v1/catalog")["services"])
            _use(server, pagerduty)
            wait_until(lambda: is_at_rest(str(folder / "m.db")))
            yield server, folder


def _organisation() -> dict[str, Any]:
    organisation = shop(1)
    organisation["services"][0]["integrations"][0]["key"] = KNOWN
    return organisation


def _use(server: Process, pagerduty: Process) -> None:
    attributes = {"name": "canary", "email": "a@example.com", "pdApiKey": KNOWN}
    for job in ("createApplication", "updateApplication"):
        _task(server, {"type": job, "application": {**attributes, "description": job}})
    wait_until(lambda: any(one["name"] == "canary" for one in server.get("/applications")))
    stage = {"refId": "1", "requisiteStageRefIds": [], "type": "pageApplicationOwner", "message": "stage"}
    stages = [{**stage, "keys": [KNOWN, UNKNOWN, ODD]}]
    server.post("/pipelines", {"application": "canary", "name": "p", "stages": stages})
    server.post("/pipelines/canary/p", {"type": "manual"})
    for key in (KNOWN, UNKNOWN, ODD):
        pagerduty.post("/simulator/faults", _repeats(key))
        for _ in range(2):
            _ask(server, "/echo/notifications", _notification([key]))
            _ask(server, "/v1/pages?wait=1", {"keys": [key], "message": "v1"})
        _task(server, {"type": "pageApplicationOwner", "keys": [key], "message": "task"})
        _ask(server, "/v1/pages?dryRun=true", {"keys": [key], "message": "dry"})
        _ask(server, "/v1/change-events", {"keys": [key], "summary": "changed", "message": "changed"})
        wrong = [{"keys": key}, {"keys": [key, 5]}, {"keys": [{"a": key}]}, {"severity": key}]
        if key is not ODD:  # an unknown field is named, and only a key's shape gives it away
            wrong.append({key: 1})
        for mistake in wrong:
            _ask(server, "/v1/pages", {"message": "wrong", **mistake})
        _ask(server, "/echo/notifications", {**_notification([key]), "to": key})
    _ask(server, "/v1/pages?wait=5", {"applications": ["canary"], "message": "by application"})
    _ask(server, "/v1/lint", {})


def _repeats(key: str) -> dict[str, Any]:
    """PagerDuty repeats in one refusal what it was sent."""
    return {
        "key": key,
        "count": 1,
        "status": 400,
        "body": {"errors": [f"no such key: {key}", f"sent with {TOKEN}"]},
    }


def _notification(keys: list[str]) -> dict[str, Any]:
    return {"notificationType": "PAGER_DUTY", "to": keys, "additionalContext": {"message": "echo"}}


#: What was answered to requests that held canaries.
ANSWERS: list[str] = []


def _ask(server: Process, path: str, body: Any) -> None:
    answer = httpx.post(server.url + path, json=body, timeout=30)
    ANSWERS.append(f"{path}: {answer.status_code} {answer.headers} {answer.text}")


def _task(server: Process, job: dict[str, Any]) -> None:
    _ask(server, "/tasks", {"application": "canary", "description": "d", "job": [job]})


def found_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def places(document: Any, path: str = "") -> Iterator[str]:
    """Give where in *document* canaries stand, outside the members that owners wrote."""
    if isinstance(document, dict):
        for name, value in document.items():
            if found_in(name):
                yield f"{path}/(name)"
            if name not in OWNERS_WROTE:
                yield from places(value, f"{path}/{name}")
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from places(value, f"{path}/{number}")
    elif found_in(str(document)):
        yield path


def test_no_answer_repeats_a_key(world):
    """Neither to a page nor to a mistake, not even where PagerDuty repeated it."""
    assert ANSWERS
    assert [answer for answer in ANSWERS if found_in(answer)] == []


def test_no_line_of_the_log_holds_a_key_or_a_token(world):
    """At level DEBUG, with refusals, mistakes and lost answers."""
    server, _ = world
    lines = server.output().splitlines()
    assert any("delivery.attempted" in line for line in lines)
    assert [line for line in lines if found_in(line)] == []


def test_no_column_of_the_database_holds_a_key_but_those_meant_for_it(world):
    """And no column at all holds the token."""
    database = str(world[1] / "m.db")
    held = set()
    for table in metadata.sorted_tables:
        for column in table.columns:
            values = [
                str(value) for (value,) in query(database, f'SELECT "{column.name}" FROM "{table.name}"')
            ]
            assert not any(TOKEN in value for value in values), (table.name, column.name)
            if any(found_in(value) for value in values):
                held.add((table.name, column.name))
    assert ("delivery", "routing_key") in held
    assert held - COLUMNS <= {("execution", "document")}


def test_an_execution_holds_a_key_only_where_its_owner_wrote_it(world):
    """In a stage's keys and an application's pdApiKey; not in outputs, variables, results or exceptions."""
    documents = [
        json.loads(text) for (text,) in query(str(world[1] / "m.db"), "SELECT document FROM execution")
    ]
    assert documents
    assert [place for document in documents for place in places(document)] == []


def test_a_task_shows_a_key_only_where_its_owner_wrote_it(world):
    """Its variables show the service."""
    tasks = world[0].get("/applications/canary/tasks")
    assert tasks
    assert [place for task in tasks for place in places(task)] == []


def test_nothing_that_can_be_read_shows_a_key(world):
    """Metrics, health, exports, /v1 and the pages for people; Deck's own routes are left out, it needs the keys."""
    server, _ = world
    (page, *_) = server.get("/v1/pages")["pages"]
    paths = [
        path
        for path in server.get("/v1/openapi.json")["paths"]
        if path.startswith("/v1/") and "{" not in path
    ]
    paths += [
        "/metrics",
        "/health",
        "/ui/",
        "/ui/pages",
        "/ui/settings",
        f"/ui/pages/{page['id']}",
        f"/v1/pages/{page['id']}",
    ]
    paths += ["/v1/applications/canary", "/v1/applications/canary/pagerduty-service", "/v1/services/PSHOP00"]
    answers = {path: httpx.get(server.url + path, timeout=30, follow_redirects=True) for path in paths}
    assert answers["/metrics"].status_code == 200
    assert "v1" in answers["/v1/pages.csv"].text
    shown = {path: f"{answer.url} {answer.headers} {answer.text}" for path, answer in answers.items()}
    assert [path for path, text in shown.items() if found_in(text)] == []


@pytest.mark.parametrize(
    "command",
    [
        "services", "oncall", "catalog status", "pages", "lint", "doctor", "application list", "application show canary",
        "page --dry-run canary --message m", "config check {config}",
    ],
)  # fmt: skip
def test_no_command_prints_a_key_or_a_token(world, command):
    """Nor does a configuration report print the token that its file holds."""
    server, folder = world
    config = folder / "masthead.yml"
    config.write_text(json.dumps({"events": {"enabled": True, "token": TOKEN}, "rest": {"token": TOKEN}}))
    arguments = [word.format(config=config) for word in command.split()]
    environ = {**os.environ, "MASTHEAD_SERVER": server.url, "PAGERDUTY_TOKEN": TOKEN}
    done = subprocess.run(
        [sys.executable, "-m", "masthead", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"\w", done.stdout + done.stderr)
    assert found_in(done.stdout + done.stderr) == []
