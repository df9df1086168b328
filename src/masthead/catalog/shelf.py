"""One list of the catalog: refreshed by itself, with an age and a trouble of its own, never emptied by a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from masthead.catalog.snapshot import Snapshot, Snapshots
from masthead.kernel.clock import Clock
from masthead.kernel.errors import OutsideFailure, Reason, StorageUnavailable
from masthead.pagerduty import Collected

__all__ = ["Shape", "Shelf", "Trouble"]

T = TypeVar("T")
Document = Mapping[str, Any]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the catalog is empty, older than it should be, or not whole."""

    reason: Reason
    #: What happened and what to do about it.
    text: str
    #: When it began.
    since: datetime
    #: Which list it befell: "services" or "oncalls"; empty for both.
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """What sets one list apart from another."""

    #: Its name in the database and in the log.
    kind: str
    read: Callable[[Document], T]
    write: Callable[[T], Document]
    #: Says which entries of two snapshots are the same one.
    identity: Callable[[Document], Hashable]
    #: Whether an entry that the last refresh did not reach may still stand in.
    may_stay: Callable[[T, datetime], bool]


class Shelf(Generic[T]):
    """The entries of one list as they are known now."""

    def __init__(self, shape: Shape[T], snapshots: Snapshots, clock: Clock) -> None:
        self._shape = shape
        self.kind = shape.kind
        self._snapshots = snapshots
        self._account = snapshots.account
        self._clock = clock
        self.entries: tuple[T, ...] = ()
        #: When PagerDuty last gave them; None when it never did.
        self.fetched_at: datetime | None = None
        self.is_complete = False
        #: Whether PagerDuty was asked for them to the end since this process began, whatever came of it.
        self.is_asked = False
        self.trouble: Trouble | None = None

    async def load(self) -> None:
        """Take what an earlier run stored.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        if stored := await self._snapshots.load(self._shape.kind):
            self.entries = tuple(self._shape.read(document) for document in stored.documents)
            self.fetched_at, self.is_complete = stored.fetched_at, stored.is_complete

    async def refresh(self, fetch: Callable[[], Awaitable[Collected]]) -> None:
        """Take what *fetch* brings and store it; when it fails, keep what there is and note why."""
        try:
            collected = await fetch()
        except OutsideFailure as failure:
            self._blame(failure)
            return
        finally:
            self.is_asked = True
        now = self._clock.now()
        # On a thread: ten thousand entries must not keep a page waiting.
        self.entries = await asyncio.to_thread(self._read, collected, now)
        self.fetched_at, self.is_complete = now, collected.is_complete
        self._tell(collected)
        await self._store()

    def _read(self, collected: Collected, now: datetime) -> tuple[T, ...]:
        documents: Iterable[Document] = collected.items
        if not collected.is_complete:
            documents = self._completed(collected.items, now)
        return tuple(self._shape.read(document) for document in documents)

    def _tell(self, collected: Collected) -> None:
        log.info(
            "catalog.refreshed",
            account=self._account,
            kind=self._shape.kind,
            entries=len(self.entries),
            is_complete=self.is_complete,
        )
        if collected.failures:
            self._blame(collected.failures[-1 if collected.is_cut else 0])
        else:
            self.trouble = None

    def _completed(self, documents: list[dict[str, Any]], now: datetime) -> list[Document]:
        """Give *documents* and, behind them, what is known of those that did not come this time."""
        came = {self._shape.identity(document) for document in documents}
        kept = (self._shape.write(entry) for entry in self.entries if self._shape.may_stay(entry, now))
        return [*documents, *(one for one in kept if self._shape.identity(one) not in came)]

    async def _store(self) -> None:
        assert self.fetched_at is not None
        documents = [self._shape.write(entry) for entry in self.entries]
        snapshot = Snapshot(self.fetched_at, self.is_complete, documents)
        try:
            await self._snapshots.save(self._shape.kind, snapshot)
        except StorageUnavailable as error:
            log.warning(
                "catalog.not-stored", account=self._account, kind=self._shape.kind, error=error.message
            )

    def _blame(self, failure: OutsideFailure) -> None:
        since = self.trouble.since if self.trouble else self._clock.now()
        self.trouble = Trouble(failure.reason, failure.message, since, self._shape.kind)
        log.warning(
            "catalog.refresh-failed",
            account=self._account,
            kind=self._shape.kind,
            reason=failure.reason,
            status=failure.status,
            error=failure.message,
            since=since.isoformat(),
        )
