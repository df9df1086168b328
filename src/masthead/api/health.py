"""Health, as Spring's actuator answers it, with the two probes that manifests for Kubernetes name."""

from __future__ import annotations

from typing import Any

from masthead.api.answers import json_answer
from masthead.api.ask import Ask
from masthead.api.routing import Routes

__all__ = ["OPERATIONS", "PATHS"]

_routes = Routes("health")

_DOWN = ("DOWN", "OUT_OF_SERVICE")
_HEADERS = {"Cache-Control": "no-store"}


@_routes.get(
    "/health", "Whether Masthead can do its work: UP, or DOWN with 503 when the database does not answer."
)
async def health(ask: Ask) -> Any:
    """Answer the components; one that is down makes the whole so. A stale catalog does not: pages still go out.

    Where there are users, who does not say who he is learns no more than what is up and what is down.
    """
    return await _state(ask)


@_routes.get("/health/readiness", "The same as /health: whether requests should be sent here.")
async def readiness(ask: Ask) -> Any:
    """Answer as health does."""
    return await _state(ask)


@_routes.get(
    "/health/liveness",
    "UP while the process lives, also without its database: starting it anew would mend nothing.",
)
async def liveness(_: Ask) -> Any:
    """Answer without asking anything: what waits for its database to come back must not be killed meanwhile."""
    return json_answer({"status": "UP"}, headers=_HEADERS)


async def _state(ask: Ask) -> Any:
    components = dict(await ask.services.health())
    if not ask.services.access.is_open and ask.caller.is_anonymous:
        components = {name: {"status": one.get("status")} for name, one in components.items()}
    is_down = any(component.get("status") in _DOWN for component in components.values())
    document = {"status": "DOWN" if is_down else "UP", "components": components}
    return json_answer(document, status=503 if is_down else 200, headers=_HEADERS)


OPERATIONS = tuple(_routes.operations)
#: The paths of every one of them, on whichever door.
PATHS = tuple(operation.path for operation in OPERATIONS)
