"""Metrics, as Prometheus scrapes them."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from masthead.api.ask import Ask
from masthead.api.routing import Routes

__all__ = ["OPERATIONS"]

_routes = Routes("metrics")


@_routes.get("/metrics", "What Masthead counts, as Prometheus' text or, where the scraper asks, OpenMetrics.")
async def metrics(ask: Ask) -> Any:
    """Answer the metrics of this process."""
    body, media_type = await ask.services.metrics.expose(ask.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


OPERATIONS = tuple(_routes.operations)
