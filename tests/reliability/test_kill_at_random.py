"""Killed with kill -9 at random instants, again and again, under load and faults."""

from __future__ import annotations

import os
import random
import re
import sys
import time

import pytest

from support.ledgers import broken_promises, executions, is_at_rest, last_words, stored, unrest
from support.load import By, Crowd, Human
from support.nursery import nursery
from support.processes import Process, masthead, running, wait_until
from support.shops import furnish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = int(os.environ.get("MASTHEAD_TEST_KILLS", "200"))
#: One of eight is killed while it starts; the others live for so long at most after they answer.
STARTING, START_S, LONGEST_LIFE_S = 1 / 8, 1.0, 1.2
SCALED = {
    "MASTHEAD_ECHO_WAIT_SECONDS": "0.3",
    "MASTHEAD_EVENTS_TIMEOUT_SECONDS": "2",
    "MASTHEAD_PAGING_BUDGET": "40",
    "MASTHEAD_PAGING_BUDGET_WINDOW_SECONDS": "2",
}
FAULTS = [
    {"status": 429, "chance": 0.02},
    {"target": "/generic", "status": 403, "body": "throttled", "chance": 0.05},
    {"status": 503, "chance": 0.02},
    {"status": 500, "when": "after", "chance": 0.02},
    {"reset": True, "chance": 0.02},
    {"reset": True, "when": "after", "chance": 0.02},
    {"half_body": True, "chance": 0.02},
    {"delay_ms": 200, "chance": 0.1},
]
#: What a process may never say, whenever it is killed.
TROUBLE = re.compile(r"^.*(?:Traceback|task\.failed|burst\.failed|request\.crashed).*$", re.MULTILINE)


def troubles(server: Process) -> list[str]:
    return [f"the log says: {line[:2000]}" for line in TROUBLE.findall(server.output())]


def live_and_die(server: Process, dice: random.Random) -> list[str]:
    """Start, live for a random while, be killed; gives what it said that it may not."""
    server.launch()
    if dice.random() < STARTING:
        time.sleep(dice.uniform(0, START_S))
    else:
        server.wait_up()
        time.sleep(dice.uniform(0, LONGEST_LIFE_S))
    server.kill()
    return troubles(server)


def test_every_stored_page_is_delivered_once_however_often_masthead_is_killed(pagerduty, database, seed):
    """Every stored page opens one incident a key, every promised one was stored, none is asked twice.

    Each incident is resolved at once, so that an event that is sent again would open a second one.
    """
    dice = random.Random(seed)
    server = masthead(pagerduty.url, database, environ=SCALED)
    with running(server):
        keys = furnish(server, 12)
        server.stop()
    pagerduty.post("/simulator/settings", {"events_per_key": 40, "events_window_s": 2})
    for fault in FAULTS:
        pagerduty.post("/simulator/faults", fault)
    said: list[str] = []
    began = time.monotonic()
    with (
        nursery() as server.nursery,
        Human(pagerduty.url),
        Crowd(server.url, keys, by=tuple(By), per_second=25, seed=seed) as crowd,
    ):
        for _ in range(KILLS):
            said += live_and_die(server, dice)
        ended = time.monotonic()
        with running(server):
            asked = crowd.send_home()
            wait_until(lambda: is_at_rest(database), what=lambda: "\n".join(unrest(database)), timeout_s=240)
            said += troubles(server)
    incidents = pagerduty.get("/simulator/incidents")
    broken = broken_promises(asked, stored(database), incidents, executions(database))
    promised = sum(one.is_promised for one in asked)
    unanswered = sum(one.status is None for one in asked)
    sys.stdout.write(
        f"{KILLS} kills in {ended - began:.0f} s, at rest after {time.monotonic() - ended:.0f} s, {len(asked)} asked, {promised} promised, {unanswered} unanswered, {len(incidents)} incidents"
    )
    findings = [*said, *broken]
    assert not findings, "\n".join([f"MASTHEAD_TEST_SEED={seed}", *findings, *last_words(database)])
