"""When the cron triggers of a pipeline fire next."""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.finding import find_pipeline
from masthead.api.routing import Routes

__all__ = ["routes"]

routes = Routes("v1")
_MOST = 100


@routes.get(
    "/pipelines/{application}/{pipeline:path}/firings",
    "When a pipeline's cron triggers fire next, `limit` times.",
)
async def firings(ask: Ask) -> Any:
    """Give the triggers that can fire, in the pipeline's order."""
    config = await find_pipeline(ask, ask.path("application"), ask.path("pipeline"))
    count = min(ask.number("limit", 5), _MOST)
    return {
        "application": config["application"],
        "pipeline": config["name"],
        "triggers": ask.services.triggers.cron.upcoming(config, count),
    }
