"""The bare relay that also stores: two durable group commits a page on Masthead's own tables, and no rule at all.

``python bench/storing_relay.py PORT ENDPOINT FILE``. What it costs is the least that storing first and recording afterwards can
cost in this interpreter, so it tells how much of Masthead's page its rules are. It is written as sparely as that can be: the
driver without SQLAlchemy, values that are not looked at, nobody who could wait, page or ask.
"""

from __future__ import annotations

import asyncio
import itertools
import queue
import secrets
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import uvicorn
from relay import Relay
from sqlalchemy import Table

from masthead.kernel.clock import SystemClock
from masthead.storage.database import Database
from masthead.storage.schema import attempt, delivery, page

#: As Masthead's: how long a group waits for as many as the last one had.
_MOMENT_S = 0.002
_TEXTS = {
    "kind": "trigger", "severity": "critical", "door": "echo", "user": "bench", "address": "127.0.0.1", "links": "[]",
    "client": "Spinnaker (bench)", "application": "orders", "account": "default", "action": "trigger", "protocol": "v2",
    "state": "pending", "label": "key …", "machine": "m",
}  # fmt: skip
_DECIDE = (
    "UPDATE delivery SET state='accepted', text=?, due_at=NULL, machine=NULL, decided_at=?, attempts=1 "
    "WHERE id=? AND state='pending'"
)
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
Rows = Sequence[tuple[Any, ...]]


class Group:
    """Items that are written by one transaction, while that runs the next gather."""

    def __init__(self, statements: Sequence[str], writer: queue.SimpleQueue[Any]) -> None:
        self._statements = statements
        self._writer = writer
        self._waiting: list[tuple[Rows, asyncio.Future[None]]] = []
        self._is_writing = False
        self._last = 1
        self._timer: asyncio.TimerHandle | None = None

    def put(self, *rows: tuple[Any, ...]) -> asyncio.Future[None]:
        """Have one row written by each statement."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((rows, done))
        if not self._is_writing:
            self._begin(loop)
        return done

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if len(self._waiting) >= self._last:
            self._write(loop)
        elif self._waiting and self._timer is None:
            self._timer = loop.call_later(_MOMENT_S, self._write, loop)

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting, []
        self._is_writing, self._last = True, len(group)
        work = [(sql, [rows[place] for rows, _ in group]) for place, sql in enumerate(self._statements)]
        self._writer.put((work, lambda: loop.call_soon_threadsafe(self._written, group, loop)))

    def _written(self, group: Sequence[tuple[Rows, asyncio.Future[None]]], loop: Any) -> None:
        self._is_writing = False
        for _, done in group:
            done.set_result(None)
        self._begin(loop)


class StoringRelay(Relay):
    """Stores, sends, and stores what came of it."""

    def __init__(self, endpoint: str, file: str) -> None:
        super().__init__(endpoint)
        units: queue.SimpleQueue[tuple[list[tuple[str, Rows]], Callable[[], Any]]] = queue.SimpleQueue()
        threading.Thread(target=_write_all, args=(file, units), daemon=True).start()
        self._asked = Group([_insert(page), _insert(delivery)], units)
        self._told = Group([_insert(attempt), _DECIDE], units)
        self._numbers = itertools.count(1)

    async def _relay(self, notification: dict[str, Any]) -> int:
        now = int(time.time() * 1000)
        name, chance = f"{now:013}{next(self._numbers):013}", secrets.token_hex(16)
        context = notification["additionalContext"]
        given = _TEXTS | {
            "id": name, "message": context["message"], "details": msgspec.json.encode(context["details"]).decode(),
            "fingerprint": chance, "created_at": now,
        }  # fmt: skip
        told = _TEXTS | {
            "id": f"{name}-1", "page_id": name, "position": 0, "routing_key": notification["to"][0], "key_hash": chance,
            "dedup_key": chance, "severity_rank": 0, "says": chance, "text": "", "attempts": 0, "is_uncertain": False,
            "due_at": now, "deadline_at": now, "created_at": now,
        }  # fmt: skip
        await self._asked.put(_row(page, given), _row(delivery, told))
        status = await super()._relay(notification)
        tried = {
            "delivery_id": f"{name}-1", "number": 1, "at": now, "protocol": "v2", "status": status, "outcome": "accepted",
            "text": "Event processed", "duration_ms": 1, "key_hash": chance,
        }  # fmt: skip
        await self._told.put(_row(attempt, tried), ("Event processed", now, f"{name}-1"))
        return status


def _write_all(file: str, units: queue.SimpleQueue[Any]) -> None:
    connection = sqlite3.connect(file)
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    while True:
        work, tell = units.get()
        connection.execute("BEGIN IMMEDIATE")
        for sql, rows in work:
            connection.executemany(sql, rows)
        connection.execute("COMMIT")
        tell()


def _insert(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(table.c))})"


_NAMES = {table: tuple(column.name for column in table.c) for table in (page, delivery, attempt)}


def _row(table: Table, values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(map(values.get, _NAMES[table]))


async def _make(file: str) -> None:
    await (await Database.open(file, clock=SystemClock())).close()


if __name__ == "__main__":
    asyncio.run(_make(sys.argv[3]))
    uvicorn.run(
        StoringRelay(sys.argv[2], sys.argv[3]),
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
    )
