"""One account's part of the catalog: refreshed every few minutes and on demand, never emptied by a failure."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from masthead.catalog.lists import oncall_identity, read_oncalls, read_services, service_identity
from masthead.catalog.model import OnCall, Service, read_oncall, read_service, write_service
from masthead.catalog.shelf import Shape, Shelf, Trouble
from masthead.catalog.snapshot import Snapshots
from masthead.catalog.state import CatalogState
from masthead.kernel.clock import Clock
from masthead.kernel.errors import Reason
from masthead.kernel.tasks import Tasks
from masthead.pagerduty import RestReader
from masthead.pagerduty.words import remedy
from masthead.storage.database import Database

__all__ = ["AccountCatalog"]

log = structlog.get_logger(__name__)


async def _nobody_asks() -> None:
    return


class AccountCatalog:
    """Services and on-calls of one PagerDuty account, as they came.

    Attributes:
        account: Its name.
        on_change: Called and waited for whenever entries came or were loaded.
        shortage: Says which permission the token lacks, as far as is known; None when it has all.
    """

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
        self.account = account
        self.on_change: Callable[[], Awaitable[None]] = _nobody_asks
        self.shortage: Callable[[], str | None] = lambda: None
        self._rest = rest
        self._clock = clock
        self._refresh_s = refresh_s
        self._jitter = jitter
        self._chance = chance or random.SystemRandom()
        snapshots = Snapshots(database, account)
        self._services = Shelf(_services_of(account), snapshots, clock)
        self._oncalls = Shelf(_oncalls_of(account), snapshots, clock)
        self._tasks = Tasks(_log_failure)
        self._refreshing: asyncio.Task[None] | None = None
        #: Set once the services were asked for, whatever came of it, and can be found.
        self._asked = asyncio.Event()
        self._has_earlier = False
        self._began_at = clock.now()
        self._first_asked_at: datetime | None = None

    @property
    def services(self) -> tuple[Service, ...]:
        """All services, in PagerDuty's order."""
        return self._services.entries

    @property
    def oncalls(self) -> tuple[OnCall, ...]:
        """All on-calls, in PagerDuty's order."""
        return self._oncalls.entries

    @property
    def state(self) -> CatalogState:
        """How much is known, and what is wrong."""
        services_trouble = self._explained(self._services.trouble or self._obstacle(self._services))
        oncalls_trouble = self._explained(self._oncalls.trouble or self._obstacle(self._oncalls))
        return CatalogState(
            is_configured=self._rest is not None,
            is_loading=self._refreshing is not None,
            is_complete=self._services.is_complete and self._oncalls.is_complete,
            services=len(self.services),
            oncalls=len(self.oncalls),
            services_fetched_at=self._services.fetched_at,
            oncalls_fetched_at=self._oncalls.fetched_at,
            trouble=services_trouble or oncalls_trouble or self._lacking(),
            oncalls_trouble=oncalls_trouble,
            asked_first_since=self._asked_first_since,
        )

    @property
    def is_first_reading(self) -> bool:
        """Whether the services are being asked for, for the first time ever, or cannot be found yet."""
        return self._refreshing is not None and not self._has_earlier and not self._asked.is_set()

    def was_read_after(self, when: datetime) -> bool:
        """Tell whether the services are as PagerDuty gave them after *when*."""
        return self._services.fetched_at is not None and self._services.fetched_at > when

    async def first_reading(self, timeout_s: float) -> None:
        """Wait for the end of a first reading of the services, *timeout_s* seconds at most."""
        asked, over = (
            asyncio.ensure_future(self._asked.wait()),
            asyncio.ensure_future(self._clock.sleep(timeout_s)),
        )
        try:
            await asyncio.wait((asked, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            over.cancel()

    async def load(self) -> None:
        """Serve what was stored by an earlier run.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        await self._services.load()
        self._has_earlier = self._services.fetched_at is not None
        await self._oncalls.load()
        await self.on_change()

    async def refresh(self) -> None:
        """Ask PagerDuty now; those who ask at the same time share one refresh. Failures are in :attr:`state`."""
        if self._rest is None:
            return
        if self._refreshing is None:
            self._first_asked_at = self._first_asked_at or self._clock.now()
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
                log.error("catalog.refresh-broken", account=self.account, error=type(error).__name__)
            await self._clock.sleep(self._refresh_s * (1 + self._jitter * (2 * self._chance.random() - 1)))

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
        try:
            await self._services.refresh(lambda: read_services(rest))
            await self.on_change()
        finally:
            self._asked.set()

    async def _refresh_oncalls(self, rest: RestReader) -> None:
        policies = {service.policy_id for service in self.services if service.policy_id}
        await self._oncalls.refresh(lambda: read_oncalls(rest, policies))
        await self.on_change()

    def _explained(self, trouble: Trouble | None) -> Trouble | None:
        """Give *trouble*; without a token it is that, and where a permission is missing it says which."""
        if self._rest is None:
            text = f"No PagerDuty REST token is configured. {remedy(Reason.NOT_CONFIGURED)}"
            return Trouble(Reason.NOT_CONFIGURED, text, self._began_at)
        shortage = self.shortage() if trouble is not None and trouble.reason is Reason.SCOPE else None
        return (
            Trouble(trouble.reason, shortage, trouble.since, trouble.kind)
            if trouble and shortage
            else trouble
        )

    def _obstacle(self, shelf: Shelf[Any]) -> Trouble | None:
        """Give what keeps the first reading of *shelf* in this process waiting: a refresh that is throttled may take minutes."""
        failure = self._rest.obstacle if self._rest is not None and self._refreshing is not None else None
        if failure is None or shelf.is_asked:
            return None
        return Trouble(failure.reason, failure.message, self._began_at, shelf.kind)

    @property
    def _asked_first_since(self) -> datetime | None:
        """Since when the first reading of this process lasts; None while there is none."""
        is_over = self._services.is_asked and self._oncalls.is_asked
        return None if is_over or self._refreshing is None else self._first_asked_at

    def _lacking(self) -> Trouble | None:
        """Give what the token will not be allowed, though nothing has failed for it yet."""
        shortage = self.shortage()
        return Trouble(Reason.SCOPE, shortage, self._began_at) if shortage else None

    def _refreshed(self, _done: asyncio.Task[Any]) -> None:
        self._refreshing = None


def _services_of(account: str) -> Shape[Service]:
    return Shape(
        kind="services",
        read=partial(read_service, account=account),
        write=write_service,
        identity=service_identity,
        may_stay=lambda _service, _now: True,
    )


def _oncalls_of(account: str) -> Shape[OnCall]:
    def may_stay(oncall: OnCall, now: datetime) -> bool:
        return not oncall.is_over(now)

    return Shape(
        kind="oncalls",
        read=partial(read_oncall, account=account),
        write=lambda oncall: oncall.document,
        identity=oncall_identity,
        may_stay=may_stay,
    )


def _log_failure(name: str, error: BaseException) -> None:
    log.error("task.failed", task=name, error=type(error).__name__)
