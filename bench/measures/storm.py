"""Ten thousand pages while PagerDuty is down, and what becomes of them when it is up again."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing

from line import Line, at_least, at_most, figure
from load import put_load
from programs import cost_of, free_port, peak_mb, wait_for
from servers import masthead
from sink import nginx_sink

from measures.cost import fast_path

__all__ = ["storm"]

_PAGES = 10_000
_KEYS = 100
#: The door does not wait for a PagerDuty that is down; a key's budget of 120 a minute would take hours.
_SETTINGS = {"MASTHEAD_ECHO_WAIT_SECONDS": "0", "MASTHEAD_PAGING_BUDGET": "100000"}


def storm() -> Iterator[Line]:
    """Ask while nobody listens where PagerDuty should be; let it come back; wait until all are delivered."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/masthead.db"
        with masthead(f"http://127.0.0.1:{port}", database=database, settings=_SETTINGS) as server:
            before = cost_of(server.pid)
            asked = put_load(
                f"{server.url}/echo/notifications", count=_PAGES, connections=16, keys=_KEYS, run="storm"
            )
            if set(asked.statuses) != {"202"}:
                raise RuntimeError(f"not all were taken: {asked.statuses}")
            with nginx_sink(port) as sink:
                wait_for(lambda: _waiting(database) == 0, "all are delivered", timeout_s=300, every_s=0.5)
                reached = sink.count()
            cpu = (cost_of(server.pid).total_s - before.total_s) / _PAGES * 1e6
            memory = peak_mb(server.pid)
        delivered = _in_state(database, "accepted")
    with nginx_sink() as sink:
        fast = fast_path(sink)
    yield figure("storm: pages taken", _PAGES / asked.seconds, "/s")
    yield at_least(_PAGES, "storm: delivered", delivered, "pages")
    yield at_most(_PAGES, "storm: events that PagerDuty saw", reached, "events")
    yield at_most(250, "storm: most resident memory", memory, "MB")
    yield figure("storm: CPU per page", cpu, "µs")
    yield at_most(2, "storm: CPU per page, of the fast path's", cpu / fast.cpu_us, "x")


def _waiting(database: str) -> int:
    return _in_state(database, "pending")


def _in_state(database: str, state: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(
            connection.execute("SELECT count(*) FROM delivery WHERE state = ?", (state,)).fetchone()[0]
        )
