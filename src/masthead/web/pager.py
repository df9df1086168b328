"""The pager: every PagerDuty service with who is on call, filtered as one types, and those that are to be paged.

All of its state stands in the address: ``q`` (words), ``sort``, ``owned`` (only services that an application pages),
``service`` (ids of those chosen, repeated), ``without`` (one that is not to be chosen any more), ``app`` (names, separated
by commas: their services are chosen), ``for`` (names in which it is asked, once their services stand under ``service``),
``subject`` and ``details`` (what the dialog starts with). What is chosen stays chosen when the filter leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.applications import application_id
from masthead.catalog import Service
from masthead.web.directory import Directory, Level, ServiceRow, Snapshot, levels_at
from masthead.web.domain import WebServices
from masthead.web.rendering import Renderer, is_fragment, query
from masthead.web.services import catalog_words

__all__ = ["STATES", "Chosen", "Wanted", "chosen_of", "obstacle_of", "pager_routes", "wanted_of"]

#: Rows shown together: who looks for one types on, and four times as many took a tenth of a second more for each key.
_ROWS = 50
#: Applications that are named in a row; a service may belong to hundreds.
_MOST_NAMED = 6
#: A service's status, where it is not active: kind, word and meaning.
STATES = {
    "critical": ("failed", "critical", "an incident is triggered and nobody has it in hand"),
    "warning": ("warning", "warning", "an incident is open, somebody has it in hand"),
    "maintenance": ("paused", "maintenance", "PagerDuty takes events and opens no incident"),
    "disabled": ("skipped", "disabled", "PagerDuty takes events and opens no incident"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address says."""

    words: str
    sort: str
    is_owned: bool
    offset: int
    #: Ids of services, each once, in the order in which they were chosen.
    services: tuple[str, ...]
    #: Applications in whose name it is asked, in lower case.
    applications: tuple[str, ...]
    subject: str
    details: str
    #: Those of *applications* whose services are to be chosen.
    opened: tuple[str, ...] = ()

    @property
    def query(self) -> dict[str, Any]:
        """The same as an address has it, without what says nothing."""
        return {
            "q": self.words,
            "sort": self.sort,
            "owned": "1" if self.is_owned else "",
            "service": list(self.services),
            "for": ",".join(self.applications),
            "subject": self.subject,
            "details": self.details,
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """The services that were chosen, and what led to none."""

    services: tuple[Service, ...]
    #: Sentences about applications and ids that lead to no service.
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    service: Service
    applications: tuple[str, ...]
    more_applications: int
    levels: tuple[Level, ...]
    last_incident: datetime | None
    is_chosen: bool
    #: Why it cannot be chosen.
    obstacle: str | None
    #: Kind, word and meaning of a state other than active.
    state: tuple[str, str, str] | None


def pager_routes(services: WebServices, renderer: Renderer, directory: Directory) -> Sequence[Route]:
    """Give the route of the pager."""

    async def pager(request: Request) -> Response:
        snapshot = await directory.now()
        wanted = wanted_of(request.query_params)
        chosen = chosen_of(snapshot, wanted)
        values = _values(services, snapshot, wanted, chosen)
        if not is_fragment(request):
            return renderer.page(request, "pager.html", **values)
        answer = renderer.fragment(request, "pager.html", "found", **values)
        answer.headers["HX-Replace-Url"] = f"/ui/page{values['address_query']}"
        return answer

    return [Route("/ui/page", pager, methods=["GET"], name="pager")]


def wanted_of(given: QueryParams) -> Wanted:
    """Read what an address says; what is odd in it says nothing."""
    sort, offset = given.get("sort", ""), given.get("offset", "")
    opened, without = _names(given.getlist("app")), set(given.getlist("without"))
    return Wanted(
        words=given.get("q", "").strip(),
        sort=sort if sort.removeprefix("-") in ("service", "last") else "",
        is_owned=given.get("owned", "") not in ("", "false", "0"),
        offset=int(offset) if offset.isdecimal() else 0,
        services=tuple(
            dict.fromkeys(one.strip() for one in given.getlist("service") if one.strip() and one not in without)
        ),
        applications=tuple(dict.fromkeys((*opened, *_names(given.getlist("for"))))),
        subject=given.get("subject", ""),
        details=given.get("details", ""),
        opened=opened,
    )  # fmt: skip


def _names(lists: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(application_id(one) for one in ",".join(lists).split(",") if one.strip()))


def chosen_of(snapshot: Snapshot, wanted: Wanted) -> Chosen:
    """Give the services that *wanted* names, by their ids or as those of applications."""
    found: dict[str, Service] = {}
    problems = []
    for service_id in wanted.services:
        row = snapshot.by_id.get(service_id) or snapshot.by_id.get(service_id.upper())
        if row is None:
            problems.append(f"There is no PagerDuty service with the id {service_id[:40]}.")
        elif obstacle := obstacle_of(row.service):
            problems.append(f"{row.service.name} cannot be paged: {obstacle}.")
        else:
            found[row.service.id] = row.service
    for name in wanted.opened:
        application = snapshot.by_name.get(name)
        if application is None:
            problems.append(f"There is no application called {name[:80]}.")
        elif application.service is None:
            lacks = (
                "pages a service that PagerDuty does not list"
                if application.label
                else "has no PagerDuty service"
            )
            problems.append(f"Application {name} {lacks}: choose one in its form.")
        elif obstacle := obstacle_of(application.service):
            problems.append(
                f"{application.service.name}, the service of {name}, cannot be paged: {obstacle}."
            )
        else:
            found[application.service.id] = application.service
    return Chosen(tuple(found.values()), tuple(problems))


def obstacle_of(service: Service) -> str | None:
    """Say why *service* cannot be chosen, or None when it can."""
    return service.unusable_reason or (service.warning if service.status == "disabled" else None)


def _values(services: WebServices, snapshot: Snapshot, wanted: Wanted, chosen: Chosen) -> dict[str, Any]:
    words = wanted.words.casefold().split()
    found = [row for row in snapshot.services if all(word in row.text for word in words)]
    if wanted.is_owned:
        found = [row for row in found if row.applications]
    found = _sorted(found, wanted.sort)
    ids = {one.id for one in chosen.services}
    now = services.clock.now()
    rows = [_row(services, one, ids, words, now) for one in found[wanted.offset : wanted.offset + _ROWS]]
    shown = {row.service.id for row in rows}
    # From here on the services stand for their applications: unticking one of them must hold.
    given = wanted.query | {"service": [one.id for one in chosen.services]}
    return {
        "wanted": wanted,
        "given": given,
        "address_query": query(given),
        "words": words,
        "rows": rows,
        "chosen": chosen,
        "shown": shown,
        "number": len(found),
        "all": len(snapshot.services),
        "most": _ROWS,
        "first": wanted.offset + 1,
        "next": wanted.offset + _ROWS if wanted.offset + _ROWS < len(found) else None,
        "before": max(wanted.offset - _ROWS, 0) if wanted.offset else None,
        "events_enabled": services.settings.events.enabled,
        **catalog_words(services),
    }


def _sorted(rows: list[ServiceRow], sort: str) -> list[ServiceRow]:
    column, is_down = sort.removeprefix("-"), sort.startswith("-")
    if column == "last":
        # Those without an incident come last, whichever way it goes.
        some = [row for row in rows if row.service.last_incident_at]
        none = [row for row in rows if not row.service.last_incident_at]
        return sorted(some, key=lambda row: row.service.last_incident_at or "", reverse=is_down) + none
    return sorted(rows, key=lambda row: row.service.name.casefold(), reverse=is_down)


def _row(
    services: WebServices, row: ServiceRow, chosen: set[str], words: Sequence[str], now: datetime
) -> _Row:
    service = row.service
    oncalls = services.catalog.oncalls_of(service.policy_id) if service.policy_id else ()
    # An application that was searched for is named, however many there are.
    named = sorted(row.applications, key=lambda name: not any(word in name for word in words))[:_MOST_NAMED]
    return _Row(
        service,
        tuple(named),
        len(row.applications) - len(named),
        levels_at(oncalls, now),
        _instant(service.last_incident_at),
        service.id in chosen,
        obstacle_of(service),
        STATES.get(service.status),
    )


def _instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
