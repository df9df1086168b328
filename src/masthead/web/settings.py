"""Settings and diagnostics: what is wrong and what to do, what this Masthead knows and does, and what it was told."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.kernel.errors import NotSupported
from masthead.telemetry.diagnosis import Diagnosis
from masthead.web.domain import WebServices
from masthead.web.forms import read_form
from masthead.web.rendering import Renderer, duration

__all__ = ["settings_routes"]

_PATH = "/ui/settings"


def settings_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the routes of the page, and of its button that asks PagerDuty now."""

    async def show(request: Request) -> Response:
        if services.diagnose is None:
            raise NotSupported("There is no server here to be looked over.")
        found = await services.diagnose()
        return renderer.page(
            request,
            "settings.html",
            found=found,
            given=[row for row in found.settings if row.source != "default"],
            oldest=_oldest(found),
            duration=duration,
        )

    async def ask_now(request: Request) -> Response:
        await read_form(request)
        began = services.clock.monotonic()
        await services.catalog.refresh()
        took = duration(services.clock.monotonic() - began)
        state = services.catalog.state
        if state.trouble is not None:
            return renderer.redirect(
                _PATH, say=f"PagerDuty was asked, which took {took}: {state.trouble.text}", kind="failed"
            )
        said = f"PagerDuty answered within {took}: {state.services:,} services, {state.oncalls:,} on-calls."
        return renderer.redirect(_PATH, say=said)

    return [
        Route(_PATH, show, methods=["GET"], name="settings"),
        Route(f"{_PATH}/ask-pagerduty", ask_now, methods=["POST"], name="ask PagerDuty now"),
    ]


def _oldest(found: Diagnosis) -> str:
    """Say how long the oldest pending delivery has been pending; empty when there is none."""
    pending = sum((found.deliveries or {}).values())
    return duration(found.oldest_age_s) if pending and found.oldest_age_s is not None else ""
