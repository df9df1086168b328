"""The three that are compared: Masthead, Alertmanager and the bare relay, each fresh, each with a sink to send to."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from programs import HERE, Program, cost_of, free_port, path_of, program, wait_for
from sink import Sink

__all__ = ["KINDS", "Measured", "alertmanager", "drive", "masthead", "relay", "storing_relay"]

#: Conf. Alertmanager: every alert is a group of its own and is sent at once; only its routing key is templated, so
#: that it too sends to as many keys.
_ALERTMANAGER = """
route:
  receiver: pagerduty
  group_by: ['...']
  group_wait: 0s
receivers:
  - name: pagerduty
    pagerduty_configs:
      - routing_key: '{{{{ .CommonLabels.key }}}}'
        url: {sink}/v2/enqueue
        send_resolved: false
"""
#: What wrk sends to each (page.lua).
KINDS = {"masthead": "echo", "relay": "echo", "alertmanager": "alert"}
_CONNECTIONS = 16


@contextlib.contextmanager
def masthead(
    endpoint: str, *, database: str | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run Masthead on a new SQLite file, or on *database*; all rules on, no REST token."""
    port = free_port()
    environ = {
        "MASTHEAD_EVENTS_ENABLED": "true",
        "MASTHEAD_EVENTS_ENDPOINT": endpoint,
        "PAGERDUTY_TOKEN": "",
        **(settings or {}),
    }
    with tempfile.TemporaryDirectory() as folder:
        where = database or f"{folder}/masthead.db"
        command = [sys.executable, "-m", "masthead", "serve", "--port", str(port), "--database", where]
        with program(command, port=port, probe="/health", environ=environ) as running:
            yield running


@contextlib.contextmanager
def relay(endpoint: str) -> Iterator[Program]:
    """Run the bare relay."""
    port = free_port()
    with program([sys.executable, str(HERE / "relay.py"), str(port), endpoint], port=port, probe="/") as one:
        yield one


@contextlib.contextmanager
def storing_relay(endpoint: str) -> Iterator[Program]:
    """Run the relay that stores as Masthead does and has no rules."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        script = str(HERE / "storing_relay.py")
        command = [sys.executable, script, str(port), endpoint, f"{folder}/relay.db"]
        with program(command, port=port, probe="/") as one:
            yield one


@contextlib.contextmanager
def alertmanager(endpoint: str) -> Iterator[Program]:
    """Run Alertmanager with a PagerDuty receiver, clustering off.

    Raises:
        Absent: it is not installed.
    """
    path, port = path_of("prometheus-alertmanager"), free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "alertmanager.yml")
        file.write_text(_ALERTMANAGER.format(sink=endpoint))
        command = [
            path,
            f"--config.file={file}",
            f"--storage.path={folder}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]
        with program(command, port=port, probe="/-/ready") as running:
            yield running


@dataclass(frozen=True)
class Measured:
    """What a run under load showed."""

    #: Events that reached the sink.
    events: int
    #: From the first request until the last event reached the sink.
    seconds: float
    cpu_us: float
    system_us: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def drive(
    target: Program,
    sink: Sink,
    *,
    kind: str,
    run: str,
    seconds: int,
    limit: int = 0,
    connections: int = _CONNECTIONS,
) -> Measured:
    """Put load on *target* by wrk and read its CPU for each event that reached *sink*.

    Args:
        target: Whose CPU is read.
        sink: What it sends to; nobody else may.
        kind: "echo" or "alert".
        run: Part of every text, so that no two runs say the same.
        seconds: How long, at most.
        limit: Stop after so many answers; 0 for none.
        connections: How many at once.

    Raises:
        Absent: wrk is not installed.
        RuntimeError: a request was refused or broke.
        TimeoutError: not every one reached the sink.
    """
    wrk = path_of("wrk")
    events, before, began = sink.count(), cost_of(target.pid), time.perf_counter()
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "page.lua"), target.url]
    with subprocess.Popen(
        [*command, "--", kind, run, str(limit)], stdout=subprocess.PIPE, text=True
    ) as asking:
        if limit:
            wait_for(lambda: sink.count() - events >= limit, "all reached the sink", timeout_s=60)
            asking.send_signal(signal.SIGINT)  # wrk would sleep to the end of its time
        took = time.perf_counter() - began
        said = json.loads((asking.communicate()[0]).splitlines()[-1])
    if said["refused"] or said["broken"]:
        raise RuntimeError(
            f"{kind}: {said['refused']} refused, {said['broken']} broken of {said['requests']}"
        )
    wait_for(lambda: sink.count() - events >= said["requests"], "all reached the sink", timeout_s=60)
    after, reached = cost_of(target.pid), sink.count() - events
    return Measured(
        reached,
        took if limit else said["seconds"],
        (after.total_s - before.total_s) / reached * 1e6,
        (after.system_s - before.system_s) / reached * 1e6,
        said["p50_ms"],
        said["p99_ms"],
    )
