"""The catalog: refreshed every few minutes and on demand, never emptied by a failure, honest about its age."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from masthead.catalog.index import Index
from masthead.catalog.lists import oncall_identity, read_oncalls, read_services, service_identity
from masthead.catalog.model import Integration, OnCall, Service, read_oncall, read_service, write_service
from masthead.catalog.shelf import Shape, Shelf, Trouble
from masthead.catalog.snapshot import Snapshots
from masthead.kernel.clock import Clock
from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.kernel.tasks import Tasks
from masthead.pagerduty import RestReader
from masthead.pagerduty.words import remedy
from masthead.storage.database import Database

__all__ = ["Catalog", "CatalogState"]

log = structlog.get_logger(__name__)

_SERVICES = Shape(
    kind="services",
    read=read_service,
    write=write_service,
    identity=service_identity,
    may_stay=lambda _service, _now: True,
)
_ONCALLS = Shape(
    kind="oncalls",
    read=read_oncall,
    write=lambda oncall: oncall.document,
    identity=oncall_identity,
    may_stay=lambda oncall, now: not oncall.is_over(now),
)


@dataclass(frozen=True, slots=True)
class CatalogState:
    """How much the catalog knows, and since when."""

    is_configured: bool
    is_loading: bool
    is_complete: bool
    services: int
    oncalls: int
    services_fetched_at: datetime | None
    oncalls_fetched_at: datetime | None
    #: The services' trouble, else the on-calls'.
    trouble: Trouble | None
    oncalls_trouble: Trouble | None = None

    @property
    def explanation(self) -> str | None:
        """Say why there is nothing to see, or only old or half the news; None when all is well."""
        if self.trouble is not None:
            return self.trouble.text
        if self.services_fetched_at is None:
            doing = "are being read" if self.is_loading else "have not been read yet"
            return f"PagerDuty's services {doing}; ask again in a moment."
        if not self.services:
            return (
                "PagerDuty shows this token no service. Check that the account has services and that "
                "the token belongs to it and may see them."
            )
        return None


class Catalog:
    """Services and on-calls of one PagerDuty account."""

    def __init__(
        self,
        rest: RestReader | None,
        database: Database,
        clock: Clock,
        *,
        account: str = "default",
        refresh_s: float = 300.0,
        jitter: float = 0.1,
        chance: random.Random | None = None,
    ) -> None:
        """Build a catalog that knows nothing yet; see :meth:`load` and :meth:`run`.

        Args:
            rest: None when no REST token is configured: the catalog stays as it was stored.
            database: Where snapshots are kept.
            clock: What ages and waits are measured by.
            account: Whose services they are.
            refresh_s: Seconds from the end of one refresh to the next.
            jitter: The part of *refresh_s* by which each wait is longer or shorter, drawn anew each time.
            chance: What it is drawn from.
        """
        self._rest = rest
        self._clock = clock
        self._refresh_s = refresh_s
        self._jitter = jitter
        self._chance = chance or random.SystemRandom()
        snapshots = Snapshots(database, account)
        self._services = Shelf(_SERVICES, snapshots, clock)
        self._oncalls = Shelf(_ONCALLS, snapshots, clock)
        self._index = Index()
        self._indexing = asyncio.Lock()
        self._tasks = Tasks(_log_failure)
        self._refreshing: asyncio.Task[None] | None = None
        self._began_at = clock.now()

    @property
    def state(self) -> CatalogState:
        """How much is known, and what is wrong."""
        return CatalogState(
            is_configured=self._rest is not None,
            is_loading=self._refreshing is not None,
            is_complete=self._services.is_complete and self._oncalls.is_complete,
            services=len(self._index.services),
            oncalls=len(self._index.oncalls),
            services_fetched_at=self._services.fetched_at,
            oncalls_fetched_at=self._oncalls.fetched_at,
            trouble=self._trouble() or self._services.trouble or self._oncalls.trouble,
            oncalls_trouble=self._trouble() or self._oncalls.trouble,
        )

    async def load(self) -> None:
        """Serve what was stored by an earlier run.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        await self._services.load()
        await self._oncalls.load()
        await self._reindex()

    async def refresh(self) -> None:
        """Ask PagerDuty now; those who ask at the same time share one refresh. Failures are in :attr:`state`."""
        if self._rest is None:
            return
        if self._refreshing is None:
            self._refreshing = self._tasks.start(self._refresh(self._rest), name="catalog refresh")
            self._refreshing.add_done_callback(self._refreshed)
        # Who gives up waiting does not end it for the others.
        await asyncio.shield(self._refreshing)

    async def run(self) -> None:
        """Refresh now and every few minutes, until cancelled."""
        while True:
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001 - the worker loop: the next refresh may succeed
                log.error("catalog.refresh-broken", error=type(error).__name__)
            await self._clock.sleep(self._refresh_s * (1 + self._jitter * (2 * self._chance.random() - 1)))

    def services(self) -> Sequence[Service]:
        """Give all services, in PagerDuty's order."""
        return self._index.services

    def oncalls(self) -> Sequence[OnCall]:
        """Give all on-calls, by policy, level and name."""
        return self._index.oncalls

    def oncalls_of(self, policy_id: str | None) -> Sequence[OnCall]:
        """Give who is on call for an escalation policy, level 1 first."""
        return self._index.oncalls_of(policy_id)

    def service_of_key(self, key: Secret) -> tuple[Service, Integration] | None:
        """Give the service and integration that *key* belongs to, or None."""
        return self._index.service_of_key(key)

    def service(self, service_id: str) -> Service | None:
        """Give the service with this id, or None."""
        return self._index.service(service_id)

    def search_services(self, text: str = "") -> list[Service]:
        """Give the services whose name, id, policy, team or on-call names contain every word of *text*."""
        return self._index.search(text)

    def find_service(self, text: str) -> Service:
        """Give the one service that *text* means: its id, one of its keys, its name, a part of one name only.

        Raises:
            NotFound: none; says why when the catalog is empty or in trouble.
            InvalidRequest: several, which are named, or *text* is empty.
        """
        return self._index.find(text, why_missing=self.state.explanation or "")

    async def close(self) -> None:
        """Stop a refresh that runs and close the connections."""
        await self._tasks.close()
        if self._rest is not None:
            await self._rest.close()

    async def _refresh(self, rest: RestReader) -> None:
        # Apart: whatever befalls one of them, the other comes to its end.
        ends = await asyncio.gather(
            self._refresh_services(rest), self._refresh_oncalls(rest), return_exceptions=True
        )
        for end in ends:
            if end is not None:
                raise end

    async def _refresh_services(self, rest: RestReader) -> None:
        await self._services.refresh(lambda: read_services(rest))
        await self._reindex()

    async def _refresh_oncalls(self, rest: RestReader) -> None:
        policies = {service.policy_id for service in self._index.services if service.policy_id}
        await self._oncalls.refresh(lambda: read_oncalls(rest, policies))
        await self._reindex()

    async def _reindex(self) -> None:
        """Work the index out on a thread: ten thousand services must not keep a page waiting."""
        async with self._indexing:
            self._index = await asyncio.to_thread(Index, self._services.entries, self._oncalls.entries)

    def _trouble(self) -> Trouble | None:
        if self._rest is not None:
            return None
        text = f"No PagerDuty REST token is configured. {remedy(Reason.NOT_CONFIGURED)}"
        return Trouble(Reason.NOT_CONFIGURED, text, self._began_at)

    def _refreshed(self, _done: asyncio.Task[Any]) -> None:
        self._refreshing = None


def _log_failure(name: str, error: BaseException) -> None:
    log.error("task.failed", task=name, error=type(error).__name__)
