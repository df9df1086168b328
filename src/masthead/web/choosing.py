"""Choosing a PagerDuty service out of ten thousand: the options of the service select, and who each would wake.

A service that cannot be paged stands among the options, disabled, with the reason. Options and forms hold the service's
id; its key stays on the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.catalog import Service
from masthead.web.directory import Level, levels_at
from masthead.web.domain import WebServices
from masthead.web.rendering import Renderer

__all__ = ["KEEP", "Option", "choosing_routes", "option_of", "options_for"]

#: In the place of a service's id: whatever is stored now, also a key that the catalog does not know.
KEEP = "keep"
_MOST_OPTIONS = 20


@dataclass(frozen=True, slots=True)
class Option:
    """A service that may be chosen, or why it may not."""

    id: str
    name: str
    policy: str
    teams: tuple[str, ...]
    #: The lowest level first; empty when nobody is on call, or nobody knows.
    levels: tuple[Level, ...]
    #: Why it cannot be chosen; None when it can.
    obstacle: str | None = None
    #: Why a page to it would wake nobody now, or perhaps nobody; None when all is well.
    caution: str | None = None

    @property
    def wakes(self) -> str:
        """Who is told first."""
        return self.levels[0].names if self.levels else ""


def choosing_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the route of the options: ``q`` are words of the name, the policy, a team or a person on call."""

    async def options(request: Request) -> Response:
        text = request.query_params.get("q", "")
        found, left_out = options_for(services, text)
        return renderer.page(
            request, "service_options.html", options=found, left_out=left_out, text=text.strip()
        )

    return [Route("/ui/services/options", options, methods=["GET"], name="options of the service select")]


def options_for(services: WebServices, text: str) -> tuple[Sequence[Option], int]:
    """Give the best options for *text*, those that can be paged first, and how many more there are."""
    found = services.catalog.search_services(text.strip())
    words = text.casefold().split()
    prefer_v1 = services.settings.events.prefer_v1

    def rank(service: Service) -> tuple[bool, bool, bool]:
        name = service.name.casefold()
        is_called_so = bool(words) and name.startswith(words[0])
        return service.usable(prefer_v1=prefer_v1) is None, not is_called_so, service.warning is not None

    best = sorted(found, key=rank)[:_MOST_OPTIONS]
    return [option_of(services, one) for one in best], max(len(found) - _MOST_OPTIONS, 0)


def option_of(services: WebServices, service: Service) -> Option:
    """Give what is said of *service* where it may be chosen."""
    now = services.clock.now()
    oncalls = services.catalog.oncalls_of(service.policy_id) if service.policy_id else ()
    levels = levels_at(oncalls, now)
    obstacle = None
    if service.usable(prefer_v1=services.settings.events.prefer_v1) is None:
        obstacle = f"cannot be paged: {service.unusable_reason}"
    return Option(
        service.id,
        service.name,
        service.policy_name,
        service.teams,
        levels,
        obstacle=obstacle,
        caution=service.warning or _nobody(services, levels),
    )


def _nobody(services: WebServices, levels: Sequence[Level]) -> str | None:
    if levels:
        return None
    state = services.catalog.state
    is_known = state.oncalls_fetched_at is not None and state.oncalls_trouble is None
    return "nobody is on call now" if is_known else "who is on call is not known"
