"""Looking on while an execution runs."""

from __future__ import annotations

from collections import deque

import httpx
import pytest

from masthead.cli import follow as module
from masthead.cli.client import ServerMissing
from masthead.cli.follow import follow


def stage(status: str, *, kind: str = "pageApplicationOwner", errors: tuple[str, ...] = ()) -> dict:
    context = {"exception": {"details": {"errors": list(errors)}}} if errors else {}
    return {"id": "S1", "name": "Page", "type": kind, "status": status, "context": context}


def delivery(state: str, text: str = "") -> dict:
    return {"id": "D1", "service": "Checkout", "serviceId": "P1", "state": state, "text": text}


def execution(status: str, *stages: dict) -> dict:
    return {"status": status, "stages": list(stages)}


def pages(*deliveries: dict, stage_id: str = "S1") -> dict:
    return {"pages": [{"stageId": stage_id, "deliveries": list(deliveries)}]}


@pytest.fixture(autouse=True)
def house(scripted, monkeypatch):
    monkeypatch.setattr(module, "_POLL_S", 0)
    scripted.answers["GET", "/v1/services/P1"] = {"onCall": [{"user": "Ann", "level": 1}]}
    scripted.answers["GET", "/v1/pages?executionId=E1"] = pages()
    return scripted


def test_every_change_is_told_once(client, house, capsys):
    """A stage when its status changes, a delivery when its state does."""
    house.answers["GET", "/pipelines/E1"] = deque(
        [
            execution("NOT_STARTED", stage("NOT_STARTED")),
            execution("RUNNING", stage("RUNNING")),
            execution("RUNNING", stage("RUNNING")),
            execution("RUNNING", stage("RUNNING")),
            execution("SUCCEEDED", stage("SUCCEEDED")),
        ]
    )
    house.answers["GET", "/v1/pages?executionId=E1"] = deque(
        [
            pages(delivery("pending")),
            pages(delivery("pending", "HTTP 503")),
            pages(delivery("pending", "HTTP 503")),
            pages(delivery("accepted", "Event processed")),
        ]
    )

    assert follow(client, "/pipelines/E1", stages=True)["status"] == "SUCCEEDED"
    assert capsys.readouterr().out.splitlines() == [
        "  Page: RUNNING",
        "    Checkout: still being tried (HTTP 503)",
        "  Page: SUCCEEDED",
        "    Checkout: PagerDuty accepted the page; on call: Ann",
    ]


def test_a_failed_stage_says_why(client, house, capsys):
    """And a refusal is told in PagerDuty's words."""
    house.answers["GET", "/pipelines/E1"] = execution(
        "TERMINAL", stage("TERMINAL", errors=("It went wrong.",))
    )
    house.answers["GET", "/v1/pages?executionId=E1"] = pages(delivery("rejected", "Invalid routing key"))

    follow(client, "/pipelines/E1", stages=True)
    assert capsys.readouterr().out.splitlines() == [
        "  Page: TERMINAL",
        "    Checkout: PagerDuty refused the page (Invalid routing key)",
        "    It went wrong.",
    ]


def test_a_task_shows_its_deliveries_only(client, house, capsys):
    """Paging by hand has one stage, whose name says nothing."""
    house.answers["GET", "/tasks/E1"] = {
        "status": "SUCCEEDED",
        "execution": execution("SUCCEEDED", stage("SUCCEEDED")),
    }
    house.answers["GET", "/v1/pages?executionId=E1"] = pages(delivery("accepted"))

    follow(client, "/tasks/E1", stages=False)
    assert capsys.readouterr().out == "Checkout: PagerDuty accepted the page; on call: Ann\n"


def test_pages_of_other_stages_are_told_with_their_own_stage(client, house, capsys):
    """Two stages that page do not tell each other's deliveries."""
    house.answers["GET", "/pipelines/E1"] = execution("SUCCEEDED", stage("SUCCEEDED"))
    house.answers["GET", "/v1/pages?executionId=E1"] = pages(delivery("accepted"), stage_id="S2")

    follow(client, "/pipelines/E1", stages=True)
    assert "Checkout" not in capsys.readouterr().out


def test_a_service_that_is_gone_leaves_only_the_name_out(client, house, capsys):
    """Who is on call is an extra; the page's outcome is what counts."""
    house.answers["GET", "/v1/services/P1"] = httpx.Response(404, json={"message": "no such service"})
    house.answers["GET", "/tasks/E1"] = {
        "status": "SUCCEEDED",
        "execution": execution("SUCCEEDED", stage("SUCCEEDED")),
    }
    house.answers["GET", "/v1/pages?executionId=E1"] = pages(delivery("accepted"))

    follow(client, "/tasks/E1", stages=False)
    assert capsys.readouterr().out == "Checkout: PagerDuty accepted the page\n"


def test_a_server_that_starts_again_is_waited_for(client, house, capsys):
    """The execution goes on after a restart, and so does the one who looks on."""
    gone = httpx.ConnectError("Connection refused")
    house.answers["GET", "/pipelines/E1"] = deque(
        [
            gone,
            gone,
            execution("SUCCEEDED", stage("SUCCEEDED", kind="wait")),
        ]
    )

    assert follow(client, "/pipelines/E1", stages=True)["status"] == "SUCCEEDED"
    assert capsys.readouterr().err == "The server does not answer; waiting for it.\n"


def test_a_server_that_stays_away_ends_the_looking_on(client, house, monkeypatch):
    """After a while it is missing."""
    monkeypatch.setattr(module, "_PATIENCE_S", -1)
    house.answers["GET", "/pipelines/E1"] = httpx.ConnectError("Connection refused")
    with pytest.raises(ServerMissing):
        follow(client, "/pipelines/E1", stages=True)
