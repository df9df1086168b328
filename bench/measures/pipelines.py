"""What an execution costs: how soon its page is accepted, how many a second, and what each further stage takes."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import Iterator

import httpx
from line import Line, at_least, at_most, figure
from programs import Program, cost_of, wait_for
from runs import NotingSink, client_of, document, page, postgresql, start_all, until_ended, wait
from servers import masthead
from sink import Sink, nginx_sink

__all__ = ["graphs", "pipelines"]

_POSTS = 400
_WARM_UP = 100
_RUNS = 1500
_KEYS = 1000
_CHAIN = 20
_CHAINS = 100
_MUCH = {"MASTHEAD_PAGING_BUDGET": "100000"}


def pipelines() -> Iterator[Line]:
    """A pipeline of one page on SQLite; wait 0 → page on both databases; a chain of waits."""
    times = asyncio.run(_accepted())
    yield at_most(60, "POST of a one-stage pipeline to acceptance, p50", times[len(times) // 2], "ms")
    yield at_most(250, "POST of a one-stage pipeline to acceptance, p99", times[len(times) * 99 // 100], "ms")
    yield from _rates("SQLite", None)
    with postgresql() as url:
        yield from _rates("PostgreSQL", url)


def graphs() -> Iterator[Line]:
    """500 stages in a line and 200 in parallel, to their end."""
    with nginx_sink() as sink, masthead(sink.url, settings=_MUCH) as server:
        half, whole, wide = asyncio.run(_graphs(server))
    yield figure("250 stages in a line", half, "s")
    yield figure("500 stages in a line", whole, "s")
    yield at_most(3, "500 stages in a line, of 250", whole / half, "x")
    yield figure("200 stages in parallel", wide, "s")


async def _accepted() -> list[float]:
    """Give the ms from the POST to PagerDuty's acceptance, sorted; one at a time."""
    sink, stack = NotingSink(), contextlib.ExitStack()
    async with sink.listening():
        server = await asyncio.to_thread(stack.enter_context, masthead(sink.url, settings=_MUCH))
        try:
            async with client_of(server.url) as client:
                times = [await _one(client, sink, number) for number in range(_WARM_UP + _POSTS)]
        finally:
            await asyncio.to_thread(stack.close)
    return sorted(times[_WARM_UP:])


async def _one(client: httpx.AsyncClient, sink: NotingSink, number: int) -> float:
    message = f"Deploy {number} failed"
    arrival = sink.expect(message)
    began = time.perf_counter()
    await start_all(client, [document(page(1, key=number, message=message))], at_a_time=1)
    return (await arrival - began) * 1000


def _rates(name: str, database: str | None) -> Iterator[Line]:
    with nginx_sink() as sink, masthead(sink.url, database=database, settings=_MUCH) as server:
        _run(server, sink, _WARM_UP, run="w")
        used, seconds = _run(server, sink, _RUNS, run="r")
        one = _chain(server, sink, 1)
        long = _chain(server, sink, _CHAIN)
    yield at_least(100, f"{name}: executions of wait 0 → page", _RUNS / seconds, "/s")
    yield figure(f"{name}: CPU of wait 0 → page", used / _RUNS * 1000, "ms")
    further = (long - one) / (_CHAINS * (_CHAIN - 1)) * 1000
    yield at_most(4, f"{name}: CPU of each further stage", further, "ms")


def _run(server: Program, sink: Sink, count: int, *, run: str) -> tuple[float, float]:
    """Give the CPU and the time of *count* executions, until all their pages are accepted."""
    documents = [
        document(wait(1), page(2, 1, key=n % _KEYS, message=f"Deploy {run}{n} failed")) for n in range(count)
    ]
    return _measured(server, sink, documents)


def _chain(server: Program, sink: Sink, waits: int) -> float:
    documents = [
        document(
            *(wait(n + 1, *((n,) if n else ())) for n in range(waits)),
            page(waits + 1, waits, key=number, message=f"Chain {waits}-{number} ended"),
        )
        for number in range(_CHAINS)
    ]
    return _measured(server, sink, documents)[0]


def _measured(server: Program, sink: Sink, documents: list[dict[str, object]]) -> tuple[float, float]:
    before, used, began = sink.count(), cost_of(server.pid).total_s, time.perf_counter()

    async def start() -> None:
        async with client_of(server.url) as client:
            await start_all(client, documents)

    asyncio.run(start())
    wait_for(
        lambda: sink.count() >= before + len(documents),
        "all pages were accepted",
        timeout_s=300,
        every_s=0.02,
    )
    seconds = time.perf_counter() - began
    time.sleep(1)  # what is stored after the acceptance is part of the cost
    return cost_of(server.pid).total_s - used, seconds


async def _graphs(server: Program) -> tuple[float, float, float]:
    def line(length: int) -> dict[str, object]:
        return document(*(wait(n + 1, *((n,) if n else ())) for n in range(length)))

    wide = document(*(wait(n + 1) for n in range(200)))
    return (
        statistics.median([await _ended(server, line(250)) for _ in range(3)]),
        statistics.median([await _ended(server, line(500)) for _ in range(3)]),
        statistics.median([await _ended(server, wide) for _ in range(3)]),
    )


async def _ended(server: Program, what: dict[str, object]) -> float:
    began = time.perf_counter()
    async with client_of(server.url) as client:
        (execution_id,) = await start_all(client, [what], at_a_time=1)
        await until_ended(client, execution_id)
    return time.perf_counter() - began
