"""Applications: the list, one application with what concerns it, its history, and its deletion.

No integration key is shown: where a document holds one, its service's name stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.applications import SPINNAKER, application_id
from masthead.executions.store import Latest
from masthead.kernel.caller import ANONYMOUS
from masthead.kernel.clock import from_ms
from masthead.kernel.errors import NotFound
from masthead.paging import Page
from masthead.paging.filters import Filters
from masthead.web.audit import fate_of
from masthead.web.awaiting import awaiting
from masthead.web.directory import ApplicationRow, Directory, Level, levels_at
from masthead.web.domain import WebServices
from masthead.web.forms import read_form
from masthead.web.rendering import Renderer, is_fragment
from masthead.web.services import catalog_words

__all__ = ["Change", "application_routes", "changes_between", "shown_attributes"]

_ROWS = 200
_SORTS = ("name", "owner", "service", "page", "execution")
_ATTRIBUTES: Mapping[str, Callable[[ApplicationRow], str]] = {
    "name": lambda row: row.name,
    "owner": lambda row: row.email,
    "service": lambda row: row.label or "",
}
_VERSIONS = 100
#: Said elsewhere on the page, or by the server alone.
_KNOWN = {
    "name", "email", "description", "pdApiKey", "createTs", "updateTs", "lastModifiedBy", "aliases", "trafficGuards",
    "createdAt", "lastModified",
}  # fmt: skip
#: Differ in every version and say nothing.
_STAMPS = {"updateTs", "createTs", "lastModifiedBy", "lastModified", "createdAt"}
_WORDS = {
    "pdApiKey": "PagerDuty service",
    "email": "Owner's e-mail",
    "description": "Description",
    "aliases": "Aliases",
}


@dataclass(frozen=True, slots=True)
class _Row:
    application: ApplicationRow
    levels: tuple[Level, ...]
    last_page: Page | None
    last_run: Latest | None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one attribute between two versions, as people read it."""

    attribute: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Version:
    """One version, and in what it differs from the one before."""

    at: datetime
    by: str
    #: "created", "changed" or "deleted".
    deed: str
    changes: tuple[Change, ...]


def application_routes(services: WebServices, renderer: Renderer, directory: Directory) -> Sequence[Route]:
    """Give the routes of the list, of one application, its history and its deletion."""
    listing = _Listing(services, directory)

    async def listed(request: Request) -> Response:
        values = await listing.values(request.query_params)
        if is_fragment(request):
            return renderer.fragment(request, "applications.html", "found", **values)
        return renderer.page(request, "applications.html", **values)

    async def shown(request: Request) -> Response:
        return renderer.page(request, "application.html", **await _about(services, _name(request)))

    async def history(request: Request) -> Response:
        name = _name(request)
        versions = await services.applications.history(name, _VERSIONS + 1)
        if not versions:
            raise NotFound(f"There is no application called {name}, and there never was.")
        told = list(_told(services, versions))[:_VERSIONS]
        return renderer.page(
            request,
            "application_history.html",
            name=name,
            versions=told,
            exists=not versions[0].get("deleted"),
            is_cut=len(versions) > _VERSIONS,
        )

    async def asked_to_delete(request: Request) -> Response:
        document = await services.applications.get(_name(request))
        name = application_id(str(document["name"]))
        pipelines = await services.pipelines.of_application(name)
        return renderer.page(request, "application_delete.html", name=name, pipelines=pipelines)

    async def deleted(request: Request) -> Response:
        await read_form(request)
        name = _name(request)
        await services.applications.delete(name, request.scope["masthead.caller"])
        return renderer.redirect("/ui/applications", say=f"Application {name} was deleted.")

    return [
        Route("/ui/applications", listed, methods=["GET"], name="applications"),
        Route("/ui/applications/{name}", shown, methods=["GET"], name="application"),
        Route("/ui/applications/{name}/history", history, methods=["GET"], name="history of an application"),
        Route("/ui/applications/{name}/delete", asked_to_delete, methods=["GET"], name="deletion of an application"),
        Route("/ui/applications/{name}/delete", deleted, methods=["POST"], name="delete an application"),
    ]  # fmt: skip


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Give what differs between two documents, by attribute; neither may hold a key."""
    for attribute in sorted({*before, *after} - _STAMPS - {"name"}):
        old, new = _text(before.get(attribute)), _text(after.get(attribute))
        if old != new:
            yield Change(_WORDS.get(attribute, attribute), old, new)


def shown_attributes(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the attributes that no field of the form has, by name; they survive every save."""
    return [(name, _text(value)) for name, value in sorted(document.items()) if name not in _KNOWN and value not in ("", None, [])]  # fmt: skip


