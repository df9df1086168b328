"""Ten thousand executions that wait for somebody: what they take, and how soon they go on after a restart."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator

import httpx
from line import Line, at_most, figure
from programs import Program, cost_of
from runs import client_of, document, page, resident_mb, start_all
from servers import masthead
from sink import nginx_sink

__all__ = ["waiting"]

_COUNT = 10_000
_WARM_UP = 500
_IDLE_S = 60
_JUDGED = 500
_JUDGMENT = {"type": "manualJudgment", "name": "go", "refId": "1", "requisiteStageRefIds": []}


def waiting() -> Iterator[Line]:
    """10,000 executions in manualJudgment, half of them with another waiting stage; then a restart."""
    with nginx_sink() as sink, tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/masthead.db"
        with masthead(sink.url, database=database) as server:
            before, after, share, ids = asyncio.run(_wait(server))
            server.process.kill()
        yield figure("10,000 waiting executions: memory before", before, "MB")
        yield at_most(20, "waiting executions: memory per thousand", (after - before) / _COUNT * 1000, "MB")
        yield at_most(3, "10,000 waiting executions: idle CPU", share * 100, "%")
        began = time.perf_counter()
        with masthead(sink.url, database=database) as server:
            up = time.perf_counter() - began
            asyncio.run(_judge(server, ids))
            seconds = time.perf_counter() - began
    yield figure("10,000 waiting executions: kill -9 to healthy", up, "s")
    yield at_most(30, f"kill -9 until {_JUDGED} of them were judged and ended", seconds, "s")


async def _wait(server: Program) -> tuple[float, float, float, list[str]]:
    async with client_of(server.url) as client:
        await start_all(client, [document(page(1, key=n)) for n in range(_WARM_UP)])
        before = resident_mb(server.pid)
        ids = await start_all(client, (_waiting(n) for n in range(_COUNT)))
        await _settled(client, ids[-1])
        after = resident_mb(server.pid)
        used, began = cost_of(server.pid).total_s, time.perf_counter()
        await asyncio.sleep(_IDLE_S)
        share = (cost_of(server.pid).total_s - used) / (time.perf_counter() - began)
    return before, after, share, ids


def _waiting(number: int) -> dict[str, object]:
    timer = {"type": "wait", "name": "later", "refId": "2", "requisiteStageRefIds": [], "waitTime": 86_400}
    return document(_JUDGMENT, timer) if number % 2 else document(_JUDGMENT)


async def _settled(client: httpx.AsyncClient, execution_id: str) -> None:
    while (await _get(client, execution_id))["status"] != "RUNNING":  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.05)
    await asyncio.sleep(5)


async def _judge(server: Program, ids: list[str]) -> None:
    """Answer some of those with one stage, spread over all of them, and see them end."""
    async with client_of(server.url) as client:
        asked = ids[:: len(ids) // _JUDGED]
        await asyncio.gather(*(_judge_one(client, one) for one in asked))


async def _judge_one(client: httpx.AsyncClient, execution_id: str) -> None:
    stages = (await _get(client, execution_id))["stages"]
    stage = next(one for one in stages if one["type"] == "manualJudgment")
    path = f"/pipelines/{execution_id}/stages/{stage['id']}"
    (await client.patch(path, json={"judgmentStatus": "continue"})).raise_for_status()
    while True:
        stages = (await _get(client, execution_id))["stages"]
        if next(one for one in stages if one["type"] == "manualJudgment")["status"] == "SUCCEEDED":
            return
        await asyncio.sleep(0.1)


async def _get(client: httpx.AsyncClient, execution_id: str) -> dict[str, object]:
    answer = await client.get(f"/pipelines/{execution_id}")
    answer.raise_for_status()
    return dict(answer.json())
