"""What the three sides have in their books: who asked, what Masthead stored, what PagerDuty opened."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from support.load import Asked, By

#: In place of TERMINAL: a page stage waited its five minutes, said so, and the page goes on. Where Masthead is killed all the
#: time that may happen to the least severe; what is promised of the page itself holds all the same.
WAITED_IN_VAIN = "WAITED_IN_VAIN"
_GOES_ON = "Masthead goes on trying."
#: Statuses of an execution with which it has ended.
ENDED = ("SUCCEEDED", "TERMINAL", WAITED_IN_VAIN, "CANCELED", "STOPPED", "FAILED_CONTINUE", "SKIPPED")


def query(database: str, statement: str) -> list[tuple[Any, ...]]:
    """Read rows past Masthead, straight from the SQLite file or the PostgreSQL database."""
    if database.startswith("postgresql"):
        with psycopg.connect(database) as connection:
            return connection.execute(statement).fetchall()
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


@dataclass(frozen=True)
class Stored:
    """One delivery of a page, as the database has it."""

    page: str
    message: str
    execution: str | None
    stage: str | None
    key: str
    dedup_key: str
    state: str
    text: str
    attempts: int


def stored(database: str) -> list[Stored]:
    """Give every delivery of every page, oldest first."""
    rows = query(
        database,
        "SELECT p.id, p.message, p.execution_id, p.stage_id, d.routing_key, d.dedup_key, d.state, d.text, d.attempts"
        " FROM page p JOIN delivery d ON d.page_id = p.id WHERE d.action = 'trigger' ORDER BY d.id",
    )
    return [Stored(*row) for row in rows]


def executions(database: str) -> dict[str, str]:
    """Give the status of every execution by its id."""
    found = dict(query(database, "SELECT id, status FROM execution"))
    documents = query(database, "SELECT id, document FROM execution WHERE status = 'TERMINAL'")
    return found | {run: WAITED_IN_VAIN for run, document in documents if _GOES_ON in document}


def last_words(database: str) -> list[str]:
    """Give what the stages of executions that failed say about it, with how long each took."""
    words = []
    for run, document in query(database, "SELECT id, document FROM execution WHERE status = 'TERMINAL'"):
        for stage in json.loads(document)["stages"]:
            if stage["status"] == "TERMINAL":
                took_ms = (stage.get("endTime") or 0) - (stage.get("startTime") or 0)
                failure = stage["context"].get("exception", {}).get("details", {})
                words.append(
                    f"{run} failed in stage {stage['type']} after {took_ms} ms: {json.dumps(failure)[:500]}"
                )
    return words


def is_at_rest(database: str) -> bool:
    """Whether every delivery is decided and every execution has ended."""
    return not unrest(database)


def unrest(database: str) -> list[str]:
    """Say which deliveries are pending, which executions have not ended, and who is to carry them forward."""
    pending = query(
        database,
        "SELECT id, machine, due_at, attempts, folded_into, text FROM delivery WHERE state = 'pending'",
    )
    running = {run: status for run, status in executions(database).items() if status not in ENDED}
    if not pending and not running:
        return []
    return [
        f"now {time.time() * 1000:.0f}",
        *(f"delivery {row}" for row in pending),
        *(f"execution {run} is {status}" for run, status in running.items()),
        *(f"burst {row}" for row in query(database, "SELECT * FROM burst")),
        *(f"machine {row}" for row in query(database, "SELECT * FROM machine")),
    ]


def broken_promises(
    asked: Iterable[Asked],
    deliveries: Sequence[Stored],
    incidents: Sequence[dict[str, Any]],
    runs: dict[str, str],
) -> list[str]:
    """Compare the books and give each difference as a sentence; none when every promise was kept.

    Args:
        asked: What the crowd heard.
        deliveries: What is stored, at rest.
        incidents: Of ``GET /simulator/incidents``.
        runs: The status of each execution.
    """
    asked = list(asked)
    return [
        *_delivered_once(deliveries, incidents),
        *_never_unasked(deliveries, incidents),
        *_promised_and_stored(asked, deliveries, runs),
        *_asked_once(asked, deliveries),
    ]


def _delivered_once(deliveries: Sequence[Stored], incidents: Sequence[dict[str, Any]]) -> Iterable[str]:
    """Every stored delivery is accepted and has exactly one incident."""
    opened = Counter((one["routing_key"], one["incident_key"]) for one in incidents)
    for one in deliveries:
        if one.state != "accepted":
            yield f"{one.message!r} is {one.state} after {one.attempts} attempts: {one.text}"
        count = opened[one.key, one.dedup_key]
        if count != 1:
            yield f"{one.message!r} ({one.state}, {one.attempts} attempts) opened {count} incidents"


def _never_unasked(deliveries: Sequence[Stored], incidents: Sequence[dict[str, Any]]) -> Iterable[str]:
    """No incident without a stored delivery: stored before sent."""
    known = {(one.key, one.dedup_key) for one in deliveries}
    for one in incidents:
        if (one["routing_key"], one["incident_key"]) not in known:
            yield f"the incident {one['title']!r} belongs to no stored delivery"


def _promised_and_stored(
    asked: Sequence[Asked], deliveries: Sequence[Stored], runs: dict[str, str]
) -> Iterable[str]:
    """Every request that was answered with success is stored, with all its keys."""
    keys = defaultdict(set)
    of_run = defaultdict(set)
    for one in deliveries:
        keys[one.message].add(one.key)
        of_run[one.execution].add(one.stage)
    for one in asked:
        if one.status == 503 and one.by is By.ECHO and keys[one.message]:
            yield f"{one.message!r} was refused and stored all the same"
        if one.status is not None and not one.is_promised and one.status != 503:
            yield f"{one.message!r} was answered {one.status}: {one.text[:200]}"
        if not one.is_promised:
            continue
        if one.by in (By.TASK, By.PIPELINE):
            run = one.ref.rpartition("/")[2]
            if runs.get(run) not in ("SUCCEEDED", WAITED_IN_VAIN):
                yield f"{one.message!r}: its execution {run} is {runs.get(run, 'not there')}"
            stages = 2 if one.by is By.PIPELINE and runs.get(run) != WAITED_IN_VAIN else 1
            if len(of_run[run]) < stages:
                yield f"{one.message!r}: its execution paged from {len(of_run[run])} of {stages} stages"
        if one.by is not By.PIPELINE and keys[one.message] != set(one.keys):
            yield f"{one.message!r} was promised for {len(one.keys)} keys and stored for {len(keys[one.message])}"


def _asked_once(asked: Sequence[Asked], deliveries: Sequence[Stored]) -> Iterable[str]:
    """No request was stored twice, however often it was repeated; no stage paged twice."""
    pages = defaultdict(set)
    stages = defaultdict(set)
    for one in deliveries:
        pages[one.message].add(one.page)
        if one.stage:
            stages[one.execution, one.stage].add(one.page)
    for asking in asked:
        if asking.by is not By.PIPELINE and len(pages[asking.message]) > 1:
            yield f"{asking.message!r} was sent {asking.sent} times and stored as {len(pages[asking.message])} pages"
    for (execution, stage), found in stages.items():
        if len(found) > 1:
            yield f"stage {stage} of {execution} paged {len(found)} times"
