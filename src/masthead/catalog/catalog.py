"""The catalog of all accounts: one list of services and on-calls, and one answer to whom a key belongs."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping, Sequence
from datetime import datetime

from masthead.catalog.account import AccountCatalog
from masthead.catalog.index import Index
from masthead.catalog.model import Integration, OnCall, Service
from masthead.catalog.state import CatalogState, together
from masthead.kernel.clock import Clock
from masthead.kernel.secret import Secret
from masthead.pagerduty import RestReader
from masthead.storage.database import Database

__all__ = ["Catalog"]


class Catalog:
    """Services and on-calls of the PagerDuty accounts, mostly one."""

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
        """Build the catalog of one account, with the arguments of :class:`AccountCatalog`; of several: :meth:`of`."""
        only = AccountCatalog(
            rest, database, clock, account=account, refresh_s=refresh_s, jitter=jitter, chance=chance
        )
        self._begin([only])

    @classmethod
    def of(cls, accounts: Sequence[AccountCatalog]) -> Catalog:
        """Build the catalog of *accounts*, at least one, the default account first."""
        catalog = cls.__new__(cls)
        catalog._begin(accounts)  # noqa: SLF001 - its own
        return catalog

    def _begin(self, accounts: Sequence[AccountCatalog]) -> None:
        self._accounts = tuple(accounts)
        self._index = Index()
        self._indexing = asyncio.Lock()
        for account in self._accounts:
            account.on_change = self._reindex

    @property
    def default_account(self) -> str:
        """The account of keys that no account's catalog has."""
        return self._accounts[0].account

    @property
    def state(self) -> CatalogState:
        """How much is known of all accounts together, and what is wrong with any."""
        return together(self.states)

    @property
    def states(self) -> Mapping[str, CatalogState]:
        """How much is known of each account, the default account first."""
        return {account.account: account.state for account in self._accounts}

    async def load(self) -> None:
        """Serve what was stored by an earlier run.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        for account in self._accounts:
            await account.load()

    async def refresh(self) -> None:
        """Ask PagerDuty now; those who ask at the same time share one refresh. Failures are in :attr:`state`."""
        await asyncio.gather(*(account.refresh() for account in self._accounts))

    async def run(self) -> None:
        """Refresh now and every few minutes, each account by itself, until cancelled."""
        await asyncio.gather(*(account.run() for account in self._accounts))

    def services(self) -> Sequence[Service]:
        """Give all services, account by account in PagerDuty's order."""
        return self._index.services

    def oncalls(self) -> Sequence[OnCall]:
        """Give all on-calls, by policy, level and name."""
        return self._index.oncalls

    def oncalls_of(self, policy_id: str | None) -> Sequence[OnCall]:
        """Give who is on call for an escalation policy, level 1 first."""
        return self._index.oncalls_of(policy_id)

    def oncalls_unknown(self, service: Service | None) -> str | None:
        """Say why nobody can tell who is on call for *service*; None when its account's on-calls were read."""
        state = self.states.get(service.account if service else self.default_account)
        if state is None or state.oncalls_fetched_at is not None:
            return None
        return state.oncalls_explanation

    def service_of_key(self, key: Secret) -> tuple[Service, Integration] | None:
        """Give the service and integration that *key* belongs to, or None."""
        return self._index.service_of_key(key)

    async def know(self, keys: Sequence[Secret], timeout_s: float) -> None:
        """Wait until it can be told to whom *keys* belong, as far as the very first reading may still tell.

        That is a matter of seconds in the life of an installation, in which every key would be unknown.
        """
        first = [account for account in self._accounts if account.is_first_reading]
        if first and any(self.service_of_key(key) is None for key in keys):
            await asyncio.gather(*(account.first_reading(timeout_s) for account in first))

    async def know_anew(self, keys: Sequence[Secret], since: datetime, timeout_s: float) -> None:
        """Read anew what was last read before *since*, if a key of *keys* is unknown; wait *timeout_s* seconds for it at most."""
        if all(self.service_of_key(key) is not None for key in keys):
            return
        old = [account for account in self._accounts if not account.was_read_after(since)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(account.refresh() for account in old))

    def account_of_key(self, key: Secret) -> str:
        """Give the account whose catalog has *key*, else the default account."""
        known = self.service_of_key(key)
        return known[0].account if known else self.default_account

    def service(self, service_id: str) -> Service | None:
        """Give the service with this id, or None."""
        return self._index.service(service_id)

    def search_services(self, text: str = "") -> list[Service]:
        """Give the services whose name, id, policy, team, account or on-call names contain every word of *text*."""
        return self._index.search(text)

    def find_service(self, text: str) -> Service:
        """Give the one service that *text* means: its id, one of its keys, its name, a part of one name only.

        Where accounts have services of one name, ``account/name`` means that account's.

        Raises:
            NotFound: none; says why when the catalog is empty or in trouble.
            InvalidRequest: several, which are named, or *text* is empty.
        """
        return self._index.find(text, why_missing=self.state.explanation or "")

    async def close(self) -> None:
        """Stop the refreshes that run and close the connections."""
        for account in self._accounts:
            await account.close()

    async def _reindex(self) -> None:
        """Work the index out on a thread: ten thousand services must not keep a page waiting."""
        async with self._indexing:
            services = [service for account in self._accounts for service in account.services]
            oncalls = [oncall for account in self._accounts for oncall in account.oncalls]
            self._index = await asyncio.to_thread(Index, services, oncalls)
