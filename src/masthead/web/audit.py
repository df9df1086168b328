"""What was paged: the list with its filters in the address, one page with its fate, and what can still be done.

A page is looked at anew while something of it is undecided. Everything works without a script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.kernel.errors import Conflict, InvalidRequest
from masthead.pagerduty import Severity
from masthead.paging import Delivery, DeliveryState, IncidentState, Kind, NotOpened, Page
from masthead.paging.audit import Entry, Listing
from masthead.paging.filters import Filters
from masthead.web.audit_query import read_filters, read_query
from masthead.web.domain import WebServices
from masthead.web.forms import read_form
from masthead.web.rendering import Renderer, is_fragment
from masthead.web.steps import steps_of

__all__ = ["Fate", "audit_routes", "deeds_of", "fate_of"]

_ROWS = 50
_WHY = {
    NotOpened.DISABLED: "the service is disabled",
    NotOpened.MAINTENANCE: "the service is in maintenance",
    NotOpened.ALREADY_OPEN: "an incident that was open took it",
    NotOpened.NOBODY_ON_CALL: "nobody seems to be on call",
    NotOpened.SUPPRESSED: "a rule at PagerDuty seems to have suppressed it",
}
_ACTIONS = {"acknowledge": Kind.ACKNOWLEDGE, "resolve": Kind.RESOLVE}
#: The states of an incident in which a deed does nothing.
_ENDED = {
    "acknowledge": {IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED, IncidentState.NOT_OPENED},
    "resolve": {IncidentState.RESOLVED, IncidentState.NOT_OPENED},
}
_SAID = {
    "resend": "What failed is being sent again.",
    "acknowledge": "PagerDuty is being asked to acknowledge it.",
    "resolve": "PagerDuty is being asked to resolve it.",
}
_RANGES = (("1h", "last hour"), ("24h", "last 24 hours"), ("7d", "last 7 days"))
#: How soon a page is looked at again: while it is new, and later.
_SOON_S, _LATER_S = 2, 10
_FRESH = timedelta(minutes=5)


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
        tried = f"tried {_times(delivery.attempts)}: {delivery.text}" if delivery.attempts else ""
        return Fate("running", "being sent", tried)
    if delivery.state is DeliveryState.REJECTED:
        return Fate("failed", "refused", delivery.text)
    if delivery.state is DeliveryState.EXPIRED:
        return Fate("failed", "given up", delivery.text)
    return _incident_fate(delivery)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _incident_fate(delivery: Delivery) -> Fate:
    incident = delivery.incident
    number = f"incident #{incident.number}" if incident.number else "incident"
    who = incident.assignee
    if incident.state is IncidentState.NOT_OPENED:
        return Fate("failed", "no incident", _WHY[incident.reason] if incident.reason else "")
    if incident.state is IncidentState.TRIGGERED:
        return Fate("warning", f"{number} triggered", f"assigned to {who}" if who else "")
    if incident.state is IncidentState.ACKNOWLEDGED:
        return Fate("succeeded", f"{number} acknowledged" + (f" by {who}" if who else ""))
    if incident.state is IncidentState.RESOLVED:
        return Fate("succeeded", f"{number} resolved")
    known = "not looked up yet" if incident.is_awaited else "whether an incident was opened is not known"
    return Fate("neutral", "accepted by PagerDuty", known)


def audit_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the routes under ``/ui/pages``."""
    pages = _Pages(services, renderer)
    return [
        Route("/ui/pages", pages.listed, methods=["GET"], name="pages asked for"),
        Route("/ui/pages/{id}", pages.shown, methods=["GET"], name="page"),
        *(
            Route(f"/ui/pages/{{id}}/{action}", pages.doing(action), methods=["POST"], name=action)
            for action in ("resend", *_ACTIONS)
        ),
    ]


