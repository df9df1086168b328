"""Two Mastheads on one PostgreSQL: what one leaves behind the other sends, and nobody sends it twice."""

from __future__ import annotations

import time

import pytest

from support.ledgers import broken_promises, executions, is_at_rest, query, stored, unrest
from support.load import By, Crowd, Human
from support.processes import masthead, running, wait_until
from support.shops import furnish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FROZEN_S = 30.0
SCALED = {"MASTHEAD_ECHO_WAIT_SECONDS": "0.3"}


@pytest.fixture
def database(postgresql) -> str:
    return postgresql.new_database()


@pytest.fixture
def two(pagerduty, database):
    """Two machines, and the integration key of each application."""
    with running(masthead(pagerduty.url, database, environ=SCALED)) as first:
        keys = furnish(first, 12)
        with running(masthead(pagerduty.url, database, environ=SCALED)) as second:
            wait_until(lambda: second.get("/v1/catalog")["services"])
            yield first, second, keys


def slow(pagerduty) -> None:
    """From now on PagerDuty takes an event at once and answers after three seconds."""
    pagerduty.post("/simulator/faults", {"delay_ms": 3000, "when": "after"})


def count_pending(database: str) -> int:
    return query(database, "SELECT count(*) FROM delivery WHERE state = 'pending'")[0][0]


def test_what_a_killed_machine_left_is_delivered_by_the_other_within_15_seconds(
    two, pagerduty, database, seed
):
    """One is killed for good with deliveries of every kind: in flight, waiting, and asked for by an execution; once each."""
    first, _, keys = two
    pagerduty.post("/simulator/faults", {"status": 503, "headers": {"Retry-After": "1"}, "chance": 0.4})
    with (
        Human(pagerduty.url),
        Crowd(first.url, keys, by=(By.ECHO, By.TASK), per_second=60, seed=seed) as crowd,
    ):
        wait_until(lambda: sum(one.is_promised for one in crowd.asked) > 60)
        slow(pagerduty)
        wait_until(lambda: count_pending(database) > 12)
        first.kill()
        killed_at = time.monotonic()
        pagerduty.ask("DELETE", "/simulator/faults")
        wait_until(
            lambda: not count_pending(database), what=lambda: "\n".join(unrest(database)), timeout_s=60
        )
        took_s = time.monotonic() - killed_at
        asked = crowd.send_home()
        wait_until(lambda: is_at_rest(database), timeout_s=60)
    assert took_s < 15
    incidents = pagerduty.get("/simulator/incidents")
    assert broken_promises(asked, stored(database), incidents, executions(database)) == []


def test_a_machine_that_was_only_stopped_sends_nothing_twice(two, pagerduty, database, seed):
    """Stopped for 30 seconds with events under way: the other finds out what had arrived, and both leave it at that."""
    first, second, keys = two
    with (
        Human(pagerduty.url),
        Crowd(first.url, keys, by=(By.ECHO, By.TASK), per_second=60, seed=seed) as crowd,
    ):
        wait_until(lambda: sum(one.is_promised for one in crowd.asked) > 60)
        slow(pagerduty)
        wait_until(lambda: count_pending(database) > 12)
        first.freeze()
        frozen_at = time.monotonic()
        try:
            pagerduty.ask("DELETE", "/simulator/faults")
            wait_until(
                lambda: is_at_rest(database), what=lambda: "\n".join(unrest(database)), timeout_s=FROZEN_S
            )
            time.sleep(max(frozen_at + FROZEN_S - time.monotonic(), 0))
        finally:
            first.thaw()
        asked = crowd.send_home()
        wait_until(lambda: is_at_rest(database), timeout_s=60)
        assert first.get("/health")["status"] == "UP"
        assert second.get("/health")["status"] == "UP"
    incidents = pagerduty.get("/simulator/incidents")
    assert broken_promises(asked, stored(database), incidents, executions(database)) == []
