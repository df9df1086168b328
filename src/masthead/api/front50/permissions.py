"""Permissions at Front50: there are none yet, so every application is open and only that can be stored.

Source: Spinnaker compatibility facts, section 3.3.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.kernel.errors import NotSupported

__all__ = ["routes"]

routes = Routes("front50")

_NOT_BUILT = "Restricting an application to roles is not built yet; nothing was stored."

routes.empty("/permissions/applications", [], "Applications that are restricted to roles: none.")
routes.unbuilt("POST", "/permissions/applications", _NOT_BUILT)


@routes.get("/permissions/applications/{name}", "An application's permissions: open to everybody.")
async def get(ask: Ask) -> Any:
    """Give the permissions of an application that exists."""
    document = await ask.services.applications.get(ask.path("name"), ask.caller)
    return {"name": document["name"], "permissions": {}}


@routes.put("/permissions/applications/{name}", "Leave an application open; roles are not built yet.")
async def put(ask: Ask) -> Any:
    """Take permissions without a role, as Orca sends them with every new application.

    Raises:
        NotSupported: a role is named.
    """
    permissions = (await ask.object()).get("permissions")
    if isinstance(permissions, dict) and any(permissions.values()):
        raise NotSupported(_NOT_BUILT)
    return {"name": ask.path("name").upper(), "permissions": {}}


@routes.delete("/permissions/applications/{name}", "Forget an application's permissions: there are none.")
async def delete(_: Ask) -> Any:
    """Do nothing, as for an application that nobody restricted."""
    return empty(status=204)