class _Pages:
    def __init__(self, services: WebServices, renderer: Renderer) -> None:
        self._services = services
        self._renderer = renderer

    async def listed(self, request: Request) -> Response:
        query = read_query(request.query_params)
        try:
            filters = read_filters(query, self._services.catalog, now=self._services.clock.now())
            found = await self._services.audit.find(filters, limit=_ROWS, cursor=query.get("cursor"))
        except InvalidRequest as error:
            return self._list(request, _listing(query, Filters(), Listing((), None), error.message), 400)
        return self._list(request, _listing(query, filters, found, None), 200)

    def _list(self, request: Request, values: dict[str, Any], status: int) -> Response:
        if not is_fragment(request):
            return self._renderer.page(request, "pages.html", status, **values)
        answer = self._renderer.fragment(request, "pages.html", "found", **values)
        answer.headers["HX-Replace-Url"] = f"/ui/pages{values['address']}"
        return answer

    async def shown(self, request: Request) -> Response:
        return await self._show(request, None)

    def doing(self, action: str) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            page_id, caller = request.path_params["id"], request.scope["masthead.caller"]
            await read_form(request)
            try:
                if action == "resend":
                    await self._services.paging.resend(page_id, caller)
                else:
                    await self._services.paging.follow_up(page_id, _ACTIONS[action], caller)
            except (Conflict, InvalidRequest) as error:
                return await self._show(request, error.message)
            return self._renderer.redirect(f"/ui/pages/{page_id}", say=_SAID[action])

        return endpoint

    async def _show(self, request: Request, refusal: str | None) -> Response:
        entry = await self._services.audit.entry(request.path_params["id"])
        values = _shown(entry, refusal, self._services.clock.now())
        if is_fragment(request):
            return self._renderer.fragment(request, "page.html", "fate", **values)
        return self._renderer.page(request, "page.html", 409 if refusal else 200, **values)


def _shown(entry: Entry, refusal: str | None, now: datetime) -> dict[str, Any]:
    page = entry.page
    failed = page.in_state(DeliveryState.REJECTED, DeliveryState.EXPIRED)
    return {
        "page": page,
        "entry": entry,
        "refusal": refusal,
        "fate_of": fate_of,
        "steps_of": steps_of,
        "sums": Counter((fate.kind, fate.word) for fate in map(fate_of, page.deliveries)).most_common(),
        "again_s": _again_s(page, now),
        "failed": failed,
        "may": deeds_of(page),
    }


def deeds_of(page: Page) -> frozenset[str]:
    """Say which deeds can still change something: an incident that was resolved stays so."""
    if page.kind is not Kind.TRIGGER:
        return frozenset()
    states = [one.incident.state for one in page.in_state(DeliveryState.ACCEPTED, DeliveryState.PENDING)]
    return frozenset(action for action, ended in _ENDED.items() if any(one not in ended for one in states))


def _is_moving(page: Page) -> bool:
    """Whether looking again soon may show something else."""
    return any(not one.is_decided or one.incident.is_awaited for one in page.deliveries)


def _again_s(page: Page, now: datetime) -> int | None:
    """Say after how many seconds to look again: soon while somebody waits for it, later for what takes hours."""
    if not _is_moving(page):
        return None
    return _SOON_S if now - page.created_at < _FRESH else _LATER_S


def _listing(
    query: Mapping[str, str], filters: Filters, found: Listing, problem: str | None
) -> dict[str, Any]:
    kept = {name: value for name, value in query.items() if name != "cursor"}
    return {
        "pages": found.pages,
        "given": kept,
        "address": f"?{urlencode(query)}" if query else "",
        "states": list(DeliveryState),
        "severities": list(Severity),
        "since": filters.since,
        "until": filters.until,
        "ranges": _RANGES,
        "older": "?" + urlencode(kept | {"cursor": found.cursor}) if found.cursor else None,
        "exports": f"?{urlencode(kept)}" if kept else "",
        "is_first": "cursor" not in query,
        "is_moving": "cursor" not in query and any(_is_moving(page) for page in found.pages),
        "problem": problem,
        "fate_of": fate_of,
    }
