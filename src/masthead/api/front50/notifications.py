"""Notification documents at Front50: not built yet, so all are empty and none can be stored.

Source: Spinnaker compatibility facts, section 3.4.
"""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.kernel.errors import InvalidRequest

__all__ = ["routes"]

routes = Routes("front50")

_NOT_BUILT = "Notifications of applications and pipelines are not built yet; nothing was stored."
_LEVELS = ("application", "global")

routes.empty("/notifications", [], "Every notification document: none yet.")
routes.empty("/notifications/global", {}, "The notifications of all applications: none yet.")
routes.unbuilt("POST", "/notifications/global", _NOT_BUILT)
routes.unbuilt("POST", "/notifications/batchUpdate", _NOT_BUILT)


@routes.get("/notifications/{type}/{name}", "The notifications of an application: none yet.")
async def get(ask: Ask) -> Any:
    """Give the empty document that stands for none.

    Raises:
        InvalidRequest: the type is neither application nor global.
    """
    if ask.path("type").lower() not in _LEVELS:
        raise InvalidRequest("The notifications' type must be application or global.")
    return {}


routes.unbuilt("POST DELETE", "/notifications/{type}/{name}", _NOT_BUILT)
