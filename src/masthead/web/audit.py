"""What was paged: the list with its filters in the address, one page with its fate, and what can still be done.

A page is looked at anew while something of it is undecided. Everything works without a script.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from masthead.kernel.errors import Conflict, InvalidRequest
from masthead.paging import Delivery, DeliveryState, IncidentState, Kind, NotOpened, Page
from masthead.paging.filters import Filters
from masthead.web.domain import WebServices
from masthead.web.forms import read_form
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
    """What became of a delivery, and what there is to say about it."""

    #: A kind of status, with its shape and colour: running, succeeded, failed, warning or neutral.
    kind: str
    word: str
    more: str = ""


def fate_of(delivery: Delivery) -> Fate:
    """Say what became of *delivery*, without claiming more than is known."""
    if delivery.state is DeliveryState.PENDING:
        tried = f"tried {delivery.attempts} times: {delivery.text}" if delivery.attempts else ""
        return Fate("running", "being sent", tried)
    if delivery.state is DeliveryState.REJECTED:
        return Fate("failed", "refused", delivery.text)
    if delivery.state is DeliveryState.EXPIRED:
        return Fate("failed", "given up", delivery.text)
    return _incident_fate(delivery)


def _incident_fate(delivery: Delivery) -> Fate:
    incident = delivery.incident
    number = f"incident #{incident.number}" if incident.number else "incident"
    who = f", {incident.assignee}" if incident.assignee else ""
    if incident.state is IncidentState.NOT_OPENED:
        return Fate("failed", "no incident", _WHY[incident.reason] if incident.reason else "")
    if incident.state is IncidentState.TRIGGERED:
        return Fate("warning", f"{number} triggered{who}")
    if incident.state is IncidentState.ACKNOWLEDGED:
        return Fate("succeeded", f"{number} acknowledged{who}")
    if incident.state is IncidentState.RESOLVED:
        return Fate("succeeded", f"{number} resolved")
    known = "not looked up yet" if incident.is_awaited else "whether an incident was opened is not known"
    return Fate("neutral", "accepted by PagerDuty", known)


def audit_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the routes under ``/ui/pages``."""
    audit, paging = services.audit, services.paging

    async def listed(request: Request) -> Response:
        query = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
        try:
            found = await audit.find(_filters(query), limit=_ROWS, cursor=query.get("cursor"))
        except InvalidRequest as error:
            return renderer.page(request, "pages.html", 400, **_listing(query, (), None, error.message))
        return renderer.page(request, "pages.html", **_listing(query, found.pages, found.cursor, None))

    async def shown(request: Request) -> Response:
        return await show(request, None)

    async def act(request: Request, action: str) -> Response:
        page_id = request.path_params["id"]
        await read_form(request)
        try:
            if action == "resend":
                await paging.resend(page_id, request.scope["masthead.caller"])
            else:
                await paging.follow_up(page_id, _ACTIONS[action], request.scope["masthead.caller"])
        except (Conflict, InvalidRequest) as error:
            return await show(request, error.message)
        return RedirectResponse(f"/ui/pages/{page_id}", status_code=303)

    async def show(request: Request, refusal: str | None) -> Response:
        entry = await audit.entry(request.path_params["id"])
        page = entry.page
        failed = page.in_state(DeliveryState.REJECTED, DeliveryState.EXPIRED)
        return renderer.page(
            request,
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
