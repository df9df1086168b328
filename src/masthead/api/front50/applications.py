"""Applications at Front50.

Source: Spinnaker compatibility facts, section 3.2.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes

__all__ = ["routes"]

routes = Routes("front50")

#: Query parameters that are not attributes to filter by.
_NOT_ATTRIBUTES = ("pageSize", "restricted")


@routes.get("/v2/applications", "All applications, by name; any attribute filters.")
async def list_all(ask: Ask) -> Any:
    """Give the applications that contain every given text, best matches first."""
    filters = {name: text for name, text in ask.query_params.items() if name not in _NOT_ATTRIBUTES}
    size = ask.number_or_none("pageSize", minimum=1)
    return (await ask.services.applications.list_all(ask.caller, filters=filters))[:size]


@routes.post("/v2/applications", "Create an application.")
async def create(ask: Ask) -> Any:
    """Store a new application."""
    return await ask.services.applications.create(await ask.object(), ask.caller)


@routes.get("/v2/applications/{name}", "An application.")
async def get(ask: Ask) -> Any:
    """Give the application."""
    return await ask.services.applications.get(ask.path("name"), ask.caller)


@routes.patch("/v2/applications/{name}", "Change some attributes; a missing application is created.")
async def merge(ask: Ask) -> Any:
    """Lay the body over the stored application."""
    return await ask.services.applications.merge(ask.path("name"), await ask.object(), ask.caller)


@routes.put("/v2/applications/{name}", "Replace an application.")
async def replace(ask: Ask) -> Any:
    """Put the body in the stored application's place."""
    return await ask.services.applications.replace(ask.path("name"), await ask.object(), ask.caller)


@routes.delete("/v2/applications/{name}", "Delete an application and its pipelines; none is no error.")
async def delete(ask: Ask) -> Any:
    """Delete the application."""
    await ask.services.applications.delete(ask.path("name"), ask.caller)
    return empty(status=204)


@routes.get("/v2/applications/{name}/history", "Versions of an application, newest first.")
async def history(ask: Ask) -> Any:
    """Give the newest versions."""
    limit = ask.number("limit", 20)
    return await ask.services.applications.history(ask.path("name"), limit, caller=ask.caller)


routes.unbuilt(
    "POST",
    "/v2/applications/batch/applications",
    "Applications are saved one at a time: POST /v2/applications.",
)
