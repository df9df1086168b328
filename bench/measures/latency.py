"""How long somebody waits: a page to many keys, and many pages to one key."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import httpx
from line import Line, at_most, figure
from load import put_load
from servers import masthead
from sink import nginx_sink, slow_sink

__all__ = ["fan_out", "one_key"]

_KEYS = 100
_DELAY_MS = 100
_PAGES = 25
_RATE = 200
_SECONDS = 15
#: A key's budget is 120 a minute; where one is sent 200 a second on purpose, it is raised.
_MUCH = "100000"


def fan_out() -> Iterator[Line]:
    """A page to 100 keys, each answered after 100 ms, beside one round trip."""
    with slow_sink(_DELAY_MS) as sink, masthead(sink.url) as server, httpx.Client(timeout=30) as client:
        direct = [_ms(client, f"{sink.url}/v2/enqueue", {}) for _ in range(_PAGES)]
        keys = [f"beef{number:028d}" for number in range(_KEYS)]
        door = f"{server.url}/echo/notifications"
        through = [_ms(client, door, _notification(keys, number)) for number in range(_PAGES + 3)][3:]
    trip = statistics.median(direct)
    yield figure("one round trip to PagerDuty", trip, "ms")
    yield figure("a page to 100 keys, p50", statistics.median(through), "ms")
    yield at_most(1.5, "a page to 100 keys, p50, of one round trip", statistics.median(through) / trip, "x")


def one_key() -> Iterator[Line]:
    """200 pages a second to one key: what Masthead adds to PagerDuty's own round trip."""
    with nginx_sink() as sink, masthead(sink.url, settings={"MASTHEAD_PAGING_BUDGET": _MUCH}) as server:
        direct = put_load(f"{sink.url}/v2/enqueue", rate=_RATE, seconds=3)
        put_load(f"{server.url}/echo/notifications", rate=_RATE, seconds=2, run="warm-up")
        through = put_load(f"{server.url}/echo/notifications", rate=_RATE, seconds=_SECONDS)
    if set(through.statuses) != {"200"}:
        raise RuntimeError(f"not all were accepted: {through.statuses}")
    trip = direct.at(50)
    yield figure("one round trip to the sink, p50", trip, "ms")
    yield at_most(5, "one key, 200 pages a second: added latency, p50", through.at(50) - trip, "ms")
    yield at_most(25, "one key, 200 pages a second: added latency, p99", through.at(99) - trip, "ms")


def _ms(client: httpx.Client, url: str, body: object) -> float:
    began = time.perf_counter()
    client.post(url, json=body).raise_for_status()
    return (time.perf_counter() - began) * 1000


def _notification(keys: list[str], number: int) -> object:
    return {
        "notificationType": "PAGER_DUTY",
        "to": keys,
        "source": {"application": "orders", "user": "bench"},
        "additionalContext": {"message": f"Deploy of orders to prod failed, run {number}"},
    }
