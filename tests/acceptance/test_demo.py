"""The demo proves its incident, also when its ports are taken."""

from __future__ import annotations

import socket
import subprocess
import sys


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "masthead", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_the_demo_ends_with_0_once_the_incident_is_proven():
    """It names the service, the person and the incident."""
    done = run("--exit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "incident #1 is triggered" in done.stdout
    assert "[DEMO] Application ABC has completed" in done.stdout


def test_taken_ports_are_named_and_others_used():
    """A second demo does not fail because of the first."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8084))
            taken.listen()
        except OSError:
            pass  # somebody else has it: all the better
        done = run("--exit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "port 8084 is taken" in done.stdout
