"""How soon Masthead is there, and what it takes up once it has read the catalog."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from line import Line, at_most

from support.processes import Process, masthead, running, simulator, wait_until

__all__ = ["start"]

_ROUNDS = 5


def start() -> Iterator[Line]:
    """Start to healthy, and memory once the catalog is read."""
    times, sizes = [], []
    with running(simulator()) as pagerduty, tempfile.TemporaryDirectory() as folder:
        for number in range(_ROUNDS):
            began = time.perf_counter()
            with running(masthead(pagerduty.url, f"{folder}/{number}.db")) as server:
                times.append(time.perf_counter() - began)
                wait_until(lambda: server.get("/v1/catalog")["services"])
                sizes.append(_resident_mb(server))
    yield at_most(2.0, "start to healthy", statistics.median(times), "s")
    yield at_most(150, "resident memory after start", statistics.median(sizes), "MB")


def _resident_mb(process: Process) -> float:
    if process.process is None:
        raise RuntimeError("not started")
    pages = int(Path(f"/proc/{process.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
