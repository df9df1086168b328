"""Webhooks of a real server: killed while a call is under way, and while the answer is awaited."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.processes import Process, masthead, running, wait_until

pytestmark = pytest.mark.slow
LOCAL = {"MASTHEAD_URLS_REJECT_LOCALHOST": "false", "MASTHEAD_WEBHOOK_TIMEOUT_SECONDS": "5"}


class Builder(ThreadingHTTPServer):
    """A build server: holds what comes to /held until it is let go, and counts all that comes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []
        self.gate = threading.Event()
        self.status = "RUNNING"

    def url(self, path: str) -> str:
        return f"http://localhost:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Builder)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server.seen.append(f"{self.command} {self.path}")
        if self.path == "/held":
            server.gate.wait(60)
        body = json.dumps({"status": server.status}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def builder() -> Iterator[Builder]:
    server = Builder()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> str:
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").new_database()
    return str(tmp_path / "m.db")


def serve(pagerduty: Process, database: str) -> Process:
    server = masthead(pagerduty.url, database)
    server.environ |= LOCAL
    return server


def start(server: Process, stage: dict) -> str:
    body = {"application": "demo", "name": "call", "stages": [{"type": "webhook", "name": "call", **stage}]}
    return server.post("/orca/orchestrate", body)["ref"].rpartition("/")[2]


def ended(server: Process, execution_id: str) -> dict:
    wait_until(lambda: server.get(f"/pipelines/{execution_id}")["status"] in ("SUCCEEDED", "TERMINAL"))
    return server.get(f"/pipelines/{execution_id}")


@pytest.mark.parametrize(("method", "ending", "calls"), [("POST", "TERMINAL", 1), ("GET", "SUCCEEDED", 2)])
def test_a_call_that_may_have_arrived_is_repeated_only_where_it_is_safe(
    pagerduty, database, builder, method, ending, calls
):
    """Killed with the request at the other side: a POST is not sent twice and says why, a GET is sent again."""
    with running(serve(pagerduty, database)) as first:
        execution_id = start(first, {"url": builder.url("/held"), "method": method})
        wait_until(lambda: builder.seen)
        first.kill()
    builder.gate.set()
    with running(serve(pagerduty, database)) as second:
        run = ended(second, execution_id)
    assert (run["status"], builder.seen) == (ending, [f"{method} /held"] * calls)
    if ending == "TERMINAL":
        assert (
            "Masthead stopped while the request was under way"
            in run["stages"][0]["context"]["webhook"]["error"]
        )


def test_what_is_awaited_is_asked_again_after_a_kill(pagerduty, tmp_path, builder):
    """The call is not made a second time; the questions go on."""
    database = str(tmp_path / "m.db")
    stage = {
        "url": builder.url("/jobs"), "waitForCompletion": True, "statusUrlResolution": "getMethod",
        "statusJsonPath": "$.status", "successStatuses": "DONE",
    }  # fmt: skip
    with running(serve(pagerduty, database)) as first:
        execution_id = start(first, stage)
        wait_until(lambda: len(builder.seen) >= 2)
        first.kill()
    builder.status = "DONE"
    with running(serve(pagerduty, database)) as second:
        run = ended(second, execution_id)
    assert run["status"] == "SUCCEEDED"
    assert [each for each in builder.seen if each.startswith("POST")] == ["POST /jobs"]


def test_by_default_this_machine_is_refused(pagerduty, tmp_path, builder):
    """A server as it is installed: no connection is opened, and the stage names the setting."""
    with running(masthead(pagerduty.url, str(tmp_path / "m.db"))) as server:
        run = ended(server, start(server, {"url": builder.url("/jobs")}))
    assert "user-configured-url-restrictions." in run["stages"][0]["context"]["webhook"]["error"]
    assert builder.seen == []
