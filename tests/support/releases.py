"""What a release leaves in the database when it is replaced, frozen for the releases after it.

A file is written once, with the release that it is named after (``PYTHONPATH=tests python -m support.releases 0.1.0``), and
never again: what a later release writes proves nothing about an upgrade. A release that changes what is stored adds a file.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from masthead.kernel.clock import to_ms
from masthead.storage.database import Database
from masthead.storage.schema import burst, execution, machine
from support.corpus import ANN, Corpus, open_corpus

FOLDER = Path(__file__).resolve().parents[1] / "compat" / "releases"
_TABLES = {table.name: table for table in (execution, burst, machine)}
_JOBS = "https://ci.example.com/jobs"
_JUDGE = {"type": "manualJudgment", "refId": "1", "name": "go on?"}
_AFTER = {"type": "noop", "refId": "2", "requisiteStageRefIds": ["1"]}
#: Name → the pipeline that is under way when the release is replaced.
PIPELINES: Mapping[str, dict[str, Any]] = {
    "judgment": {"stages": [_JUDGE, {**_AFTER, "type": "wait", "waitTime": "${5 + 5}"}]},
    "wait": {"stages": [{"type": "wait", "refId": "1", "waitTime": 60}, _AFTER]},
    "paused": {"stages": [{"type": "wait", "refId": "1", "waitTime": 60}, _AFTER]},
    "first": {"id": "one", "limitConcurrent": True, "keepWaitingPipelines": True, "stages": [_JUDGE]},
    "queued": {"id": "one", "limitConcurrent": True, "keepWaitingPipelines": True, "stages": [_JUDGE]},
    "parent": {"stages": [{"type": "pipeline", "refId": "1", "pipeline": "child"}, _AFTER]},
    "window": {
        "stages": [
            {
                "type": "noop",
                "refId": "1",
                "restrictExecutionDuringTimeWindow": True,
                "restrictedExecutionWindow": {"whitelist": [{"startHour": 20, "endHour": 21}]},
            }
        ]
    },
    "asking": {
        "stages": [
            {
                "type": "webhook",
                "refId": "1",
                "url": _JOBS,
                "waitForCompletion": True,
                "statusUrlResolution": "locationHeader",
                "statusJsonPath": "$.status",
                "successStatuses": "DONE",
            },
            _AFTER,
        ]
    },
    "calling": {"stages": [{"type": "webhook", "refId": "1", "url": f"{_JOBS}/later"}, _AFTER]},
}
CHILD = {"id": "child", "application": "demo", "name": "child", "stages": [{"type": "wait", "waitTime": 30}]}
ANSWERS = {
    _JOBS: [{"status": 201, "headers": {"Location": "/jobs/1"}}],
    f"{_JOBS}/1": [{"body": {"status": "RUNNING"}}],
    f"{_JOBS}/later": [{"status": 503}],
}


#: What the same URLs answer after the upgrade.
COME = {f"{_JOBS}/1": [{"body": {"status": "DONE"}}], f"{_JOBS}/later": [{"status": 200}]}


async def freeze(corpus: Corpus) -> str:
    """Start everything, let it come to rest, and give the tables as a machine that was killed leaves them, as JSON."""
    corpus.prepare({"pipelines": [CHILD], "answers": ANSWERS})
    ids = {}
    for name, config in PIPELINES.items():
        given = {"application": "demo", "name": name, **config}
        ids[name] = await corpus.executions.start_pipeline(given, ANN)
        await corpus.idle()
    await corpus.executions.pause(ids["paused"], ANN)
    await corpus.idle()
    await corpus.database.write(lambda connection: _seize(connection, [ids["calling"], ids["wait"]]))
    tables = await corpus.database.read(
        lambda c: {
            name: [dict(row._mapping) for row in c.execute(select(table))] for name, table in _TABLES.items()
        }
    )
    document = {"ids": ids, "now": to_ms(corpus.clock.now()), "tables": tables}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


async def thaw(database: Database, document: Mapping[str, Any]) -> None:
    """Put what :func:`freeze` gave into *database*."""

    def work(connection: Connection) -> None:
        for name, rows in document["tables"].items():
            connection.execute(insert(_TABLES[name]), rows)

    await database.write(work)


def _seize(connection: Connection, subjects: list[str]) -> None:
    """Have the machine that is killed hold some of them, as in the middle of a run."""
    dead = connection.execute(select(machine.c.id)).scalar_one()
    connection.execute(update(burst).where(burst.c.subject.in_(subjects)).values(machine=dead))


async def _write(version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_corpus(Path(folder)) as corpus:
            left = await freeze(corpus)
    with (FOLDER / f"{version}.json").open("x") as file:
        file.write(left)


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1]))
