"""Runs a pipeline of the corpus: the real engine on SQLite, scripted neighbours, a clock that jumps to what is due."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from masthead.config.settings import ExecutionsSettings
from masthead.executions import STAGE_TYPES, Executions
from masthead.executions.fakes import FakeApplications, FakePaging, FakePipelines, fake_services
from masthead.executions.ports import Services
from masthead.executions.webhooks import Webhooks
from masthead.kernel.caller import Caller
from masthead.kernel.clock import ManualClock, to_ms
from masthead.kernel.errors import Reason
from masthead.kernel.ids import SequentialIds, UlidIds
from masthead.outbound import RequestFailed, UnknownHost, UrlRefused
from masthead.outbound.fakes import FakeOutbound, reply
from masthead.paging import DeliveryState
from masthead.server.webhooks import url_reader
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines
from masthead.storage.schema import burst

FOLDER = Path(__file__).resolve().parents[1] / "compat" / "corpus"
ANN = Caller(user="ann@example.com", origin="deck", address="10.0.0.1")
_ENDED = ("SUCCEEDED", "TERMINAL", "CANCELED", "STOPPED")
#: More than any pipeline of the corpus needs; one that goes on for ever is noticed.
_MOST_ROUNDS = 400
_FAILURES = {
    "unknown host": lambda: UnknownHost("Name or service not known"),
    "timeout": lambda: RequestFailed("Read timed out", is_timeout=True),
    "refused connection": lambda: RequestFailed("Connection refused", may_have_arrived=False),
    "refused": lambda: UrlRefused(
        "Host not allowed: orca (user-configured-url-restrictions.allowedHostnamesRegex)"
    ),
}
_INSTANTS = frozenset(
    {"buildTime", "startTime", "endTime", "timestamp", "pauseTime", "resumeTime", "lastModifiedTime", "restartTime",
     "scheduledTime", "judgmentTime", "epochMillis"}
)  # fmt: skip


#: An instant inside a text, as correlation ids have it, and what grows with every stage type.
_MILLISECONDS = re.compile(r"(?<=_)\d{13}\b")
_KNOWN_TYPES = re.compile(r"\(knownTypes: [^)]*\)")


@dataclass
class Outcome:
    """What a pipeline came to, with ids and instants that are the same in every run."""

    execution: dict[str, Any]
    pages: list[dict[str, Any]]
    requests: list[str]
    others: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        found = {"execution": self.execution, "pages": self.pages, "requests": self.requests}
        return found | ({"others": self.others} if self.others else {})


class Corpus:
    """One engine for all pipelines, so that a database is made once."""

    def __init__(
        self, clock: ManualClock, database: Database, bursts: Bursts, outbound: FakeOutbound
    ) -> None:
        self.clock = clock
        self.database = database
        self.bursts = bursts
        self._outbound = outbound
        self.applications = FakeApplications()
        self.pipelines = FakePipelines()
        self.paging = FakePaging(clock)
        services: Services = fake_services(
            clock,
            applications=self.applications,
            pipelines=self.pipelines,
            paging=self.paging,
            webhooks=Webhooks(outbound),
        )
        zone = ZoneInfo(ExecutionsSettings().window_time_zone)
        services = replace(services, read_url=url_reader(outbound), window_zone=zone)
        self.executions = Executions(
            database, bursts, clock, SequentialIds(), services=services, types=STAGE_TYPES
        )

    async def run(self, case: dict[str, Any]) -> Outcome:
        """Run the pipeline of *case* until nothing of it is left to do."""
        self.prepare(case)
        await self._wait_until(case.get("startsAt"))
        began = to_ms(self.clock.now())
        config = {**case["pipeline"], **({"trigger": case["trigger"]} if "trigger" in case else {})}
        execution_id = await self.executions.start_pipeline(config, ANN)
        acts = sorted(case.get("acts", []), key=lambda act: act["at"])
        for _ in range(_MOST_ROUNDS):
            await self.idle()
            run = await self.executions.get_pipeline(execution_id)
            now = (to_ms(self.clock.now()) - began) / 1000
            if acts and acts[0]["at"] <= now:
                await self._act(acts.pop(0), run)
                continue
            if run["status"] in _ENDED and not acts:
                break
            due = await self._next_due(began)
            upcoming = [each for each in (due, acts[0]["at"] if acts else None) if each is not None]
            if not upcoming:
                break
            await self.clock.advance(max(min(upcoming) - now, 0.001))
            await self.bursts.sweep()
        else:
            raise AssertionError("it does not end")
        return await self._outcome(execution_id, began)

    async def close(self) -> None:
        await self.executions.close()

    async def _wait_until(self, time_of_day: str | None) -> None:
        """Let time pass until it is so late, in UTC; other cases begin when the one before has ended."""
        if time_of_day is not None:
            hours, minutes = map(int, time_of_day.split(":"))
            now = self.clock.now()
            start = now.replace(hour=hours, minute=minutes, second=0, microsecond=0)
            await self.clock.advance((start - now).total_seconds() % 86_400)

    def prepare(self, case: dict[str, Any]) -> None:
        """Let the neighbours be as *case* says."""
        self._outbound.requests.clear()
        self._outbound._script.clear()
        self.applications.stored = {each["name"].lower(): each for each in case.get("applications", [])}
        self.pipelines.stored = {each["id"]: each for each in case.get("pipelines", [])}
        for kept in (self.paging.drafts, self.paging.pages, self.paging._by_identity):
            kept.clear()
        self.paging.fates = {
            key: (DeliveryState.REJECTED, Reason.REJECTED, text)
            for key, text in case.get("refusals", {}).items()
        }
        for url, answers in case.get("answers", {}).items():
            for each in answers:
                self._outbound.script(url, _answer(each))

    async def _act(self, act: dict[str, Any], run: dict[str, Any]) -> None:
        if "of" in act:  # in the child that this stage started
            parent = next(each for each in run["stages"] if each["refId"] == act["of"])
            run = await self.executions.get_pipeline(parent["context"]["executionId"])
        by_ref = {each["refId"]: each["id"] for each in run["stages"]}
        if "change" in act:
            caller = Caller(user=act["user"]) if "user" in act else ANN
            await self.executions.change_stage(run["id"], by_ref[act["stage"]], act["change"], caller)
        elif "restart" in act:
            await self.executions.restart_stage(run["id"], by_ref[act["restart"]], ANN)
        elif "cancel" in act:
            await self.executions.cancel(run["id"], ANN, act["cancel"])
        elif "pause" in act:
            await self.executions.pause(run["id"], ANN)
        else:
            assert "resume" in act
            await self.executions.resume(run["id"], ANN)

    async def idle(self) -> None:
        """Wait until nothing runs."""
        while tasks := set(self.bursts._tasks._tasks) | set(self.executions._tasks._tasks):
            await asyncio.wait(tasks)

    async def _next_due(self, began: int) -> float | None:
        query = select(func.min(burst.c.due_at))
        due = await self.database.read(lambda connection: connection.execute(query).scalar())
        return None if due is None else (due - began) / 1000

    async def _outcome(self, execution_id: str, began: int) -> Outcome:
        run = await self.executions.get_pipeline(execution_id)
        names = _names(run, "EXECUTION", "")
        others = await self._children(run)
        for number, each in enumerate(others, start=1):
            names |= _names(each, f"CHILD {number}", f"CHILD {number} ")
        return Outcome(
            execution=_normal(run, names, began),
            pages=[
                {
                    "keys": [key.reveal() for key in draft.keys],
                    "message": draft.message,
                    "details": draft.details,
                    "severity": str(draft.severity),
                }
                for draft in self.paging.drafts
            ],
            requests=[
                f"{sent.method} {sent.url}" + (f" {sent.body.decode()}" if sent.body else "")
                for sent in self._outbound.requests
            ],
            others=[_normal(each, names, began) for each in others],
        )

    async def _children(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        """Give the executions that *run* started, and those that they started."""
        found: list[dict[str, Any]] = []
        for stage in run["stages"]:
            child_id = stage["context"].get("executionId")
            if stage["type"] == "pipeline" and child_id is not None:
                child = await self.executions.get_pipeline(child_id)
                found += [child, *await self._children(child)]
        return found


@asynccontextmanager
async def open_corpus(
    path: Path,
    *,
    clock: ManualClock | None = None,
    found: Callable[[Database], Awaitable[object]] | None = None,
) -> AsyncIterator[Corpus]:
    """Give an engine on a fresh database.

    Args:
        path: Folder of the database.
        clock: Stands still unless the engine is told otherwise.
        found: Puts something into the database before the engine starts.
    """
    clock = clock or ManualClock()
    database = await Database.open(f"sqlite:///{path}/corpus.db", clock=clock)
    if found is not None:
        await found(database)
    machines = Machines(database, clock, UlidIds(clock), version="test")
    bursts = Bursts(database, clock, machines)
    corpus = Corpus(clock, database, bursts, FakeOutbound())
    await machines.start()
    yield corpus
    await bursts.close()
    await corpus.close()
    await machines.stop()
    await database.close()


def cases() -> list[Path]:
    """Give the files of the corpus."""
    return sorted(path for path in FOLDER.glob("*.json") if not path.name.endswith(".expected.json"))


def value_at(document: Any, path: str) -> Any:
    """Follow ``stages.deploy.context.x``: keys, numbers, and stages by their refId."""
    here = document
    for step in path.split("."):
        if isinstance(here, list) and all(isinstance(each, dict) and "refId" in each for each in here):
            here = next(each for each in here if each["refId"] == step)
        elif isinstance(here, list):
            here = here[int(step)]
        else:
            here = here[step]
    return here


def _answer(given: dict[str, Any]) -> Any:
    if "fails" in given:
        return _FAILURES[given["fails"]]()
    body = given["text"].encode() if "text" in given else given.get("body", b"")
    return reply(given.get("status", 200), body, **given.get("headers", {}))


def _names(run: dict[str, Any], name: str, prefix: str) -> dict[str, str]:
    found = {run["id"]: name}
    return found | {each["id"]: f"{prefix}STAGE {each['refId']}" for each in run["stages"]}


def _normal(value: Any, names: dict[str, str], began: int) -> Any:
    """Give *value* with names for ids and seconds since the start for instants."""
    if isinstance(value, dict):
        return {
            _named(key, names): _seconds(each, began)
            if key in _INSTANTS and isinstance(each, int)
            else _normal(each, names, began)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_normal(each, names, began) for each in value]
    return _named(value, names) if isinstance(value, str) else value


def _named(text: str, names: dict[str, str]) -> str:
    text = _MILLISECONDS.sub("INSTANT", _KNOWN_TYPES.sub("(knownTypes: …)", text))
    for found, name in names.items():
        if found in text:
            text = text.replace(found, name)
    return text


def _seconds(instant: int, began: int) -> str:
    return f"+{(instant - began) / 1000:g} s"


def write(path: Path, document: dict[str, Any]) -> None:
    """Write what came of a pipeline, for somebody to read before it counts."""
    path.write_text(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
