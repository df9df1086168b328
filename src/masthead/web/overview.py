"""The overview, which people want first: what is going on, what is missing, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.applications import SPINNAKER
from masthead.executions.store import Latest
from masthead.paging.filters import Filters
from masthead.web.audit import fate_of
from masthead.web.awaiting import awaiting
from masthead.web.directory import ApplicationRow, Directory, Level, Snapshot, levels_at
from masthead.web.domain import WebServices
from masthead.web.executions_list import SHORTCUTS
from masthead.web.rendering import Renderer
from masthead.web.services import catalog_words

__all__ = ["overview_routes"]

_MOST_APPLICATIONS = 12
_MOST_PAGES = 6


@dataclass(frozen=True, slots=True)
class _Row:
    application: ApplicationRow
    levels: tuple[Level, ...]
    last_run: Latest | None


@dataclass(frozen=True, slots=True)
class _Step:
    """Something to do once, before the first page goes out."""

    title: str
    is_done: bool
    #: What to do, and where.
    advice: str
    link: str = ""
    link_title: str = ""


def overview_routes(services: WebServices, renderer: Renderer, directory: Directory) -> Sequence[Route]:
    """Give the route of the first page."""

    async def overview(request: Request) -> Response:
        values = await _overview(services, await directory.now())
        return renderer.page(request, "overview.html", **values)

    return [Route("/ui/", overview, methods=["GET"], name="overview")]


async def _overview(services: WebServices, snapshot: Snapshot) -> dict[str, Any]:
    pages = (await services.audit.find(Filters(), limit=_MOST_PAGES)).pages
    runs = await services.executions.latest()
    paged = await services.audit.latest()
    own = [row for row in snapshot.applications if row.name != SPINNAKER]
    rows = _rows(services, own or snapshot.applications, runs, set(paged), services.clock.now())
    return {
        "pages": pages,
        "rows": rows,
        "looks": await awaiting(services, [row.last_run for row in rows if row.last_run]),
        "number": len(own),
        "without": sum(1 for row in own if row.label is None),
        "steps": _steps(services, own, has_paged=bool(pages), has_run=bool(runs)),
        "shortcuts": SHORTCUTS if runs else (),
        "fate_of": fate_of,
        "events_enabled": services.settings.events.enabled,
        **catalog_words(services),
    }


def _rows(
    services: WebServices,
    applications: Sequence[ApplicationRow],
    runs: dict[str, Latest] | Any,
    paged: set[str],
    now: datetime,
) -> list[_Row]:
    """Give the applications in which something happened, the latest run first, then the others by name."""

    def place(row: ApplicationRow) -> tuple[float, bool, str]:
        run = runs.get(row.name)
        return -run.at.timestamp() if run else 0.0, row.name not in paged, row.name

    rows = []
    for row in sorted(applications, key=place)[:_MOST_APPLICATIONS]:
        policy = row.service.policy_id if row.service else None
        oncalls = services.catalog.oncalls_of(policy) if policy else ()
        rows.append(_Row(row, levels_at(oncalls, now), runs.get(row.name)))
    return rows


def _reading(services: WebServices) -> str:
    if services.catalog.state.services_trouble is not None:
        return "There is a token, and PagerDuty cannot be read with it: see above."
    return "Set pager-duty.token in Gate's profile: a REST token that may read services and on-calls."


def _steps(
    services: WebServices, own: Sequence[ApplicationRow], *, has_paged: bool, has_run: bool
) -> list[_Step]:
    """Give what is to be done before the first page; none once somebody was paged."""
    state = services.catalog.state
    is_read = state.services_fetched_at is not None and bool(state.services)
    if has_paged and own and is_read:
        return []
    return [
        _Step("Let Masthead send", services.settings.events.enabled, "Set pager-duty.enabled: true in Echo's profile."),
        _Step(
            "Let Masthead read PagerDuty",
            is_read,
            _reading(services),
        ),
        _Step("Create an application", bool(own), "It is what a team owns.", "/ui/new/application", "Create application"),
        _Step(
            "Choose its PagerDuty service",
            any(row.service for row in own),
            "It says who is woken.",
            "/ui/applications",
            "Applications",
        ),
        _Step("Page, or run a pipeline that pages", has_paged or has_run, "Before it wakes anybody, it says whom.", "/ui/page", "Page"),
    ]  # fmt: skip
