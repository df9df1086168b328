"""Every version of a pipeline: who saved it when, what changed, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.clock import from_ms
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.web.difference import DiffLine, count_changes, diff
from masthead.web.domain import WebServices
from masthead.web.editor_panels import edited
from masthead.web.editor_secrets import Secrets
from masthead.web.forms import read_form
from masthead.web.pipelines import pipeline_of
from masthead.web.rendering import Renderer

__all__ = ["history_routes"]

_MOST = 100


@dataclass(frozen=True, slots=True)
class _Version:
    """A version as the list shows it."""

    mark: str
    by: str
    at: datetime
    #: Lines that came and went since the version before; None for the oldest that is known.
    added: int | None
    removed: int | None


def history_routes(services: WebServices, renderer: Renderer, secrets: Secrets) -> Sequence[Route]:
    """Give the routes of the history."""

    async def shown(request: Request) -> Response:
        return await show(request)

    async def show(request: Request, refusal: str = "") -> Response:
        stored = await pipeline_of(services, request)
        raw = await services.pipelines.history(stored["id"], _MOST)
        chosen = request.path_params.get("version") or request.query_params.get("version") or ""
        against = request.query_params.get("against", "before")
        # On a thread: to compare pipelines of megabytes takes seconds.
        values = await asyncio.to_thread(_compared, raw, secrets, chosen, against)
        return renderer.page(
            request,
            "pipeline_history.html",
            400 if refusal else 200,
            stored=stored,
            application=str(stored["application"]),
            against=against,
            refusal=refusal,
            **values,
        )

    async def restore(request: Request) -> Response:
        await read_form(request)
        stored = await pipeline_of(services, request)
        version = request.path_params["version"]
        raw = await services.pipelines.history(stored["id"], _MOST)
        wanted = next(
            (one for one in raw if str(one["updateTs"]) == version and not one.get("deleted")), None
        )
        if wanted is None:
            raise NotFound("There is no such version of this pipeline.")
        caller: Caller = request.scope.get("masthead.caller", ANONYMOUS)
        try:
            document = {**wanted, "updateTs": stored["updateTs"]}
            await services.pipelines.update(stored["id"], document, caller, stale_check=True)
        except InvalidRequest as error:
            return await show(request, error.message)
        back = request.url.path.rpartition(f"/{version}/restore")[0]
        return renderer.redirect(back, say="That version is stored again, as the newest.")

    at = "/ui/applications/{app}/pipelines/{id}/history"
    return [
        Route(at, shown, methods=["GET"], name="history of a pipeline"),
        Route(f"{at}/{{version}}/restore", restore, methods=["POST"], name="restore a version"),
    ]


def _compared(raw: Sequence[dict[str, Any]], secrets: Secrets, chosen: str, against: str) -> dict[str, Any]:
    """Give the versions and what the *chosen* one, else the newest, changed or what has changed since."""
    hidden = [edited(secrets.hide(one)) for one in raw]
    marks = [str(one["updateTs"]) for one in raw]
    place = marks.index(chosen) if chosen in marks else 0
    other = hidden[0] if against == "now" else hidden[place + 1] if place + 1 < len(hidden) else None
    lines: Sequence[DiffLine] = ()
    if other is not None:
        lines = diff(hidden[place], other) if against == "now" else diff(other, hidden[place])
    return {
        "versions": _versions(raw, hidden),
        "chosen": marks[place],
        "is_newest": place == 0,
        "is_oldest": other is None,
        "lines": lines,
    }


def _versions(raw: Sequence[dict[str, Any]], hidden: Sequence[dict[str, Any]]) -> list[_Version]:
    found = []
    for place, one in enumerate(raw):
        changes = count_changes(hidden[place + 1], hidden[place]) if place + 1 < len(hidden) else (None, None)
        found.append(
            _Version(
                mark=str(one["updateTs"]),
                by=str(one.get("lastModifiedBy") or "anonymous"),
                at=from_ms(int(one["updateTs"])),
                added=changes[0],
                removed=changes[1],
            )
        )
    return found
