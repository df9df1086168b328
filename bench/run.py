"""``make bench``: measure what the project promises, on this machine, and write bench/results.json.

Usage: bench/run.py [NAME]. Each measure runs real processes; figures are medians of five unless said otherwise.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import httpx

from support.processes import Process, masthead, running, simulator, wait_until

RESULTS = Path(__file__).parent / "results.json"
ROUNDS = 5


@dataclass
class Line:
    """One measured figure."""

    name: str
    value: float
    unit: str
    limit: float | None
    holds: bool | None


def line(name: str, value: float, unit: str, limit: float | None) -> Line:
    """Give a line; without a limit nothing has to hold."""
    return Line(name, round(value, 3), unit, limit, None if limit is None else value <= limit)


def start() -> Iterator[Line]:
    """Start to healthy, and memory once the catalog is read."""
    times, sizes = [], []
    with running(simulator()) as pagerduty, tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            began = time.perf_counter()
            with running(masthead(pagerduty.url, f"{folder}/{number}.db")) as server:
                times.append(time.perf_counter() - began)
                wait_until(lambda: server.get("/v1/catalog")["services"])
                sizes.append(resident_mb(server))
    yield line("start to healthy", statistics.median(times), "s", 2.0)
    yield line("resident memory after start", statistics.median(sizes), "MB", 150)


def fan_out() -> Iterator[Line]:
    """A page to 100 keys, each answered after 100 ms: from the request to all deliveries decided."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data.json")
        data.write_text(json.dumps({"generate": {"services": 120}}))
        with running(simulator(data=data)) as many, running(masthead(many.url, f"{folder}/m.db")) as server:
            wait_until(lambda: server.get("/v1/catalog")["services"] >= 100)
            keys = [s["integration_key"] for s in server.get("/pagerDuty/services") if s["integration_key"]][
                :100
            ]
            if len(keys) < 100:
                raise RuntimeError(f"the simulator offers only {len(keys)} keys")
            many.post("/simulator/settings", {"latency_ms": 100})
            times += [timed(lambda: notify(server, keys)) for _ in range(ROUNDS + 1)]
    yield line("page to 100 keys at 100 ms", statistics.median(times[1:]) * 1000, "ms", 300)


def one_page() -> Iterator[Line]:
    """One page through Echo's door with one key, PagerDuty answering at once."""
    with running(simulator()) as pagerduty, tempfile.TemporaryDirectory() as folder:  # noqa: SIM117 - the file stands between
        with running(masthead(pagerduty.url, f"{folder}/m.db")) as server:
            wait_until(lambda: server.get("/v1/catalog")["services"])
            key = next(
                s["integration_key"] for s in server.get("/pagerDuty/services") if s["status"] == "active"
            )
            times = [timed(lambda: notify(server, [key])) for _ in range(60)]
    yield line("one page through Echo's door, p50", statistics.median(times[10:]) * 1000, "ms", None)


#: One client for all: making one costs more than the page.
HTTP = httpx.Client(timeout=30)


def notify(server: Process, keys: list[str]) -> None:
    """Ask Echo's door for a page with a text of its own."""
    body = {
        "notificationType": "PAGER_DUTY",
        "to": keys,
        "source": {"user": "bench"},
        "additionalContext": {"message": f"bench {time.perf_counter_ns()}", "details": {}},
    }
    answer = HTTP.post(server.url + "/echo/notifications", json=body)
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text}")


def timed(work: Callable[[], None]) -> float:
    """Give the seconds that *work* takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def resident_mb(process: Process) -> float:
    """Give the resident memory of a process."""
    if process.process is None:
        raise RuntimeError("not started")
    pages = int(Path(f"/proc/{process.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


MEASURES = {"start": start, "fan-out": fan_out, "one-page": one_page}


def main() -> None:
    """Run the named measure, or all."""
    chosen = sys.argv[1:] or list(MEASURES)
    if unknown := [name for name in chosen if name not in MEASURES]:
        sys.exit(f"There is no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}.")
    lines = []
    for name in chosen:
        for one in MEASURES[name]():
            lines.append(one)
            verdict = {True: "holds", False: "MISSED", None: ""}[one.holds]
            limit = f"limit {one.limit:g} {one.unit}" if one.limit is not None else ""
            print(f"{one.name:40} {one.value:10.3f} {one.unit:4} {limit:16} {verdict}", flush=True)
    RESULTS.write_text(json.dumps([asdict(one) for one in lines], indent=2) + "\n")
    sys.exit(any(one.holds is False for one in lines))


if __name__ == "__main__":
    main()
