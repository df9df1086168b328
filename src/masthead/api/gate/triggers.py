"""What starts pipelines at Gate: webhooks, and whether a cron line can be used.

Source: Spinnaker compatibility facts, sections 2.4 and 4.12.
"""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.triggers.quartz import BadCronLine

__all__ = ["routes"]

routes = Routes("gate")


@routes.post("/webhooks/{type}/{source}", "Start the pipelines that wait for this payload of this source.")
async def take(ask: Ask) -> Any:
    """Answer with the event's id once everything that it starts is stored; no body is an empty object."""
    body = await ask.object_or_none() or {}
    webhooks = ask.services.triggers.webhooks
    event_id = await webhooks.take(ask.path("type"), ask.path("source"), body, caller=ask.caller)
    return {"eventProcessed": True, "eventId": event_id}


@routes.get("/cron/validate", "Whether a cron line can be used, and when it fires next.")
async def validate(ask: Ask) -> Any:
    """Say when the line fires next, or why it never will; 200 either way."""
    try:
        return {"valid": True, "description": ask.services.triggers.cron.describe(ask.text("expression"))}
    except BadCronLine as error:
        return {"valid": False, "message": f"The cron line cannot be used: {error}."}
