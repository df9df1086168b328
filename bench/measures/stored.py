"""Lists and lookups over a hundred thousand executions that have ended."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator

import httpx
import msgspec
from line import Line, at_most, figure
from programs import Program
from runs import client_of, document, page, start_all, until_ended, wait
from servers import masthead
from sink import nginx_sink
from ulid import ULID

__all__ = ["stored"]

_COUNT = 100_000
_APPLICATIONS = 50
_PIPELINES = 20
_ASKED = 200
_COLUMNS = "id, type, application, name, pipeline_config_id, correlation_id, status, build_at, start_at, end_at, version, document"


def stored() -> Iterator[Line]:
    """100,000 executions of 1,000 pipelines in 50 applications, on SQLite."""
    with nginx_sink() as sink, tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/masthead.db"
        with masthead(sink.url, database=database) as server:
            asyncio.run(_one(server))
        _multiply(database)
        with masthead(sink.url, database=database) as server:
            for name, times in asyncio.run(_asked(server, database)).items():
                times.sort()
                yield figure(f"100,000 executions: {name}, p50", times[len(times) // 2], "ms")
                yield at_most(50, f"100,000 executions: {name}, p95", times[len(times) * 95 // 100], "ms")


async def _one(server: Program) -> None:
    async with client_of(server.url) as client:
        (execution_id,) = await start_all(client, [document(wait(1), page(2, 1), config_id="first")])
        await until_ended(client, execution_id)


def _multiply(database: str) -> None:
    """Write the execution that ran again, with other ids, names and instants."""
    with sqlite3.connect(database) as connection:
        row = list(connection.execute(f"SELECT {_COLUMNS} FROM execution").fetchone())
        marks = ", ".join("?" * len(row))
        statement = f"INSERT INTO execution ({_COLUMNS}) VALUES ({marks})"
        connection.executemany(statement, _copies(row))


def _copies(row: list[object]) -> Iterator[list[object]]:
    now = int(time.time() * 1000)
    one = msgspec.json.decode(str(row[-1]))
    for number in range(_COUNT):
        at = now - (_COUNT - number) * 60_000
        application = f"app{number % _APPLICATIONS}"
        name = f"pipeline {number // _APPLICATIONS % _PIPELINES}"
        execution_id = str(ULID.from_timestamp(at / 1000))
        times = {"buildTime": at, "startTime": at, "endTime": at + 5000}
        copy = one | {"id": execution_id, "application": application, "name": name, **times}
        copy["pipelineConfigId"] = f"{application} {name}"
        text = msgspec.json.encode(copy).decode()
        yield [
            execution_id, "PIPELINE", application, name, copy["pipelineConfigId"], None, "SUCCEEDED",
            at, at, at + 5000, 1, text,
        ]  # fmt: skip


async def _asked(server: Program, database: str) -> dict[str, list[float]]:
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT id FROM execution ORDER BY id")
        ids = [row[0] for row in found][:: _COUNT // _ASKED][:_ASKED]
    results: dict[str, list[float]] = {}
    async with client_of(server.url) as client:
        for number, execution_id in enumerate(ids):
            application = f"app{number % _APPLICATIONS}"
            config = f"{application} pipeline {number % _PIPELINES}"
            for name, path in {
                "one by its id": f"/pipelines/{execution_id}",
                "an application's pipelines, as Deck lists them": f"/applications/{application}/pipelines?limit=2&expand=false",
                "an application's pipelines, whole": f"/applications/{application}/pipelines?limit=2",
                "the last five of a pipeline": f"/executions?pipelineConfigIds={config}&limit=5",
            }.items():
                times = results.setdefault(name, [])
                times.append(await _ms(client, path))
    return results


async def _ms(client: httpx.AsyncClient, path: str) -> float:
    began = time.perf_counter()
    answer = await client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[:200]}")
    return (time.perf_counter() - began) * 1000
