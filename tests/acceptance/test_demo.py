"""The demo proves its incident, also when its ports are taken, and leaves nothing behind."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest

KEY = re.compile(r"c0ffee|[0-9a-f]{32}")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "masthead", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture
def port_8084():
    """The port is taken, by this test or by somebody else."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8084))
            taken.listen()
        except OSError:
            pass  # somebody else has it: all the better
        yield


def test_the_demo_says_who_was_paged_through_which_service_and_incident(port_8084, tmp_path):
    """Status 0 with --exit once PagerDuty confirmed it; a taken port is named and another used; no key is shown."""
    done = run("--exit", "--folder", str(tmp_path / "a folder"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"PagerDuty confirms: \w+ \w+ was paged through service Checkout\.", done.stdout)
    assert "Incident #1 is triggered: [DEMO] Application ABC has completed" in done.stdout
    assert "port 8084 is taken" in done.stdout
    assert not KEY.search(done.stdout)
    assert done.stderr == ""


def test_a_second_run_in_the_same_folder_works(tmp_path):
    """The applications and the pipeline are there already: they are saved over, not twice."""
    assert run("--exit", "--folder", str(tmp_path)).returncode == 0
    done = run("--exit", "--folder", str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_child_that_does_not_start_is_told_with_its_own_words(tmp_path):
    """Not with a traceback of the demo; what was started is ended."""
    (tmp_path / "demo.db").write_text("this is not a database, and long enough to be looked at as one")
    done = run("--exit", "--folder", str(tmp_path))

    assert done.returncode == 69
    assert "masthead serve did not start. It said:" in done.stderr
