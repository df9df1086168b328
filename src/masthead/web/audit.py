"""What was paged: the list with its filters in the address, one page with its fate, and what can still be done.

A page is looked at anew while something of it is undecided. Everything works without a script; forms of other
origins are refused before they come here (``api/cors.py``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from masthead.kernel.errors import Conflict, InvalidRequest, NotFound
from masthead.paging import Delivery, DeliveryState, IncidentState, Kind, NotOpened, Page, Paging
from masthead.paging.audit import Audit
from masthead.paging.filters import Filters
from masthead.web.rendering import Renderer

__all__ = ["Fate", "audit_routes", "fate_of"]

_ROWS = 50
_WHY = {
    NotOpened.DISABLED: "the service is disabled",
    NotOpened.MAINTENANCE: "the service is in maintenance",
    NotOpened.ALREADY_OPEN: "an incident that was open took it",
    NotOpened.NOBODY_ON_CALL: "nobody seems to be on call",
    NotOpened.SUPPRESSED: "a rule at PagerDuty seems to have suppressed it",
}
_ACTIONS = {"acknowledge": Kind.ACKNOWLEDGE, "resolve": Kind.RESOLVE}


@dataclass(frozen=True)
class Fate:
    """What became of a delivery: shape, word and kind of colour, and what there is to say."""

    mark: str
    word: str
    #: A class of the stylesheet: running, succeeded, failed or neutral.
    style: str
    more: str = ""


def fate_of(delivery: Delivery) -> Fate:
    """Say what became of *delivery*, without claiming more than is known."""
    if delivery.state is DeliveryState.PENDING:
        tried = f"tried {delivery.attempts} times: {delivery.text}" if delivery.attempts else ""
        return Fate("…", "being sent", "running", tried)
    if delivery.state is DeliveryState.REJECTED:
        return Fate("✕", "refused", "failed", delivery.text)
    if delivery.state is DeliveryState.EXPIRED:
        return Fate("✕", "given up", "failed", delivery.text)
    return _incident_fate(delivery)


def _incident_fate(delivery: Delivery) -> Fate:
    incident = delivery.incident
    number = f"incident #{incident.number}" if incident.number else "incident"
    who = f", {incident.assignee}" if incident.assignee else ""
    if incident.state is IncidentState.NOT_OPENED:
        return Fate("✕", "no incident", "failed", _WHY[incident.reason] if incident.reason else "")
    if incident.state is IncidentState.TRIGGERED:
        return Fate("!", f"{number} triggered{who}", "running")
    if incident.state is IncidentState.ACKNOWLEDGED:
        return Fate("✓", f"{number} acknowledged{who}", "succeeded")
    if incident.state is IncidentState.RESOLVED:
        return Fate("✓", f"{number} resolved", "succeeded")
    known = "not looked up yet" if incident.is_awaited else "whether an incident was opened is not known"
    return Fate("↑", "accepted by PagerDuty", "neutral", known)


def audit_routes(audit: Audit, paging: Paging, renderer: Renderer) -> Sequence[BaseRoute]:
    """Give the routes under ``/ui/pages``."""

    async def listed(request: Request) -> Response:
        query = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
        try:
            found = await audit.find(_filters(query), limit=_ROWS, cursor=query.get("cursor"))
        except InvalidRequest as error:
            return renderer.page("pages.html", 400, **_listing(query, (), None, error.message))
        return renderer.page("pages.html", **_listing(query, found.pages, found.cursor, None))

    async def shown(request: Request) -> Response:
        return await show(request, None)

    async def act(request: Request, action: str) -> Response:
        page_id = request.path_params["id"]
        try:
            if action == "resend":
                await paging.resend(page_id, request.scope["masthead.caller"])
            else:
                await paging.follow_up(page_id, _ACTIONS[action], request.scope["masthead.caller"])
        except (Conflict, InvalidRequest) as error:
            return await show(request, error.message)
        return RedirectResponse(f"/ui/pages/{page_id}", status_code=303)

    async def show(request: Request, refusal: str | None) -> Response:
        try:
            entry = await audit.entry(request.path_params["id"])
        except NotFound as error:
            return renderer.page("missing.html", 404, sentence=error.message)
        page = entry.page
        failed = page.in_state(DeliveryState.REJECTED, DeliveryState.EXPIRED)
        return renderer.page(
            "page.html",
            409 if refusal else 200,
            page=page,
            entry=entry,
            refusal=refusal,
            fate_of=fate_of,
            is_moving=_is_moving(page),
            may_resend=bool(failed),
            may_follow_up=page.kind is Kind.TRIGGER and len(failed) < len(page.deliveries),
        )

    return [
        Route("/ui/pages", listed, methods=["GET"], name="pages asked for"),
        Route("/ui/pages/{id}", shown, methods=["GET"], name="page"),
        *(
            Route(f"/ui/pages/{{id}}/{action}", _doing(act, action), methods=["POST"], name=action)
            for action in ("resend", *_ACTIONS)
        ),
    ]


def _doing(
    act: Callable[[Request, str], Awaitable[Response]], action: str
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await act(request, action)

    return endpoint


def _is_moving(page: Page) -> bool:
    """Whether looking again soon may show something else."""
    return any(not one.is_decided or one.incident.is_awaited for one in page.deliveries)


def _filters(query: dict[str, str]) -> Filters:
    states: frozenset[DeliveryState] = frozenset()
    if "state" in query:
        if query["state"] not in set(DeliveryState):
            raise InvalidRequest(f"There is no state of that name; there are {', '.join(DeliveryState)}.")
        states = frozenset({DeliveryState(query["state"])})
    return Filters(
        states=states,
        application=query.get("application"),
        service=query.get("service"),
        words=tuple(query.get("text", "").split()),
    )


def _listing(
    query: dict[str, str], pages: Sequence[Page], cursor: str | None, problem: str | None
) -> dict[str, Any]:
    kept = {name: value for name, value in query.items() if name != "cursor"}
    return {
        "pages": pages,
        "query": kept,
        "states": list(DeliveryState),
        "older": "?" + urlencode(kept | {"cursor": cursor}) if cursor else None,
        "exports": urlencode(kept),
        "is_first": "cursor" not in query,
        "problem": problem,
        "fate_of": fate_of,
    }
