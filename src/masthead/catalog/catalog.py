"""The catalog: refreshed every few minutes and on demand, never emptied by a failure, honest about its age."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from masthead.catalog.model import Integration, OnCall, Service, read_oncall, read_service
from masthead.catalog.snapshot import Snapshot, Snapshots, merge
from masthead.kernel.clock import Clock
from masthead.kernel.errors import InvalidRequest, NotFound, OutsideFailure, Reason, StorageUnavailable
from masthead.kernel.secret import Secret
from masthead.pagerduty import Collected, RestClient
from masthead.pagerduty.words import remedy
from masthead.storage.database import Database

__all__ = ["Catalog", "CatalogState", "Trouble"]

log = structlog.get_logger(__name__)
_MOST_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the catalog is empty or older than it should be."""

    reason: Reason
    #: What happened and what to do about it.
    text: str
    since: datetime


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
    trouble: Trouble | None


class Catalog:
    """Services and on-calls of one PagerDuty account."""

    def __init__(
        self,
        rest: RestClient | None,
        database: Database,
        clock: Clock,
        *,
        account: str = "default",
        refresh_s: float = 300.0,
        jitter: float = 0.1,
        chance: random.Random | None = None,
    ) -> None:
        """Args: rest: None when no REST token is configured; jitter: part of refresh_s, drawn anew each time."""
        self._rest = rest
        self._snapshots = Snapshots(database, account)
        self._clock = clock
        self._refresh_s = refresh_s
        self._jitter = jitter
        self._chance = chance or random.SystemRandom()
        self._kept: dict[str, Snapshot] = {}
        self._troubles: dict[str, Trouble] = {}
        self._refreshing: asyncio.Future[None] | None = None
        self._index([], [])

    @property
    def state(self) -> CatalogState:
        """How much is known, and what is wrong."""
        services, oncalls = self._kept.get("services"), self._kept.get("oncalls")
        return CatalogState(
            is_configured=self._rest is not None,
            is_loading=self._refreshing is not None,
            is_complete=bool(services and services.is_complete and oncalls and oncalls.is_complete),
            services=len(self._services),
            oncalls=len(self._oncalls),
            services_fetched_at=services.fetched_at if services else None,
            oncalls_fetched_at=oncalls.fetched_at if oncalls else None,
            trouble=self._trouble(),
        )

    async def load(self) -> None:
        """Serve what was stored by an earlier run."""
        for kind in ("services", "oncalls"):
            if snapshot := await self._snapshots.load(kind):
                self._kept[kind] = snapshot
        self._read()

    async def refresh(self) -> None:
        """Ask PagerDuty now; those who ask at the same time share one refresh. Failures are in :attr:`state`."""
        if self._rest is None:
            return
        if self._refreshing is None:
            self._refreshing = asyncio.ensure_future(self._refresh(self._rest))
            self._refreshing.add_done_callback(self._refreshed)
        await asyncio.shield(self._refreshing)

    async def run(self) -> None:
        """Refresh now and every few minutes, until cancelled."""
        while True:
            await self.refresh()
            await self._clock.sleep(self._refresh_s * (1 + self._jitter * (2 * self._chance.random() - 1)))

    def services(self) -> Sequence[Service]:
        """Give all services, in PagerDuty's order."""
        return self._services

    def oncalls(self) -> Sequence[OnCall]:
        """Give all on-calls, by policy and level."""
        return self._oncalls

    def oncalls_of(self, policy_id: str | None) -> Sequence[OnCall]:
        """Give who is on call for an escalation policy, level 1 first."""
        return self._by_policy.get(policy_id, ())

    def service_of_key(self, key: Secret) -> tuple[Service, Integration] | None:
        """Give the service and integration that *key* belongs to, or None."""
        return self._by_key.get(key)

    def service(self, service_id: str) -> Service | None:
        """Give the service with this id, or None."""
        return self._by_id.get(service_id)

    def search_services(self, text: str = "") -> list[Service]:
        """Give the services whose name, id, policy, team or on-call names contain every word of *text*."""
        words = text.casefold().split()
        return [
            service
            for service, searched in zip(self._services, self._searched, strict=True)
            if all(word in searched for word in words)
        ]

    def find_service(self, text: str) -> Service:
        """Give the one service that *text* means: its id, its name, or a part of one name only.

        Raises:
            NotFound: none; says why when the catalog is empty or in trouble.
            InvalidRequest: several; names them.
        """
        if service := self._by_id.get(text):
            return service
        wanted = text.casefold().strip()
        exact = [service for service in self._services if service.name.casefold() == wanted]
        found = exact or [
            service for service in self._services if wanted and wanted in service.name.casefold()
        ]
        if not found:
            trouble = self._trouble()
            why = f" {trouble.text}" if trouble else ""
            raise NotFound(
                f"No PagerDuty service is called {text!r} among {len(self._services)} known ones.{why}"
            )
        if len(found) > 1:
            names = ", ".join(f"{service.name} ({service.id})" for service in found[:_MOST_CANDIDATES])
            rest = f" and {len(found) - _MOST_CANDIDATES} more" if len(found) > _MOST_CANDIDATES else ""
            raise InvalidRequest(
                f"{text!r} means several PagerDuty services: {names}{rest}. Give the id or the whole name."
            )
        return found[0]

    async def close(self) -> None:
        """Stop a refresh that runs and close the connections."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        if self._rest is not None:
            await self._rest.close()

    async def _refresh(self, rest: RestClient) -> None:
        services = [("include[]", name) for name in ("integrations", "escalation_policies", "teams")]
        await self._refresh_kind(rest, "services", services)
        # ``earliest`` leaves the first entry a policy, level and user: who is on call now and not later (facts A.6).
        await self._refresh_kind(rest, "oncalls", [("earliest", "true"), ("include[]", "users")])
        self._read()

    async def _refresh_kind(self, rest: RestClient, kind: str, params: list[tuple[str, str]]) -> None:
        try:
            collected = await rest.collect(f"/{kind}", kind, params)
            if collected.is_cut and kind == "services":
                collected = await self._in_parts(rest, params, collected)
            await self._keep(kind, collected)
        except OutsideFailure as failure:
            self._blame(kind, failure)
        except StorageUnavailable as error:
            log.warning("catalog.not-stored", kind=kind, error=error.message)

    async def _in_parts(self, rest: RestClient, params: list[tuple[str, str]], known: Collected) -> Collected:
        """Go past the ceiling of 10,000: ask once more for each team, and keep what is new.

        A service without a team beyond the ceiling stays out of reach; the catalog then says that it is incomplete.
        """
        teams = await rest.collect("/teams", "teams")
        found = {item["id"]: item for item in known.items}
        failures = [*known.failures, *teams.failures]
        for team in teams.items:
            part = await rest.collect("/services", "services", [*params, ("team_ids[]", team["id"])])
            found |= {item["id"]: item for item in part.items}
            failures += part.failures
        return Collected(list(found.values()), failures, is_cut=True)

    async def _keep(self, kind: str, collected: Collected) -> None:
        old = self._kept.get(kind)
        documents: Sequence[Mapping[str, Any]] = collected.items
        if not collected.is_complete and old is not None and kind == "services":
            documents = merge(old.documents, collected.items)
        elif not collected.is_complete and old is not None:
            documents = [*collected.items, *(one for one in old.documents if one not in collected.items)]
        snapshot = Snapshot(self._clock.now(), collected.is_complete, documents)
        self._kept[kind] = snapshot
        self._read()
        if collected.failures:
            self._blame(kind, collected.failures[0])
        else:
            self._troubles.pop(kind, None)
        await self._snapshots.save(kind, snapshot)
        log.info("catalog.refreshed", kind=kind, items=len(documents), complete=snapshot.is_complete)

    def _blame(self, kind: str, failure: OutsideFailure) -> None:
        since = self._troubles[kind].since if kind in self._troubles else self._clock.now()
        self._troubles[kind] = Trouble(failure.reason, failure.message, since)
        log.warning("catalog.refresh-failed", kind=kind, reason=failure.reason, error=failure.message)

    def _trouble(self) -> Trouble | None:
        if self._rest is None:
            text = f"No PagerDuty REST token is configured. {remedy(Reason.NOT_CONFIGURED)}"
            return Trouble(Reason.NOT_CONFIGURED, text, self._clock.now())
        return self._troubles.get("services") or self._troubles.get("oncalls")

    def _refreshed(self, _done: asyncio.Future[None]) -> None:
        self._refreshing = None

    def _read(self) -> None:
        services, oncalls = self._kept.get("services"), self._kept.get("oncalls")
        self._index(
            [read_service(one) for one in services.documents] if services else [],
            [read_oncall(one) for one in oncalls.documents] if oncalls else [],
        )

    def _index(self, services: list[Service], oncalls: list[OnCall]) -> None:
        self._services = tuple(services)
        self._oncalls = tuple(sorted(oncalls, key=lambda one: (one.policy_name.casefold(), one.level)))
        by_policy: dict[str | None, list[OnCall]] = defaultdict(list)
        for oncall in self._oncalls:
            by_policy[oncall.policy_id].append(oncall)
        self._by_policy = dict(by_policy)
        self._by_id = {service.id: service for service in services}
        self._by_key: dict[Secret, tuple[Service, Integration]] = {}
        for service in services:
            for integration in service.integrations:
                if integration.key:
                    self._by_key.setdefault(integration.key, (service, integration))
        self._searched = [self._searched_text(service) for service in services]

    def _searched_text(self, service: Service) -> str:
        names = [oncall.user_name for oncall in self.oncalls_of(service.policy_id)]
        return "\n".join((service.name, service.id, service.policy_name, *service.teams, *names)).casefold()
