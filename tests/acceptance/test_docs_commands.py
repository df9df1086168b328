"""The commands of the documentation do what it says: blocks marked ``sh run`` are run as they stand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from support.processes import wait_until

ROOT = Path(__file__).parents[2]
#: Stands in the commands for ours; its own path may hold anything, also what is replaced in them.
MASTHEAD = '"$PYTHON" -m masthead'
#: As one line would be run by hand: the first failure ends it.
HEAD = "set -eu -o pipefail\n"


def commands_of(page: str) -> str:
    blocks = re.findall(r"```sh run\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    assert len(blocks) >= 5
    return HEAD + "\n".join(blocks)


def run(script: str, folder: Path, **environ: str) -> str:
    """Run *script* in bash with its temporary files in *folder*; give what it printed."""
    done = subprocess.run(
        ["bash", "-c", script.replace("/tmp/", f"{folder}/")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHON": sys.executable, **environ},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def titles(pagerduty: str) -> set[str]:
    incidents = httpx.get(f"{pagerduty}/simulator/incidents").raise_for_status().json()
    return {incident["title"] for incident in incidents}


def test_curl_alone_does_everything(server, pagerduty, tmp_path):
    """The catalog, an application, a pipeline, a page by hand, Echo's door: three incidents."""
    script = commands_of("docs/how-to/use-with-curl.md")
    assert set(re.findall(r"http://127\.0\.0\.1:(\d+)", script)) == {"8084", "8999"}
    script = script.replace("http://127.0.0.1:8084", server.url)
    run(script.replace("http://127.0.0.1:8999", pagerduty.url), tmp_path)

    wanted = {"[DEMO] Application ABC has completed", "[DEMO] db down", "from Orca"}
    wait_until(lambda: titles(pagerduty.url) >= wanted)


@pytest.fixture
def demo(tmp_path):
    """The demo, staying up; given are the addresses of Masthead and of the simulator that it printed."""
    said = tmp_path / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "masthead", "demo", "--folder", str(tmp_path / "demo")],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "Ctrl-C ends both" in said.read_text() or process.poll() is not None)
        assert process.poll() is None, said.read_text()
        text = said.read_text()
        yield {name: re.search(rf"masthead {name} +(\S+)", text)[1] for name in ("serve", "simulate")}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0
    finally:
        process.terminate()
        process.wait()


def test_the_tutorial_works_and_the_demo_ends_what_it_started(demo, tmp_path):
    """From a running demo to a pipeline of one's own; the incidents of the last step are open."""
    script = commands_of("docs/tutorial/first-page.md").replace(".venv/bin/masthead", MASTHEAD)
    script = script.replace("http://127.0.0.1:8999", demo["simulate"])
    printed = run(script, tmp_path, MASTHEAD_SERVER=demo["serve"], MASTHEAD_USER="ann@example.com")

    assert "Checkout: PagerDuty accepted the page; on call:" in printed
    assert "Application bakery pages Notifications" in printed
    assert "The execution ended: SUCCEEDED" in printed
    assert titles(demo["simulate"]) == {
        "[DEMO] Application ABC has completed",
        "The checkout is down",
        "[BAKERY] The ovens are cold",
    }


def test_the_commands_of_the_readme_are_those_of_the_command_line(server, tmp_path, monkeypatch):
    """What a reader copies first: the block behind the set-up, against a running server."""
    block = re.search(r"```sh run\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)[1]
    monkeypatch.chdir(ROOT)
    script = HEAD + re.sub(r"^masthead", MASTHEAD, block, flags=re.MULTILINE)
    printed = run(script, tmp_path, MASTHEAD_SERVER=server.url)

    assert printed.count("PagerDuty accepted the page") == 2


def test_the_set_up_of_the_readme_configures_masthead(tmp_path):
    """The manifest as it stands there, with a token put in."""
    manifest = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)[1]
    (tmp_path / "SpinnakerService.yml").write_text(manifest)
    command = [sys.executable, "-m", "masthead", "config", "check", str(tmp_path / "SpinnakerService.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "your token" not in done.stdout
