"""A load generator of our own, where wrk cannot help: a fixed number of pages, or a fixed rate whatever the answers.

``python bench/load.py URL --count N --connections C --keys K`` asks for N pages, C at a time;
``python bench/load.py URL --rate R --seconds S --keys K`` asks for R pages a second, not waiting for answers.
Prints JSON: ``{"statuses": {"200": …}, "seconds": …, "ms": [a latency for each page]}``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httptools
import uvloop

__all__ = ["Loaded", "put_load"]


@dataclass(frozen=True)
class Loaded:
    """What came of a load."""

    statuses: dict[str, int]
    seconds: float
    #: Sorted.
    ms: list[float]

    def at(self, percent: float) -> float:
        """Give the latency in ms that *percent* of the pages did not exceed."""
        return self.ms[min(len(self.ms) - 1, int(len(self.ms) * percent / 100))]


def put_load(url: str, **options: float | str) -> Loaded:
    """Run the generator in a process of its own."""
    arguments = [text for name, value in options.items() for text in (f"--{name}", f"{value}")]
    done = subprocess.run(
        [sys.executable, __file__, url, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    result = json.loads(done.stdout)
    return Loaded(result["statuses"], result["seconds"], sorted(result["ms"]))


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        self.is_lost = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(0)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())
        self._parser = httptools.HttpResponseParser(self)

    async def ask(self, request: bytes) -> int:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)  # type: ignore[attr-defined]
        return await self._answer


class _Load:
    """One run."""

    def __init__(self, url: str, options: argparse.Namespace) -> None:
        self._parts = urlsplit(url)
        self._options = options
        self._number = 0
        self._idle: list[_Connection] = []
        self._statuses: Counter[str] = Counter()
        self._ms: list[float] = []

    async def run(self) -> dict[str, Any]:
        self._idle = [await self._connect() for _ in range(self._options.connections)]
        began = time.perf_counter()
        await (self._at_a_rate() if self._options.rate else self._count())
        seconds = time.perf_counter() - began
        return {"statuses": self._statuses, "seconds": seconds, "ms": self._ms}

    async def _count(self) -> None:
        async def worker(connection: _Connection) -> None:
            while self._number < self._options.count:
                await self._page(connection)

        await asyncio.gather(*(worker(connection) for connection in self._idle))

    async def _at_a_rate(self) -> None:
        loop, pages = asyncio.get_running_loop(), []
        began = loop.time()
        for number in range(int(self._options.rate * self._options.seconds)):
            await asyncio.sleep(max(0.0, began + number / self._options.rate - loop.time()))
            pages.append(asyncio.ensure_future(self._on_any()))
        await asyncio.gather(*pages)

    async def _on_any(self) -> None:
        self._idle = [one for one in self._idle if not one.is_lost]
        connection = self._idle.pop() if self._idle else await self._connect()
        await self._page(connection)
        self._idle.append(connection)

    async def _page(self, connection: _Connection) -> None:
        request = self._request()
        began = time.perf_counter()
        status = await connection.ask(request)
        self._ms.append((time.perf_counter() - began) * 1000)
        self._statuses[str(status)] += 1

    async def _connect(self) -> _Connection:
        _, protocol = await asyncio.get_running_loop().create_connection(
            _Connection, self._parts.hostname, self._parts.port
        )
        return protocol

    def _request(self) -> bytes:
        self._number += 1
        key = f"beef{self._number % self._options.keys:028d}"
        body = json.dumps(
            {
                "notificationType": "PAGER_DUTY",
                "to": [key],
                "source": {"application": "orders", "user": "bench"},
                "additionalContext": {
                    "message": f"Deploy of orders to prod failed, run {self._options.run}-{self._number}",
                    "details": {"region": "eu-central-1", "run": self._number},
                },
            }
        ).encode()
        head = (
            f"POST {self._parts.path or '/'} HTTP/1.1\r\nHost: {self._parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--keys", type=int, default=1)
    parser.add_argument("--run", default="0")
    return parser.parse_args()


if __name__ == "__main__":
    given = _options()
    print(json.dumps(uvloop.run(_Load(given.url, given).run())))
