"""Three Mastheads on one PostgreSQL, killed, stopped and upgraded in turn under load: everything runs, and once."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import httpx
import pytest
from ulid import ULID

from support.ledgers import query
from support.organisations import key_of
from support.processes import Process, masthead, running, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DESTRUCTION_S = 120.0
#: How soon what a machine left must be taken over, and how long a run takes by itself on a busy machine.
TAKE_OVER_MS, OWN_MS = 15_000, 6_000
EVERY_MS = 2_000


class Load:
    """Starts pipelines through whichever machine answers, and keeps those that were promised."""

    def __init__(self, machines: Sequence[Process], dice: random.Random) -> None:
        self.promised: list[str] = []
        self._machines = machines
        self._dice = dice
        self._is_over = threading.Event()
        self._numbers = itertools.count()
        # A request to a machine that stands still takes long; the others' must not wait for it.
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(3)]

    @contextlib.contextmanager
    def going(self) -> Iterator[Load]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._is_over.set()
            for thread in self._threads:
                thread.join(30)

    def _run(self) -> None:
        for number in self._numbers:
            if self._is_over.wait(0.4):
                return
            url = self._dice.choice(self._machines).url
            trigger = {"type": "manual", "parameters": {"n": number}}
            with contextlib.suppress(httpx.TransportError):
                answer = httpx.post(f"{url}/pipelines/demo/work", json=trigger, timeout=3)
                if answer.status_code == 202:
                    self.promised.append(answer.json()["ref"].rpartition("/")[2])


def furnish(server: Process) -> None:
    """A pipeline that waits and pages one of twelve services, and one that fires every two seconds."""
    job = {"type": "createApplication", "application": {"name": "demo", "email": "a@example.com"}}
    server.post("/tasks", {"application": "demo", "description": "d", "job": [job]})
    wait_until(lambda: any(one["name"] == "demo" for one in server.get("/applications")))
    wait_until(lambda: server.get("/v1/catalog")["services"])
    keys = "{" + ", ".join(f"'{key_of(number)}'" for number in range(12)) + "}"
    work = [
        {"refId": "1", "requisiteStageRefIds": [], "type": "wait", "waitTime": 1},
        {
            "refId": "2",
            "requisiteStageRefIds": ["1"],
            "type": "pageApplicationOwner",
            "keys": ["${" + keys + "[trigger.parameters.n % 12]}"],
            "message": "run ${execution.id}",
        },
    ]
    server.post("/pipelines", {"id": "work", "application": "demo", "name": "work", "stages": work})
    tick = {"type": "cron", "enabled": True, "cronExpression": "0/2 * * * * ?"}
    stages = [{"refId": "1", "requisiteStageRefIds": [], "type": "wait", "waitTime": 0}]
    document = {"id": "tick", "application": "demo", "name": "tick", "stages": stages, "triggers": [tick]}
    server.post("/pipelines", document)


def disturb(machine: Process, how: str, dice: random.Random) -> None:
    """Take a machine away for a while, and give it back."""
    if how == "stop":
        machine.freeze()
        time.sleep(dice.uniform(2, 14))
        machine.thaw()
        return
    machine.kill() if how == "kill" else machine.stop()
    time.sleep(dice.uniform(0, 6) if how == "kill" else 0)
    machine.start()


def ended(database: str, pipeline: str) -> list[tuple[str, str, int, int | None]]:
    """Give id, status, and the instants of the beginning and the end of each run."""
    return query(
        database,
        f"SELECT id, status, build_at, end_at FROM execution WHERE pipeline_config_id = '{pipeline}' ORDER BY id",
    )


def test_three_machines_are_killed_stopped_and_upgraded_in_turn(pagerduty, postgresql, seed):
    """Two minutes: each run that was promised ends, soon; each cron firing runs once; each run pages once."""
    dice, database = random.Random(seed), postgresql.new_database()
    with contextlib.ExitStack() as stack:
        machines = [stack.enter_context(running(masthead(pagerduty.url, database))) for _ in range(3)]
        furnish(machines[0])
        with Load(machines, dice).going() as load:
            over_at = time.monotonic() + DESTRUCTION_S
            for machine, how in zip(
                itertools.cycle(machines), itertools.cycle(["kill", "stop", "upgrade", "kill"])
            ):
                if time.monotonic() > over_at:
                    break
                disturb(machine, how, dice)
                time.sleep(dice.uniform(0.5, 3))
        wait_until(lambda: all(one[3] for one in ended(database, "work")), timeout_s=40)
        last = int(time.time() * 1000) // EVERY_MS * EVERY_MS - 2 * EVERY_MS
        wait_until(lambda: any(at(one[0]) >= last for one in ended(database, "tick")), timeout_s=40)
    work = {one[0]: one for one in ended(database, "work")}
    assert len(load.promised) > 50
    assert [each for each in load.promised if work.get(each, ("", ""))[1] != "SUCCEEDED"] == []
    slow = {one[0]: one[3] - one[2] for one in work.values() if one[3] - one[2] > TAKE_OVER_MS + OWN_MS}
    assert slow == {}

    ticks = [(at(one[0]), one[2]) for one in ended(database, "tick") if at(one[0]) <= last]
    assert [fired for fired, _ in ticks] == list(range(ticks[0][0], last + 1, EVERY_MS))
    assert [(fired, begun) for fired, begun in ticks if begun - fired > TAKE_OVER_MS + OWN_MS] == []

    pages = Counter(one["title"].removeprefix("run ") for one in pagerduty.get("/simulator/incidents"))
    assert pages == Counter(list(work))


def at(execution_id: str) -> int:
    """Give the instant in an id: for a run by cron, that of its firing."""
    return ULID.from_str(execution_id).milliseconds
