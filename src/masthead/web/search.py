"""Search everywhere: applications, services, people on call, pipelines, executions and pages, by words or by id.

What was looked at lately is kept by the browser alone (``assets/js/recent.js``): titles and addresses, never a key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from masthead.kernel.errors import NotFound
from masthead.paging.filters import Filters
from masthead.web.audit import fate_of
from masthead.web.directory import levels_at
from masthead.web.domain import WebServices
from masthead.web.rendering import Renderer, is_fragment
from masthead.web.services import catalog_words

__all__ = ["search_routes"]

_MOST_HITS = 8
#: Ids of ours: 26 letters and digits of a ULID.
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.IGNORECASE)


@dataclass(frozen=True)
class Hit:
    """One thing that was found."""

    title: str
    path: str
    more: str = ""
    #: Kind of status and word, where it has one.
    status: tuple[str, str] | None = None


@dataclass(frozen=True)
class Group:
    """Things of one kind."""

    title: str
    hits: Sequence[Hit]
    #: Where all of them are listed, when there are more.
    all_at: str | None = None


def search_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the route of the search; ``q`` in its address is what is looked for."""

    async def found(request: Request) -> Response:
        text = request.query_params.get("q", "").strip()
        is_part = is_fragment(request)
        if _ID.fullmatch(text) and not is_part and (place := await _place_of(services, text)):
            return RedirectResponse(place, status_code=303)
        values = {"text": text, "groups": await _groups(services, text), **catalog_words(services)}
        if is_part:
            return renderer.fragment(request, "search.html", "found", **values)
        return renderer.page(request, "search.html", **values)

    return [Route("/ui/search", found, methods=["GET"], name="search")]


async def _place_of(services: WebServices, id_: str) -> str | None:
    """Give the address of the execution or page with this id, or None."""
    for hits in (await _executions(services, id_), await _page(services, id_)):
        for hit in hits:
            return hit.path
    return None


async def _groups(services: WebServices, text: str) -> list[Group]:
    if not text:
        return []
    groups = [
        await _applications(services, text),
        _services(services, text),
        _people(services, text),
        await _pipelines(services, text),
        Group("Executions", await _executions(services, text)),
        await _pages(services, text),
    ]
    return [group for group in groups if group.hits]


async def _applications(services: WebServices, text: str) -> Group:
    words, label_of = text.casefold().split(), services.ownership.owner_of
    found: list[Hit] = []
    rank: list[tuple[bool, str]] = []
    for document in await services.applications.list_all():
        name = str(document["name"]).lower()
        email, owner = str(document.get("email") or ""), label_of(document)
        said = " ".join(
            (name, email, str(document.get("description") or ""), str(document.get("aliases") or ""))
        )
        haystack = f"{said} {owner.label or ''}".casefold()
        if all(word in haystack for word in words):
            found.append(
                Hit(
                    name,
                    f"/ui/applications/{quote(name, safe='')}",
                    f"{email} · {owner.label or 'no PagerDuty service'}",
                )
            )
            rank.append((not name.startswith(words[0]), name))
    ordered = [hit for _, hit in sorted(zip(rank, found, strict=True), key=lambda pair: pair[0])]
    return _group("Applications", ordered, f"/ui/applications?{urlencode({'q': text})}")


def _services(services: WebServices, text: str) -> Group:
    found = services.catalog.search_services(text)
    hits = []
    nobody = "not known" if services.catalog.state.oncalls_fetched_at is None else "nobody"
    for one in found[: _MOST_HITS + 1]:
        oncalls = services.catalog.oncalls_of(one.policy_id) if one.policy_id else ()
        levels = levels_at(oncalls, services.clock.now())
        more = f"policy {one.policy_name or 'none'} · on call: {levels[0].names if levels else nobody}"
        hits.append(Hit(one.name, f"/ui/services?{urlencode({'q': one.name})}", more))
    return _group("PagerDuty services", hits, f"/ui/services?{urlencode({'q': text})}")


def _people(services: WebServices, text: str) -> Group:
    words = text.casefold().split()
    places: dict[str, list[str]] = {}
    now = services.clock.now()
    for one in services.catalog.oncalls():
        if one.user_id and not one.is_over(now) and all(word in one.user_name.casefold() for word in words):
            places.setdefault(one.user_name, []).append(f"{one.policy_name} level {one.level}")
    hits = [
        Hit(name, f"/ui/oncall?{urlencode({'whose': 'all', 'q': name})}", ", ".join(sorted(set(where))[:4]))
        for name, where in sorted(places.items())
    ]
    return _group("People on call", hits, f"/ui/oncall?{urlencode({'whose': 'all', 'q': text})}")


async def _pipelines(services: WebServices, text: str) -> Group:
    found = await services.pipelines.search(text, limit=_MOST_HITS + 1)
    hits = [Hit(one["name"], _pipeline_path(one), str(one["application"])) for one in found]
    return _group("Pipelines", hits, f"/ui/pipelines?{urlencode({'q': text})}")


def _pipeline_path(pipeline: dict[str, Any]) -> str:
    application, id_ = str(pipeline["application"]).lower(), str(pipeline["id"])
    return f"/ui/applications/{quote(application, safe='')}/pipelines/{quote(id_, safe='')}/edit"


async def _executions(services: WebServices, text: str) -> list[Hit]:
    if not _ID.fullmatch(text):
        return []
    try:
        found = await services.executions.get_execution(text.upper())
    except NotFound:
        return []
    name = str(found.get("name") or found.get("description") or "Execution")
    return [
        Hit(name, f"/ui/executions/{found['id']}", f"{found['application']} · {str(found['status']).lower()}")
    ]


async def _pages(services: WebServices, text: str) -> Group:
    if hits := await _page(services, text):
        return Group("Pages", hits)
    listing = await services.audit.find(Filters(words=tuple(text.split())), limit=_MOST_HITS + 1)
    found = []
    for page in listing.pages:
        fate = fate_of(page.deliveries[0]) if page.deliveries else None
        more = f"{page.created_at:%Y-%m-%d %H:%M} · {page.application or 'no application'}"
        found.append(
            Hit(page.message, f"/ui/pages/{page.id}", more, (fate.kind, fate.word) if fate else None)
        )
    return _group("Pages", found, f"/ui/pages?{urlencode({'text': text})}")


async def _page(services: WebServices, text: str) -> list[Hit]:
    if not _ID.fullmatch(text):
        return []
    try:
        page = (await services.audit.entry(text.upper())).page
    except NotFound:
        return []
    return [Hit(page.message, f"/ui/pages/{page.id}", f"{page.created_at:%Y-%m-%d %H:%M}")]


def _group(title: str, hits: Sequence[Hit], all_at: str) -> Group:
    return Group(title, hits[:_MOST_HITS], all_at if len(hits) > _MOST_HITS else None)
