"""Paging by hand and looking back, with the command line and with curl, against real processes."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from support.processes import masthead, running, simulator, wait_until

#: Every key of the simulator's built-in data begins so.
KEY = re.compile(r"c0ffee")
GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "page-from-anywhere.md"


class House:
    """A simulator, a Masthead with an application, and commands that ask it."""

    def __init__(self, pagerduty, server) -> None:
        self.pagerduty = pagerduty
        self.server = server
        self.said = ""

    def run(self, *arguments: str, status: int = 0) -> str:
        environ = {"MASTHEAD_SERVER": self.server.url, "MASTHEAD_USER": "ann@example.com"}
        done = subprocess.run(
            [sys.executable, "-m", "masthead", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **environ},
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        assert "Traceback" not in said
        self.said += said
        return said

    def page(self, *arguments: str) -> str:
        """Page, and give the page's id."""
        return json.loads(self.run("page", *arguments, "--json"))["id"]

    def incident(self, title: str) -> dict:
        incidents = self.pagerduty.get("/simulator/incidents")
        return next((one for one in incidents if one["title"] == title), {})


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    database = str(tmp_path_factory.mktemp("pages") / "m.db")
    with running(simulator()) as pagerduty, running(masthead(pagerduty.url, database)) as server:
        wait_until(lambda: server.get("/v1/catalog")["services"])
        house = House(pagerduty, server)
        for name, service in (("demo", "Checkout"), ("other", "PSEARCH")):
            house.run("application", "save", name, "--email", "d@example.com", "--pagerduty-service", service)
        yield house
        assert not KEY.search(house.said), "a command showed an integration key"


@pytest.fixture
def refusing(house):
    """PagerDuty refuses every event until the test ends."""
    house.pagerduty.post("/simulator/faults", {"target": "events", "status": 400})
    yield
    house.pagerduty.ask("DELETE", "/simulator/faults")


def test_applications_and_services_are_paged_in_one_go(house):
    """Each is told of by a line with who is on call; options may stand before the names."""
    said = house.run("page", "--message", "both", "demo", "--service", "PSEARCH", "--link", "https://ci/1")
    assert re.search(r"^Checkout: PagerDuty accepted the page; on call: \w+", said, re.MULTILINE)
    assert re.search(r"^Search: PagerDuty accepted the page; on call: \w+", said, re.MULTILINE)
    assert house.incident("both")


def test_a_page_without_waiting_says_where_to_look(house):
    """It is stored and on its way."""
    said = house.run("page", "demo", "--message", "not waited for", "--no-wait")
    page_id = re.search(r"masthead page show (\w+)", said)[1]
    wait_until(lambda: house.server.get(f"/v1/pages/{page_id}")["isDecided"])


def test_a_page_tells_everything_to_a_tired_human(house):
    """Message, who asked from where, what became of it and each attempt; as JSON for programs."""
    page_id = house.page("demo", "--message", "tell me all", "--detail", "run=7")
    wait_until(lambda: "incident #" in house.run("page", "show", page_id))
    shown = house.run("page", "show", page_id)
    assert shown.startswith(
        f"tell me all\n  critical, page {page_id}\n  asked by ann@example.com from 127.0.0.1,"
    )
    assert "  run: 7\n" in shown
    assert re.search(r"  incident #\d+ is triggered, assigned to \w+", shown)
    assert re.search(r"Events v\d  20\d  \d+ ms  ", shown)
    assert json.loads(house.run("page", "show", page_id, "--json"))["deliveries"][0]["attemptLog"]


def test_a_page_is_acknowledged_and_resolved(house):
    """In PagerDuty, and in what the page tells."""
    page_id = house.page("demo", "--message", "to be resolved")
    assert "Checkout: PagerDuty took it" in house.run("page", "acknowledge", page_id)
    assert house.incident("to be resolved")["status"] == "acknowledged"
    house.run("page", "resolve", page_id)
    assert house.incident("to be resolved")["status"] == "resolved"
    shown = house.run("page", "show", page_id)
    assert re.search(r"Acknowledged by ann@example.com from 127.0.0.1, .*\n  Checkout: accepted", shown)
    assert "Resolved by ann@example.com" in shown


def test_what_pagerduty_refused_is_said_and_sent_again(house, refusing):
    """Status 1 and what to do; once PagerDuty takes it, the same page opens its incident."""
    said = house.run("page", "demo", "--message", "refused at first", status=1)
    page_id = re.search(r"1 of 1 not told: Checkout\. Send it again: masthead page resend (\w+)", said)[1]
    assert page_id in house.run("pages", "--state", "rejected")
    house.pagerduty.ask("DELETE", "/simulator/faults")
    assert "PagerDuty accepted the page" in house.run("page", "resend", page_id)
    assert house.incident("refused at first")["status"] == "triggered"
    assert "Sent again by ann@example.com" in house.run("page", "show", page_id)


