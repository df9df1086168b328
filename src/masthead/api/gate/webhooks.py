"""Webhooks that the operator has set up as stage types, as Deck lists them among its stages; Orca has the same route.

Source: Spinnaker compatibility facts, section 4.7.6.
"""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.executions.stages.webhook import listing

__all__ = ["routes"]

routes = Routes("gate")


@routes.get("/webhooks/preconfigured", "Preconfigured webhooks: stage types of the operator's own.")
async def preconfigured(ask: Ask) -> Any:
    """List those that are enabled, and that the one who asks may see."""
    webhook = ask.services.settings.webhook
    roles = None if ask.services.access.is_open else ask.caller.roles
    return listing(webhook.preconfigured, roles) if webhook.enabled else []
