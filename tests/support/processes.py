"""Real processes for acceptance tests: the simulator and Masthead, on free ports, ended by their own ids."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support.nursery import Child, Nursery

START_TIMEOUT_S = 40.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Process:
    """A ``masthead`` command that runs until it is stopped."""

    arguments: Sequence[str]
    url: str
    probe: str
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | Child | None = None
    #: Where standard error goes; by default along with standard output.
    log: str | None = None
    #: Gives birth to it in a fraction of the time that a start of Python takes.
    nursery: Nursery | None = None
    #: Name and password, where there are users.
    auth: tuple[str, str] | None = None

    def start(self) -> Process:
        """Start it and wait until it answers."""
        return self.launch().wait_up()

    def launch(self) -> Process:
        """Start it and wait for nothing."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        if self.nursery is not None:
            self.process = self.nursery.bear(self.arguments, self.environ, self._output.fileno())
            return self
        self.process = subprocess.Popen(
            [sys.executable, "-m", "masthead", *self.arguments],
            env={**os.environ, **self.environ},
            stdout=self._output,
            stderr=subprocess.STDOUT if self.log is None else os.open(self.log, os.O_WRONLY),
            start_new_session=True,
        )
        return self

    def with_log_on(self, path: str) -> Process:
        """Have standard error written to *path*, which exists."""
        self.log = path
        return self

    def wait_up(self) -> Process:
        """Wait until it answers."""
        wait_until(self._is_up, what=lambda: f"{self.arguments} did not start:\n{self.output()}")
        return self

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(self.url + self.probe, timeout=5).status_code == 200
        return False

    def output(self) -> str:
        if not self._output.closed:
            self._output.seek(0)
            self._said = self._output.read().decode(errors="replace")
        return self._said

    def kill(self) -> None:
        """End as a power cut would: kill -9."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it in its tracks, as a machine that is suspended: SIGSTOP."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had happened: SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to end; gives its exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=40)
        self.output()
        self._output.close()
        return status

    def get(self, path: str, **params: Any) -> Any:
        return self.ask("GET", path, params=params)

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("POST", path, json=body)

    def ask(self, method: str, path: str, **request: Any) -> Any:
        answer = httpx.request(method, self.url + path, timeout=60, auth=self.auth, **request)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


def wait_until(
    is_true: Any, *, what: Any = lambda: "it did not happen", timeout_s: float = START_TIMEOUT_S
) -> None:
    """Look until *is_true*; never for a fixed time."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    try:
        yield process.start()
    finally:
        process.kill()


def simulator(*, data: Path | None = None) -> Process:
    port = free_port()
    arguments = ["simulate", "--port", str(port), *(["--data", str(data)] if data else [])]
    return Process(arguments, f"http://127.0.0.1:{port}", "/simulator/incidents")


def masthead(
    pagerduty: str, database: str, *, environ: dict[str, str] | None = None, more: Sequence[str] = ()
) -> Process:
    port = free_port()
    settings = {
        "MASTHEAD_EVENTS_ENABLED": "true",
        "MASTHEAD_EVENTS_ENDPOINT": pagerduty,
        "MASTHEAD_REST_BASE_URL": pagerduty,
        "PAGERDUTY_TOKEN": "test-token",
        "MASTHEAD_PAGING_RETRY_FIRST_SECONDS": "0.05",
        "MASTHEAD_PAGING_RETRY_LONGEST_SECONDS": "0.2",
    }
    arguments = ["serve", "--port", str(port), "--database", database, *more]
    return Process(arguments, f"http://127.0.0.1:{port}", "/health", {**settings, **(environ or {})})
