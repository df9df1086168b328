"""The overview: what Masthead knows, which applications page whom, and what to do when something is missing.

The other pages hang under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from masthead.applications import Applications
from masthead.catalog import Catalog, Roster
from masthead.config import Settings
from masthead.executions import Executions
from masthead.kernel.clock import Clock
from masthead.ownership import Lint, Owner, Ownership, Preflights
from masthead.paging import Paging
from masthead.paging.audit import Audit
from masthead.pipelines import Pipelines
from masthead.web.audit import audit_routes
from masthead.web.rendering import STATIC, Renderer
from masthead.web.services import age_of, service_routes

__all__ = ["WebServices", "pages"]

_MOST_ROWS = 200


@dataclass(frozen=True)
class WebServices:
    """What the pages show."""

    applications: Applications
    catalog: Catalog
    ownership: Ownership
    settings: Settings
    clock: Clock
    version: str
    audit: Audit
    paging: Paging
    pipelines: Pipelines
    executions: Executions
    preflights: Preflights
    lint: Lint
    roster: Roster


@dataclass(frozen=True)
class _Row:
    name: str
    email: str
    owner: Owner


def pages(services: WebServices) -> Sequence[BaseRoute]:
    """Give the routes of the pages."""
    renderer = Renderer(
        version=services.version, shows_paging=services.settings.deck.feature_pager_duty is not False
    )

    async def overview(_request: Request) -> Response:
        return renderer.page("overview.html", **await _overview(services))

    async def stylesheet(_request: Request) -> Response:
        return FileResponse(
            STATIC / "ui.css", media_type="text/css", headers={"X-Content-Type-Options": "nosniff"}
        )

    return [
        Route("/ui/", overview, methods=["GET"], name="overview"),
        Route("/ui/static/ui.css", stylesheet, methods=["GET"], name="stylesheet"),
        *service_routes(
            services.catalog, services.clock, renderer, prefer_v1=services.settings.events.prefer_v1
        ),
        *audit_routes(services.audit, services.paging, renderer),
    ]


async def _overview(services: WebServices) -> dict[str, Any]:
    documents = await services.applications.list_all()
    rows = [
        _Row(str(one["name"]), str(one.get("email") or ""), services.ownership.owner_of(one))
        for one in documents[:_MOST_ROWS]
    ]
    state = services.catalog.state
    return {
        "rows": rows,
        "left_out": max(len(documents) - _MOST_ROWS, 0),
        "state": state,
        "services_age": age_of(state.services_fetched_at, services.clock),
        "oncalls_age": age_of(state.oncalls_fetched_at, services.clock),
        "events_enabled": services.settings.events.enabled,
    }
