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
    """List those that are enabled; their permissions are told, as data."""
    webhook = ask.services.settings.webhook
    return listing(webhook.preconfigured) if webhook.enabled else []
