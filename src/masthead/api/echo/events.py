"""Echo's event sink and its neighbours.

Source: Spinnaker compatibility facts, sections 1.5, 1.6, 1.7 and 1.13.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.kernel.errors import NotFound

__all__ = ["routes"]

routes = Routes("echo")


@routes.post("/", "Take an event; nothing is built on events yet, so it is read and forgotten.")
async def take(ask: Ask) -> Any:
    """Answer as Echo does, so that an Orca that sends its events here goes on undisturbed."""
    await ask.object()
    return empty()


@routes.post("/notifications/callbacks/{source}", "Interactive answers: no service of that kind is there.")
async def callback(ask: Ask) -> Any:
    """Refuse as Echo does when no interactive service has this name."""
    raise NotFound(f"NotificationService for {ask.path('source').upper()} not registered")


routes.empty("/notifications/metadata", [], "Notification types that plugins bring: none.")
