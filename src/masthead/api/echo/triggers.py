"""What starts pipelines at Echo: webhooks, and whether a cron line can be used.

Source: Spinnaker compatibility facts, sections 1.13 and 4.12.
"""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.kernel.errors import InvalidRequest
from masthead.triggers.quartz import BadCronLine

__all__ = ["routes"]

routes = Routes("echo")

#: Bitbucket asks with an empty body whether somebody is there.
_MAY_BE_EMPTY = "bitbucket"


@routes.post("/webhooks/{type}/{source}", "Start the pipelines that wait for this payload of this source.")
async def take(ask: Ask) -> Any:
    """Answer with the event's id once everything that it starts is stored."""
    source = ask.path("source")
    if source == _MAY_BE_EMPTY:
        body = await ask.object_or_none() or {}
    else:
        body = await ask.object()
    webhooks = ask.services.triggers.webhooks
    return _processed(await webhooks.take(ask.path("type"), source, body, caller=ask.caller))


@routes.post("/webhooks/{type}", "The same, the source being in the body; the payload is not passed on.")
async def take_from_body(ask: Ask) -> Any:
    """Answer with the event's id."""
    body = await ask.object()
    source = body.get("source")
    webhooks = ask.services.triggers.webhooks
    event_id = await webhooks.take(
        ask.path("type"),
        source if isinstance(source, str) else "",
        body,
        caller=ask.caller,
        has_payload=False,
    )
    return _processed(event_id)


@routes.get("/validateCronExpression", "Whether a cron line can be used, and when it fires next.")
async def validate(ask: Ask) -> Any:
    """Say when the line fires next.

    Raises:
        InvalidRequest: it cannot be used; the message says why.
    """
    line = ask.text("cronExpression")
    try:
        description = ask.services.triggers.cron.describe(line)
    except BadCronLine as error:
        raise InvalidRequest(f"Cron expression '{line}' is not valid: {error}") from error
    return {"response": "Cron expression is valid", "description": description}


def _processed(event_id: str) -> dict[str, Any]:
    return {"eventProcessed": True, "eventId": event_id}
