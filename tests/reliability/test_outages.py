"""What Masthead stands on goes away for a while and comes back: nothing is lost, nothing is doubled."""

from __future__ import annotations

import resource
import sqlite3
import time

import pytest

from support.ledgers import broken_promises, executions, is_at_rest, stored, unrest
from support.load import By, Crowd
from support.postgresql import breakable_server
from support.processes import Process, masthead, running, simulator, wait_until
from support.shops import furnish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Longer than a machine's lease (6 s), so that it is lost and has to be found again.
LONGER_THAN_THE_LEASE_S = 9
LONGEST_STEP_S = 0.3
SCALED = {"MASTHEAD_ECHO_WAIT_SECONDS": "0.5"}


def goes_on(crowd: Crowd) -> None:
    """Wait until the crowd is promised twenty things that it asked for after now."""
    begun = len(crowd.asked)
    wait_until(lambda: sum(one.is_promised for one in crowd.asked[begun:]) >= 20, timeout_s=60)


def books(crowd: Crowd, pagerduty: Process, database: str, server: Process) -> list[str]:
    """Send the crowd home, let everything come to rest, and compare."""
    asked = crowd.send_home()
    wait_until(
        lambda: is_at_rest(database),
        what=lambda: "\n".join([*unrest(database), *complaints(server)]),
        timeout_s=60,
    )
    return broken_promises(
        asked, stored(database), pagerduty.get("/simulator/incidents"), executions(database)
    )


@pytest.mark.parametrize("how", ["crashed", "frozen"])
def test_pages_survive_a_database_that_is_away_for_30_seconds(pagerduty, seed, how):
    """PostgreSQL is gone, or answers nobody: what was asked before, meanwhile and after is paged once or refused."""
    with breakable_server() as postgresql:
        database = postgresql.new_database()
        with running(masthead(pagerduty.url, database, environ=SCALED)) as server:
            keys = furnish(server, 12)
            with Crowd(server.url, keys, by=tuple(By), per_second=30, seed=seed) as crowd:
                goes_on(crowd)
                pagerduty.post("/simulator/faults", {"status": 503, "chance": 0.5, "seconds": 15})
                postgresql.crash() if how == "crashed" else postgresql.freeze()
                time.sleep(30)
                postgresql.restart() if how == "crashed" else postgresql.thaw()
                goes_on(crowd)
                assert books(crowd, pagerduty, database, server) == []


def test_pages_survive_a_full_disk(pagerduty, tmp_path, seed):
    """The SQLite file cannot grow: pages are refused with 503 and not stored; once there is room it goes on."""
    database = tmp_path / "m.db"
    with running(masthead(pagerduty.url, str(database), environ=SCALED)) as server:
        keys = furnish(server, 12)
        with Crowd(server.url, keys, by=tuple(By), per_second=30, seed=seed) as crowd:
            goes_on(crowd)
            limit_files(server, most=database.stat().st_size + 20_000)
            wait_until(lambda: sum(one.status == 503 for one in crowd.asked) > 5)
            time.sleep(LONGER_THAN_THE_LEASE_S)
            limit_files(server, most=None)
            goes_on(crowd)
            assert books(crowd, pagerduty, str(database), server) == []


def test_pages_survive_a_database_that_another_program_holds(pagerduty, tmp_path, seed):
    """Somebody locks the SQLite file for longer than Masthead waits for a lock."""
    database = str(tmp_path / "m.db")
    with running(masthead(pagerduty.url, database, environ=SCALED)) as server:
        keys = furnish(server, 12)
        with Crowd(server.url, keys, by=tuple(By), per_second=20, seed=seed) as crowd:
            goes_on(crowd)
            other = sqlite3.connect(database, isolation_level=None, timeout=30)
            other.execute("BEGIN IMMEDIATE")
            time.sleep(33)
            other.execute("ROLLBACK")
            other.close()
            goes_on(crowd)
            assert books(crowd, pagerduty, database, server) == []


def test_pages_survive_pagerduty_being_down_for_longer_than_every_back_off_step(pagerduty, database, seed):
    """Every attempt fails until the wait between two has long been at its longest; then each is told once."""
    steps = {
        "MASTHEAD_PAGING_RETRY_FIRST_SECONDS": "0.02",
        "MASTHEAD_PAGING_RETRY_LONGEST_SECONDS": f"{LONGEST_STEP_S}",
    }
    with running(masthead(pagerduty.url, database, environ=SCALED | steps)) as server:
        keys = furnish(server, 12)
        with Crowd(server.url, keys, by=tuple(By), per_second=30, seed=seed) as crowd:
            goes_on(crowd)
            pagerduty.post("/simulator/faults", {"status": 503, "chance": 0.5})
            pagerduty.post("/simulator/faults", {"reset": True})
            time.sleep(30 * LONGEST_STEP_S)
            pagerduty.ask("DELETE", "/simulator/faults")
            assert books(crowd, pagerduty, database, server) == []


def test_pages_wait_for_a_pagerduty_that_cannot_be_reached(tmp_path):
    """Nobody listens at PagerDuty's address, also across a restart; when somebody does, the page arrives."""
    database = str(tmp_path / "m.db")
    pagerduty = simulator()
    body = {
        "notificationType": "PAGER_DUTY",
        "to": ["c0ffee000000000000000000search02"],
        "additionalContext": {"message": "is anybody there?"},
    }
    with running(masthead(pagerduty.url, database, environ=SCALED)) as server:
        server.post("/echo/notifications", body)
        wait_until(lambda: stored(database)[0].attempts > 2)
        server.kill()
    with running(masthead(pagerduty.url, database)), running(pagerduty):
        wait_until(lambda: is_at_rest(database))
        assert [one["title"] for one in pagerduty.get("/simulator/incidents")] == ["is anybody there?"]


def test_a_log_that_cannot_be_written_stops_no_page(pagerduty, tmp_path):
    """Standard error stands on a full disk: the page goes out all the same."""
    server = masthead(pagerduty.url, str(tmp_path / "m.db"))
    with running(server.with_log_on("/dev/full")):
        keys = furnish(server, 1)
        body = {
            "notificationType": "PAGER_DUTY",
            "to": list(keys.values()),
            "additionalContext": {"message": "disk full"},
        }
        server.post("/echo/notifications", body)
        assert [one["title"] for one in pagerduty.get("/simulator/incidents")] == ["disk full"]


def complaints(server: Process) -> list[str]:
    """The last things that the server complained of."""
    lines = [line for line in server.output().splitlines() if '"info"' not in line]
    return lines[-30:]


def limit_files(server: Process, *, most: int | None) -> None:
    """Let no file that *server* writes grow beyond *most* bytes, as on a full disk."""
    assert server.process is not None
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard if most is None else most, hard))
