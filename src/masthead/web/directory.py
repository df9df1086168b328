"""Which applications page which service, worked out once for as long as neither changes: for lists of ten thousand.

A look at whether anything changed costs one small query; nothing here is older than the catalog and the database are.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from masthead.applications import application_id
from masthead.catalog import OnCall, Service
from masthead.web.domain import WebServices

__all__ = ["ApplicationRow", "Directory", "Level", "ServiceRow", "Snapshot", "levels_at"]


@dataclass(frozen=True, slots=True)
class Level:
    """Who is on call at a level of an escalation policy."""

    number: int
    people: tuple[OnCall, ...]

    @property
    def names(self) -> str:
        """Their names, separated by commas."""
        return ", ".join(dict.fromkeys(one.user_name for one in self.people))


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service with the applications that page it."""

    service: Service
    #: In lower case, by name.
    applications: tuple[str, ...]
    #: Everything that is searched, in lower case.
    text: str


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """An application with the service that it pages; holds no key."""

    name: str
    email: str
    #: The service's name, or "key …1234"; None without one.
    label: str | None
    #: None without one, and for one that the catalog does not know.
    service: Service | None
    text: str


@dataclass(frozen=True)
class Snapshot:
    """All of it at one moment."""

    services: Sequence[ServiceRow] = ()
    applications: Sequence[ApplicationRow] = ()
    by_id: Mapping[str, ServiceRow] = field(default_factory=dict)
    by_name: Mapping[str, ApplicationRow] = field(default_factory=dict)


class Directory:
    """Gives the present snapshot."""

    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._known_by: tuple[Any, ...] = ()
        self._snapshot = Snapshot()
        self._turn = asyncio.Lock()

    async def now(self) -> Snapshot:
        """Give the services and applications as they are.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        mark = await self._services.applications.mark()
        async with self._turn:
            if not self._is_known(mark):
                catalog = self._services.catalog
                known_by = mark, catalog.services(), catalog.oncalls()
                documents = await self._services.applications.list_all()
                self._snapshot = await asyncio.to_thread(_work_out, self._services, documents)
                self._known_by = known_by
            return self._snapshot

    def _is_known(self, mark: tuple[int, int]) -> bool:
        if not self._known_by:
            return False
        known_mark, services, oncalls = self._known_by
        catalog = self._services.catalog
        return bool(known_mark == mark and services is catalog.services() and oncalls is catalog.oncalls())


def levels_at(oncalls: Sequence[OnCall], now: datetime) -> tuple[Level, ...]:
    """Give who is on call *now*, level by level, without those whose shift is over and without nobody."""
    levels: dict[int, list[OnCall]] = defaultdict(list)
    for one in oncalls:
        if one.user_id is not None and not one.is_over(now):
            levels[one.level].append(one)
    return tuple(Level(number, tuple(levels[number])) for number in sorted(levels))


def _work_out(services: WebServices, documents: Sequence[Mapping[str, Any]]) -> Snapshot:
    catalog = services.catalog
    users: dict[str, list[str]] = defaultdict(list)
    applications = []
    people: dict[str | None, str] = {}

    def people_of(policy: str | None) -> str:
        if policy not in people:
            people[policy] = "\n".join(one.user_name for one in catalog.oncalls_of(policy))
        return people[policy]

    for document in documents:
        row = _application(services, document, people_of)
        applications.append(row)
        if row.service is not None:
            users[row.service.id].append(row.name)
    rows = []
    for service in catalog.services():
        names = tuple(users.get(service.id, ()))
        words = (
            service.name,
            service.id,
            service.policy_name,
            *service.teams,
            people_of(service.policy_id),
            *names,
        )
        rows.append(ServiceRow(service, names, "\n".join(words).casefold()))
    return Snapshot(
        rows,
        applications,
        {row.service.id: row for row in rows},
        {row.name: row for row in applications},
    )  # fmt: skip


def _application(services: WebServices, document: Mapping[str, Any], people_of: Any) -> ApplicationRow:
    name, email = application_id(str(document["name"])), str(document.get("email") or "")
    key = services.applications.pd_api_key(document)
    known = services.catalog.service_of_key(key) if key else None
    service = known[0] if known else None
    label = services.ownership.label(key) if key else None
    found = (service.policy_name, people_of(service.policy_id)) if service else ()
    words = name, email, str(document.get("description") or ""), label or "", *found
    return ApplicationRow(name, email, label, service, "\n".join(words).casefold())