def test_what_cannot_be_done_is_one_sentence_and_status_1(house):
    """Nothing failed, so nothing is sent again; a page that does not exist; nobody named."""
    page_id = house.page("demo", "--message", "fine")
    for arguments, sentence in (
        (["page", "resend", page_id], "nothing to send again"),
        (["page", "show", "nope"], "Page not found (id: nope)"),
        (["page", "--message", "x"], "Say whom to tell"),
        (["page", "demo", "--service", "nothing", "--message", "x"], "nothing"),
        (["change-event", "nowhere", "--summary", "x"], "There is no application called nowhere."),
        (["pages", "--since", "yesterday"], "ISO 8601"),
    ):
        said = house.run(*arguments, status=1)
        assert sentence in said
        assert said.count("\n") == 1


def test_pages_are_listed_and_narrowed(house):
    """Newest first, with what became of them; older ones are not passed over in silence."""
    house.page("demo", "--message", "an older one")
    house.page("other", "--message", "the needle", "--severity", "warning")
    listed = house.run(
        "pages", "--application", "other", "--severity", "warning", "--since", "1h"
    ).splitlines()
    assert listed[0].split()[:4] == ["WHEN", "(UTC)", "PAGE", "SEVERITY"]
    assert "the needle" in listed[1]
    assert "Search: " in listed[1]
    assert [one["message"] for one in json.loads(house.run("pages", "--text", "needle", "--json"))] == [
        "the needle"
    ]
    assert "No page matches." in house.run("pages", "--by", "nobody")
    assert "There are older ones" in house.run("pages", "--limit", "1")


def test_pages_are_exported(house, tmp_path):
    """As a file that is whole, on standard output, as JSON lines."""
    house.page("demo", "--message", "=exported")
    file = tmp_path / "pages.csv"
    assert f"Written to {file}." in house.run("pages", "--csv", str(file), "--text", "exported")
    with file.open(newline="") as text:
        [row] = csv.DictReader(text)
    assert (row["message"], row["service"], row["state"]) == ("'=exported", "Checkout", "accepted")
    assert list(tmp_path.iterdir()) == [file]
    assert "'=exported" in house.run("pages", "--csv", "-", "--text", "exported")
    [line] = house.run("pages", "--jsonl", "--text", "exported").splitlines()
    assert json.loads(line)["message"] == "=exported"
    house.run("pages", "--json", "--jsonl", status=2)
    house.run("pages", "--csv", str(tmp_path / "no" / "folder.csv"), status=2)
    assert "state" in house.run("pages", "--csv", str(file), "--state", "odd", status=1)


def test_a_change_event_wakes_nobody(house):
    """It is kept beside the pages and listed apart."""
    before = len(house.pagerduty.get("/simulator/incidents"))
    said = house.run(
        "change-event", "demo", "--summary", "demo 1.2.3 deployed", "--timestamp", "2026-11-24T03:04:05Z"
    )
    assert said == "Checkout: PagerDuty took it\n"
    assert len(house.pagerduty.get("/simulator/incidents")) == before
    assert "demo 1.2.3 deployed" in house.run("pages", "--kind", "change")
    assert "demo 1.2.3 deployed" not in house.run("pages")


def test_a_request_that_is_sent_again_after_a_crash_is_the_same_page(tmp_path):
    """The answer was lost with the process; the same key gives the page that was stored, and one incident."""
    with running(simulator()) as pagerduty:
        body = {"services": ["Checkout"], "message": "asked for twice"}
        headers = {"Idempotency-Key": "k-1"}
        server = masthead(pagerduty.url, str(tmp_path / "m.db"))
        with running(server):
            wait_until(lambda: server.get("/v1/catalog")["services"])
            first = httpx.post(f"{server.url}/v1/pages", json=body, headers=headers)
            server.kill()
            server.start()
            wait_until(lambda: server.get("/v1/catalog")["services"])
            again = httpx.post(f"{server.url}/v1/pages?wait=30", json=body, headers=headers, timeout=40)
        assert (first.status_code, again.status_code) == (202, 200)
        assert again.json()["id"] == first.json()["id"]
        assert again.headers["idempotency-replayed"] == "true"
        titles = [one["title"] for one in pagerduty.get("/simulator/incidents")]
        assert titles.count("asked for twice") == 1


def test_the_commands_of_the_guide_do_what_it_says(house, tmp_path):
    """Three requests of one key wake once; the page is resolved; the export is there."""
    blocks = re.findall(r"```sh run\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    script = "set -eu -o pipefail\n" + "\n".join(blocks)
    script = script.replace("http://127.0.0.1:8084", house.server.url).replace("/tmp/", f"{tmp_path}/")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    titles = [one["title"] for one in house.pagerduty.get("/simulator/incidents")]
    assert titles.count("[DEMO] Sent three times, paged once") == 1
    assert house.incident("[DEMO] Sent three times, paged once")["status"] == "resolved"
    assert (tmp_path / "pages.csv").read_text().count("\n") > 1
