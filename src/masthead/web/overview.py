"""The overview: what Masthead knows, which applications page whom, and what to do when something is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.ownership import Owner
from masthead.web.domain import WebServices
from masthead.web.rendering import Renderer
from masthead.web.services import catalog_words

__all__ = ["overview_routes"]

_MOST_ROWS = 200


@dataclass(frozen=True)
class _Row:
    name: str
    email: str
    owner: Owner


def overview_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the route of the first page."""

    async def overview(request: Request) -> Response:
        return renderer.page(request, "overview.html", **await _overview(services))

    return [Route("/ui/", overview, methods=["GET"], name="overview")]


async def _overview(services: WebServices) -> dict[str, Any]:
    documents = await services.applications.list_all()
    rows = [
        _Row(str(one["name"]), str(one.get("email") or ""), services.ownership.owner_of(one))
        for one in documents[:_MOST_ROWS]
    ]
    return {
        "rows": rows,
        "left_out": max(len(documents) - _MOST_ROWS, 0),
        "events_enabled": services.settings.events.enabled,
        **catalog_words(services),
    }
