"""Debian's Alertmanager, an independent sender, against the simulator."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

BINARY = "prometheus-alertmanager"
V2_KEY = "c0ffee00000000000000paymentsapi2"
PATIENCE_S = 20


@pytest.fixture
def binary():
    path = shutil.which(BINARY)
    if path is None and os.environ.get("CI"):
        pytest.fail(f"{BINARY} is not installed, and in CI it must be (apt-get install {BINARY})")
    if path is None:
        pytest.skip(f"{BINARY} is not installed; apt-get install {BINARY} lets this test run")
    return path


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _configuration(url):
    """Page over Events v2 (Alertmanager's address of Events v1 cannot be changed), in step with the test."""
    page = {"routing_key": V2_KEY, "send_resolved": True, "description": "{{ .CommonAnnotations.summary }}"}
    return {
        "global": {"pagerduty_url": f"{url}/v2/enqueue"},
        "route": {
            "receiver": "pager",
            "group_by": ["alertname"],
            "group_wait": "10ms",
            "group_interval": "100ms",
        },
        "receivers": [{"name": "pager", "pagerduty_configs": [page]}],
    }


class Alertmanager:
    """A running Alertmanager."""

    def __init__(self, url):
        self.url = url

    def post(self, name, *, summary="", ends_at=None):
        now = datetime.now(UTC)
        alert = {
            "labels": {"alertname": name},
            "annotations": {"summary": summary or name},
            "startsAt": (now - timedelta(minutes=1)).isoformat(),
            "endsAt": (ends_at or now + timedelta(hours=1)).isoformat(),
        }
        httpx.post(f"{self.url}/api/v2/alerts", json=[alert]).raise_for_status()

    def resolve(self, name):
        self.post(name, ends_at=datetime.now(UTC))


@pytest.fixture
def alertmanager(binary, simulator, tmp_path):
    """An Alertmanager of this test's own, without cluster, that pages through the simulator."""
    file = tmp_path / "alertmanager.yml"
    file.write_text(json.dumps(_configuration(simulator.url)))
    port = _free_port()
    command = [
        binary,
        f"--config.file={file}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            _await_listening(process)
            yield Alertmanager(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _await_listening(process):
    """Read Alertmanager's log until it listens, then let a thread read the rest."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "Listening on" in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return
    pytest.fail("Alertmanager ended: " + "".join(lines[-3:]))


class Watch:
    """Waits until the simulator has received as many events as a test expects."""

    def __init__(self, simulator):
        self._simulator = simulator
        self._arrived = threading.Condition()
        ledger = simulator.app.world.ledger
        add = ledger.add

        def add_and_tell(record):
            with self._arrived:
                add(record)
                self._arrived.notify_all()

        ledger.add = add_and_tell

    def events(self, count):
        ledger = self._simulator.app.world.ledger
        with self._arrived:
            assert self._arrived.wait_for(lambda: ledger.received >= count, PATIENCE_S), "too few events"
        return self._simulator.get("/simulator/events")


@pytest.fixture
def watch(simulator):
    return Watch(simulator)


def test_it_triggers_retries_and_resolves(alertmanager, simulator, watch):
    """A 429 and a 500 are tried again; the resolve carries the same dedup key; one incident in all."""
    simulator.post("/simulator/faults", {"status": 429, "count": 1})
    simulator.post("/simulator/faults", {"status": 500, "count": 1})
    alertmanager.post("Cards", summary="é" * 1100)
    events = watch.events(3)
    assert [event["status"] for event in events] == [429, 500, 202]
    alertmanager.resolve("Cards")
    *_, trigger, resolve = watch.events(4)
    assert (trigger["action"], resolve["action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"]
    assert len(trigger["dedup_key"]) == 64
    summary = trigger["body"]["payload"]["summary"]
    assert (len(summary), summary[-1]) == (1024, "…")
    assert [one["status"] for one in simulator.get("/simulator/incidents")] == ["resolved"]


def test_a_lost_answer_pages_once(alertmanager, simulator, watch):
    """An answer that is lost after the event was accepted makes Alertmanager repeat it, and one incident."""
    simulator.post("/simulator/faults", {"reset": True, "when": "after", "count": 1})
    alertmanager.post("Cards")
    events = watch.events(2)
    assert [(event["status"], event["outcome"]) for event in events] == [(None, "opened"), (202, "appended")]
    assert len(simulator.get("/simulator/incidents")) == 1
