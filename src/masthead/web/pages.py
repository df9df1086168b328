"""The overview: what Masthead knows, which applications page whom, and what to do when something is missing.

Rendered on the server with strict headers: no script, no request to another host, no integration key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from masthead.applications import Applications
from masthead.catalog import Catalog, CatalogState
from masthead.config import Settings
from masthead.kernel.caller import ANONYMOUS
from masthead.kernel.clock import Clock
from masthead.ownership import Owner, Ownership

__all__ = ["WebServices", "pages"]

_HERE = Path(__file__).parent
_MOST_ROWS = 200
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class WebServices:
    """What the pages show."""

    applications: Applications
    catalog: Catalog
    ownership: Ownership
    settings: Settings
    clock: Clock
    version: str


@dataclass(frozen=True)
class _Row:
    name: str
    email: str
    owner: Owner


def pages(services: WebServices) -> Sequence[BaseRoute]:
    """Give the routes of the pages."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    template = environment.get_template("overview.html")

    async def overview(_request: Request) -> Response:
        page = template.render(await _overview(services))
        return HTMLResponse(page, headers=_HEADERS)

    async def stylesheet(_request: Request) -> Response:
        return FileResponse(
            _HERE / "static" / "ui.css", media_type="text/css", headers={"X-Content-Type-Options": "nosniff"}
        )

    return [
        Route("/ui/", overview, methods=["GET"], name="overview"),
        Route("/ui/static/ui.css", stylesheet, methods=["GET"], name="stylesheet"),
    ]


async def _overview(services: WebServices) -> dict[str, Any]:
    documents = await services.applications.list_all()
    rows = [
        _Row(
            str(one["name"]),
            str(one.get("email", "")),
            await services.ownership.owner(str(one["name"]), ANONYMOUS),
        )
        for one in documents[:_MOST_ROWS]
    ]
    state = services.catalog.state
    return {
        "rows": rows,
        "left_out": max(len(documents) - _MOST_ROWS, 0),
        "state": state,
        "age": _age(services, state),
        "shows_paging": services.settings.deck.feature_pager_duty is not False,
        "events_enabled": services.settings.events.enabled,
        "version": services.version,
    }


def _age(services: WebServices, state: CatalogState) -> str:
    if state.services_fetched_at is None:
        return "never"
    seconds = (services.clock.now() - state.services_fetched_at).total_seconds()
    minutes = int(seconds // 60)
    return f"{minutes} min ago" if minutes else "less than a minute ago"
