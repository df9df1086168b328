"""Lint, dry runs and metrics against real processes: much is learnt, nobody is woken, no key is seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import httpx
import pytest

from support.processes import masthead, running, simulator, wait_until

#: Every key of the simulator's built-in data begins so.
KEY = re.compile(r"c0ffee")
SERVICES = {"shop": "Checkout", "find": "Search", "coupons": "Coupon Engine"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    database = str(tmp_path_factory.mktemp("preflight") / "m.db")
    with running(simulator()) as pagerduty, running(masthead(pagerduty.url, database)) as server:
        wait_until(lambda: server.get("/v1/catalog")["services"])

        def run(*arguments: str, status: int = 0) -> str:
            done = subprocess.run(
                [sys.executable, "-m", "masthead", *arguments],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                env={**os.environ, "MASTHEAD_SERVER": server.url},
            )
            said = done.stdout + done.stderr
            assert done.returncode == status, said
            assert not KEY.search(said), "a command showed an integration key"
            return said

        for name, service in SERVICES.items():
            run("application", "save", name, "--email", "d@example.com", "--pagerduty-service", service)
        yield run, server, pagerduty


def test_lint_finds_the_service_that_opens_nothing(house):
    """And fails because of it; alone, a sound application passes."""
    run, _, _ = house
    said = run("lint", status=1)
    assert "coupons\n  error    PagerDuty service 'Coupon Engine' is disabled" in said
    assert said.endswith("1 error, 0 warnings in 4 applications and 0 pipelines.\n")
    assert run("lint", "shop", "find") == "Nothing is wrong with 2 applications and 0 pipelines.\n"


def test_keys_are_checked_without_waking_anybody(house):
    """PagerDuty takes them, of both protocols, and opens nothing; one it does not know is refused."""
    run, server, pagerduty = house
    said = run("lint", "shop", "find", "--check-keys")
    assert said.endswith("; PagerDuty was asked about 2 keys.\n")
    strange = {"name": "strange", "email": "d@example.com", "pdApiKey": "d" * 32}
    server.post(
        "/tasks", {"application": "strange", "job": [{"type": "createApplication", "application": strange}]}
    )
    wait_until(
        lambda: "strange" in {one["name"].lower() for one in server.get("/v1/applications")["applications"]}
    )
    assert "PagerDuty refuses the integration key (key …dddd)" in run(
        "lint", "strange", "--check-keys", status=1
    )
    assert pagerduty.get("/simulator/incidents") == []


def test_a_dry_run_shows_everything_and_does_nothing(house):
    """Names, bodies, problems; no page is stored and no incident opened."""
    run, server, pagerduty = house
    said = run("page", "shop", "coupons", "--message", "rehearsal", "--dry-run", status=1)
    assert re.search(
        r"Nothing was sent\. This page would wake [A-Z]\w+ \w+; mind the errors above\.\n$", said
    )
    assert '"Checkout"' in said
    assert server.get("/v1/pages")["pages"] == []
    assert pagerduty.get("/simulator/incidents") == []


def test_what_happens_is_seen_by_prometheus(house):
    """A page, its delivery, the catalog; no key and no hash of one."""
    run, server, _ = house
    run("page", "shop", "--message", "for real")
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    for line in (
        'masthead_pages_total{door="v1",kind="trigger",severity="critical"} 1.0',
        'masthead_deliveries_total{reason="none",state="accepted"} 1.0',
        "masthead_acceptance_seconds_count 1.0",
        "masthead_machines_alive 1.0",
        'masthead_reading_failed{reading="backlog"} 0.0',
    ):
        assert line in text
    assert re.search(r'masthead_catalog_age_seconds\{account="default",kind="services"\} \d', text)
    assert not KEY.search(text)
    assert not re.search(r'"[0-9a-f]{16,}"', text)
