"""PagerDuty's services: who is on call for each, and whether a page would wake them; if not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.catalog import Service
from masthead.kernel.clock import Clock
from masthead.web.domain import WebServices
from masthead.web.rendering import Renderer, is_fragment, query

__all__ = ["age_of", "catalog_words", "oncalls_as_of", "service_routes"]

_MOST_ROWS = 200
_HOUR_MIN, _DAY_MIN = 60, 24 * 60


@dataclass(frozen=True, slots=True)
class _Row:
    """A service, and in shape, word and colour what a page to it does."""

    service: Service
    on_call: tuple[str, ...]
    #: A kind of status: succeeded, failed or neutral.
    kind: str
    #: Whether a page wakes somebody: "yes", "no" or "not known".
    verdict: str
    #: Why not.
    why: str = ""


def service_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the route of the list; ``q`` in its address filters."""

    async def listed(request: Request) -> Response:
        text = request.query_params.get("q", "").strip()
        found = services.catalog.search_services(text)
        values = {
            "text": text,
            "words": text.casefold().split(),
            "rows": [_row(services, service) for service in found[:_MOST_ROWS]],
            "left_out": max(len(found) - _MOST_ROWS, 0),
            **catalog_words(services),
        }
        if not is_fragment(request):
            return renderer.page(request, "services.html", **values)
        answer = renderer.fragment(request, "services.html", "found", **values)
        answer.headers["HX-Replace-Url"] = f"/ui/services{query({'q': text})}"
        return answer

    return [Route("/ui/services", listed, methods=["GET"], name="services")]


def catalog_words(services: WebServices) -> dict[str, Any]:
    """Give what ``catalog_state.html`` says: how old the catalog is, and what is wrong with it."""
    state = services.catalog.state
    return {
        "state": state,
        "services_age": age_of(state.services_fetched_at, services.clock),
        "oncalls_age": age_of(state.oncalls_fetched_at, services.clock),
        "oncalls_as_of": oncalls_as_of(services),
    }


def age_of(instant: datetime | None, clock: Clock) -> str:
    """Say how long ago *instant* was, to the minute, the hour or the day; "never" for None."""
    if instant is None:
        return "never"
    minutes = int((clock.now() - instant).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute ago"
    for size, unit in ((_DAY_MIN, "days"), (_HOUR_MIN, "h")):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit} ago"
    return f"{minutes} min ago"


def oncalls_as_of(services: WebServices) -> str:
    """Say how old every name of somebody on call is, wherever one is shown."""
    at = services.catalog.state.oncalls_fetched_at
    return f"On call as of {age_of(at, services.clock)}." if at else "Who is on call is not known yet."


def _row(services: WebServices, service: Service) -> _Row:
    catalog = services.catalog
    oncalls = catalog.oncalls_of(service.policy_id) if service.policy_id else ()
    people = [one.user_name for one in oncalls if one.level == 1 and not one.is_over(services.clock.now())]
    on_call = tuple(dict.fromkeys(people))
    if service.usable(prefer_v1=services.settings.events.prefer_v1) is None:
        return _Row(service, on_call, "failed", "no", f"cannot be paged: {service.unusable_reason}")
    if service.warning:
        return _Row(service, on_call, "failed", "no", service.warning)
    if catalog.state.oncalls_fetched_at is None:
        return _Row(service, on_call, "neutral", "not known", "who is on call is not known yet")
    if not on_call:
        return _Row(service, on_call, "failed", "no", "nobody is on call now")
    return _Row(service, on_call, "succeeded", "yes")
