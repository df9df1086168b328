"""The wall clock is set back by an hour under a running Masthead, and across a restart; or it is wrong all along."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.ledgers import broken_promises, executions, is_at_rest, stored, unrest
from support.load import By, Crowd, Human
from support.processes import masthead, running, wait_until
from support.shops import furnish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@pytest.fixture
def offset(tmp_path):
    """A file whose text is what the wall clock is off by; Debian's package faketime reads it."""
    if not LIBRARIES:
        pytest.skip("needs libfaketime: apt-get install faketime")
    path = tmp_path / "offset"
    path.write_text("+0")
    return path


def with_faked_clock(offset: Path) -> dict[str, str]:
    """The environment in which the wall clock follows *offset*, and the monotonic one does not."""
    return {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "MASTHEAD_ECHO_WAIT_SECONDS": "0.3",
    }


@pytest.mark.parametrize("wrong_by", ["-300", "+300"])
def test_a_machine_whose_clock_is_wrong_tries_again_on_time(pagerduty, postgresql, offset, wrong_by):
    """The bursts are due by PostgreSQL's clock: what this machine dates must be so too."""
    offset.write_text(wrong_by)
    server = masthead(pagerduty.url, postgresql.new_database(), environ=with_faked_clock(offset))
    with running(server):
        (key,) = furnish(server, 1).values()
        pagerduty.post("/simulator/faults", {"status": 429, "body": "later", "count": 3})
        page = server.post("/v1/pages?wait=30", {"keys": [key], "message": "on time"})
    assert [one["attempts"] for one in page["deliveries"] if one["state"] == "accepted"] == [4]


@pytest.mark.parametrize(("by", "is_restarted"), [("-3600", False), ("-3600", True), ("-600", True)])
def test_no_page_waits_for_a_clock_that_was_set_back(pagerduty, tmp_path, offset, seed, by, is_restarted):
    """What waits for its next attempt goes out within seconds, once each, and so does what is asked afterwards."""
    database = str(tmp_path / "m.db")
    server = masthead(pagerduty.url, database, environ=with_faked_clock(offset))
    with running(server):
        keys = furnish(server, 12)
        doors = (By.ECHO, By.ORCA, By.V1)
        with Human(pagerduty.url), Crowd(server.url, keys, by=doors, per_second=20, seed=seed) as crowd:
            pagerduty.post("/simulator/faults", {"status": 503})
            wait_until(lambda: sum(one.is_promised for one in crowd.asked) > 20)
            offset.write_text(by)
            if is_restarted:
                server.kill()
                server.start()
            begun = len(crowd.asked)
            wait_until(lambda: sum(one.is_promised for one in crowd.asked[begun:]) > 20)
            pagerduty.ask("DELETE", "/simulator/faults")
            asked = crowd.send_home()
            wait_until(lambda: is_at_rest(database), what=lambda: "\n".join(unrest(database)), timeout_s=90)
        incidents = pagerduty.get("/simulator/incidents")
    assert broken_promises(asked, stored(database), incidents, executions(database)) == []