class _Listing:
    """The list: filtered and sorted by what the address says, 200 rows at a time."""

    def __init__(self, services: WebServices, directory: Directory) -> None:
        self._services = services
        self._directory = directory

    async def values(self, query: Mapping[str, str]) -> dict[str, Any]:
        given = {name: query[name].strip() for name in ("q", "sort", "offset") if query.get(name, "").strip()}
        words = given.get("q", "").casefold().split()
        everything = (await self._directory.now()).applications
        found = [row for row in everything if all(word in row.text for word in words)]
        found = await self._sorted(found, given.get("sort", "name"))
        offset = int(given["offset"]) if given.get("offset", "").isdecimal() else 0
        rows = await self._rows(found[offset : offset + _ROWS])
        return {
            "given": given,
            "words": words,
            "rows": rows,
            "looks": await awaiting(self._services, [row.last_run for row in rows if row.last_run]),
            "number": len(found),
            "all": len(everything),
            "first": offset + 1,
            "next": offset + _ROWS if offset + _ROWS < len(found) else None,
            "before": max(offset - _ROWS, 0) if offset else None,
            "fate_of": fate_of,
            **catalog_words(self._services),
        }

    async def _sorted(self, rows: list[ApplicationRow], sort: str) -> list[ApplicationRow]:
        column = sort.removeprefix("-")
        if column not in _SORTS:
            return rows
        keys: Mapping[str, Any] = {}
        if column == "page":
            keys = await self._services.audit.latest()
        elif column == "execution":
            keys = {
                name: run.at.isoformat() for name, run in (await self._services.executions.latest()).items()
            }
        else:
            keys = {row.name: _ATTRIBUTES[column](row).casefold() for row in rows}
        # Those without come last, whichever way it goes.
        some, none = (
            [row for row in rows if keys.get(row.name)],
            [row for row in rows if not keys.get(row.name)],
        )
        some.sort(key=lambda row: keys[row.name], reverse=sort.startswith("-"))
        return some + none

    async def _rows(self, shown: Sequence[ApplicationRow]) -> list[_Row]:
        services, names = self._services, [row.name for row in shown]
        latest = await services.audit.latest(names)
        pages = await services.audit.pages(list(latest.values()))
        runs = await services.executions.latest(names)
        now = services.clock.now()
        return [
            _Row(row, _levels(services, row, now), pages.get(latest.get(row.name, "")), runs.get(row.name))
            for row in shown
        ]


def _levels(services: WebServices, row: ApplicationRow, now: datetime) -> tuple[Level, ...]:
    if row.service is None or row.service.policy_id is None:
        return ()
    return levels_at(services.catalog.oncalls_of(row.service.policy_id), now)


async def _about(services: WebServices, name: str) -> dict[str, Any]:
    document = await services.applications.get(name)
    name = application_id(str(document["name"]))
    owner = services.ownership.owner_of(document)
    found = await services.audit.find(Filters(application=name), limit=5)
    runs = await services.executions.latest([name])
    pipelines = await services.pipelines.of_application(name)
    preflight = await services.preflights.preflight(applications=[name], caller=ANONYMOUS)
    return {
        "name": name,
        "document": services.ownership.without_key(document),
        "owner": owner,
        "levels": levels_at(owner.oncalls, services.clock.now()),
        "problems": [one for target in preflight.targets for one in target.problems] or list(preflight.problems),
        "attributes": shown_attributes(services.ownership.without_key(document)),
        "created_at": from_ms(int(document["createTs"])),
        "updated_at": from_ms(int(document["updateTs"])),
        "pages": found.pages,
        "last_run": runs.get(name),
        "pipelines": pipelines,
        "may_delete": name != SPINNAKER,
        "fate_of": fate_of,
        "looks": await awaiting(services, runs.values()),
        **catalog_words(services),
    }  # fmt: skip


def _told(services: WebServices, versions: Sequence[Mapping[str, Any]]) -> Iterator[_Version]:
    """Say what each version changed, newest first; the oldest of a cut list says nothing."""
    shown = [services.ownership.without_key(one) for one in versions]
    for place, document in enumerate(shown):
        before = shown[place + 1] if place + 1 < len(shown) else {"deleted": True}
        is_new = bool(before.get("deleted"))
        deed = "deleted" if document.get("deleted") else "created" if is_new else "changed"
        differences = () if deed == "deleted" else tuple(changes_between({} if is_new else before, document))
        at = from_ms(int(document.get("updateTs") or 0))
        yield _Version(at, str(document.get("lastModifiedBy") or "unknown"), deed, differences)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value in (None, [], {}) else msgspec.json.encode(value).decode()


def _name(request: Request) -> str:
    return str(request.path_params["name"])
