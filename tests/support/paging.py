"""One Masthead process as far as paging is concerned, for tests that need several of them on one database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import Select

from masthead.catalog import Catalog
from masthead.kernel.caller import Caller
from masthead.kernel.clock import SystemClock
from masthead.kernel.errors import Reason
from masthead.kernel.ids import UlidIds
from masthead.kernel.secret import Secret
from masthead.pagerduty import Answer, Outcome, Severity
from masthead.pagerduty.fakes import ScriptedReader, ScriptedSender
from masthead.paging import Delivery, Door, Draft, Page, Paging
from masthead.paging.hashing import KeyHasher
from masthead.paging.model import Incident
from masthead.paging.pager import Infrastructure
from masthead.paging.retry import RetryPolicy
from masthead.storage.bursts import Bursts
from masthead.storage.database import Database
from masthead.storage.machines import Machines, Rhythm

__all__ = ["ANN", "KEYS", "LOST", "QUICK", "Node", "ScriptedMemory", "draft"]

ANN = Caller(user="ann@example.com", address="10.0.0.7")
KEYS = tuple(Secret(letter * 32) for letter in "abc")
QUICK = RetryPolicy(timedelta(milliseconds=5), timedelta(milliseconds=10), timedelta(hours=1))
#: The connection broke after the request had gone out.
LOST = Answer(Outcome.RETRY, None, Reason.NETWORK, None, "reset", 1, may_have_arrived=True)
_RHYTHM = Rhythm(timedelta(milliseconds=50), timedelta(milliseconds=300), timedelta(milliseconds=400))


def draft(*keys: Secret, **changes: Any) -> Draft:
    """Give a page to the first key, or to *keys*, with *changes*."""
    values = {"message": "db down", "door": Door.V1, "application": "demo", "severity": Severity.CRITICAL}
    return Draft(keys=keys or KEYS[:1], **values | changes)


class ScriptedMemory:
    """Knows the incidents that it is told of; the look-back of paging."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Incident | None = None

    async def has_arrived(self, delivery: Delivery) -> Incident | None:
        self.asked.append(delivery.dedup_key)
        return self.answer


class Node:
    """A machine: it beats from the start, and works off what waits once it is told to."""

    def __init__(
        self,
        database: Database,
        sender: ScriptedSender,
        *,
        reader: ScriptedReader | None = None,
        **paging: Any,
    ) -> None:
        """Args: reader: what the catalog reads; paging: arguments of Paging in place of the defaults."""
        self.database = database
        self.machines = Machines(database, SystemClock(), UlidIds(), version="test", rhythm=_RHYTHM)
        self.bursts = Bursts(database, SystemClock(), self.machines, sweep_every_s=0.02)
        self.loops: list[asyncio.Future[Any]] = []
        self.catalog = Catalog(reader, database, SystemClock())
        self._sender, self._paging = sender, {"retry": QUICK} | paging

    async def start(self) -> Node:
        on = Infrastructure(self.database, self.bursts, self.machines, SystemClock(), UlidIds())
        hasher = await KeyHasher.of(self.database)
        self.paging = Paging(on, sender=self._sender, catalog=self.catalog, hasher=hasher, **self._paging)
        await self.machines.start()
        await self.bursts.rouse()
        self.beat()
        return self

    def beat(self) -> None:
        """Say that this machine lives, from now on."""
        self.loops.append(asyncio.ensure_future(self.machines.run()))

    def work_off(self) -> None:
        """Begin to work off what waits."""
        self.loops.append(asyncio.ensure_future(self.bursts.run()))

    async def page(self, *keys: Secret, **changes: Any) -> Page:
        return await self.paging.request(draft(*keys, **changes), ANN)

    async def decided(self, page_id: str) -> Page:
        found = await self.paging.wait(page_id, 20)
        assert found.is_decided, found
        return found

    async def rows(self, query: Select[Any]) -> list[Any]:
        return list(await self.database.read(lambda c: c.execute(query).scalars().all()))

    async def die(self) -> None:
        """End as by kill -9."""
        for loop in self.loops:
            loop.cancel()
        await asyncio.gather(*self.loops, return_exceptions=True)
        await self.bursts.close()
        await self.paging._tasks.close()
        self.machines._drop_lock()
