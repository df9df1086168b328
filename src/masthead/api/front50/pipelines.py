"""Pipelines at Front50.

Source: Spinnaker compatibility facts, section 3.5.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.kernel.errors import InvalidRequest

__all__ = ["routes"]

routes = Routes("front50")

_STRATEGIES = "Masthead has no deployment strategies."


def _flag_or_none(ask: Ask, name: str) -> bool | None:
    return ask.flag(name, default=False) if ask.text(name) else None


@routes.get("/pipelines", "Every pipeline; filters by state and triggers.")
async def list_all(ask: Ask) -> Any:
    """Give the pipelines that every filter lets through."""
    return await ask.services.pipelines.list_all(
        ask.caller,
        enabled=_flag_or_none(ask, "enabledPipelines"),
        enabled_triggers=_flag_or_none(ask, "enabledTriggers"),
        trigger_types=ask.words("triggerTypes") or None,
    )


@routes.post("/pipelines", "Save a pipeline and give it as stored.")
async def save(ask: Ask) -> Any:
    """Store the pipeline."""
    stale_check = ask.flag("staleCheck", default=False)
    return await ask.services.pipelines.save(await ask.object(), ask.caller, stale_check=stale_check)


@routes.post("/pipelines/batchUpdate", "Save several pipelines; says which succeeded.")
async def save_many(ask: Ask) -> Any:
    """Store each pipeline; always 200."""
    stale_check = ask.flag("staleCheck", default=False)
    return await ask.services.pipelines.batch_save(await ask.objects(), ask.caller, stale_check=stale_check)


@routes.get("/pipelines/triggeredBy/{id}/{status}", "Pipelines that start when another ends with a status.")
async def triggered_by(ask: Ask) -> Any:
    """Give the enabled pipelines with an enabled trigger on it."""
    pipelines = ask.services.pipelines
    return await pipelines.triggered_by(ask.path("id"), ask.path("status"), caller=ask.caller)


@routes.get("/pipelines/{id}/get", "One pipeline, by id.")
async def get(ask: Ask) -> Any:
    """Give the pipeline."""
    return await ask.services.pipelines.get(ask.path("id"), ask.caller)


@routes.get("/pipelines/{id}/history", "Versions of a pipeline, newest first.")
async def history(ask: Ask) -> Any:
    """Give the newest versions."""
    limit = ask.number("limit", 20)
    return await ask.services.pipelines.history(ask.path("id"), limit, caller=ask.caller)


@routes.get("/pipelines/{application}/name/{name:path}", "One pipeline, by name.")
async def get_named(ask: Ask) -> Any:
    """Give the pipeline, in whatever case its name is written."""
    application, name = ask.path("application"), ask.path("name")
    return await ask.services.pipelines.get_named(application, name, caller=ask.caller)


@routes.get("/pipelines/{application}", "An application's pipelines, in their order.")
async def of_application(ask: Ask) -> Any:
    """Give the pipelines, their indices from 0."""
    return await ask.services.pipelines.of_application(
        ask.path("application"),
        name_filter=ask.text("pipelineNameFilter") or None,
        limit=ask.number_or_none("pipelineLimit"),
        enabled=_flag_or_none(ask, "enabledPipelines"),
        caller=ask.caller,
    )


@routes.put("/pipelines/{id}", "Change a pipeline and give it as stored.")
async def update(ask: Ask) -> Any:
    """Store the pipeline under its id."""
    stale_check = ask.flag("staleCheck", default=False)
    pipelines = ask.services.pipelines
    return await pipelines.update(ask.path("id"), await ask.object(), ask.caller, stale_check=stale_check)


@routes.delete("/pipelines/{application}/{name:path}", "Delete a pipeline by name.")
async def delete(ask: Ask) -> Any:
    """Delete the pipeline; 404 when there is none."""
    await ask.services.pipelines.delete(ask.path("application"), ask.path("name"), ask.caller)
    return empty()


@routes.post("/actions/pipelines/reorder", "Give an application's pipelines new places.")
async def reorder(ask: Ask) -> Any:
    """Store each pipeline's index."""
    body = await ask.object()
    for name in ("idsToIndices", "application"):
        if not body.get(name):
            raise InvalidRequest(f"`{name}` is required field on request body", pointer=f"/{name}")
    await ask.services.pipelines.reorder(body["application"], body["idsToIndices"], ask.caller)
    return empty()


routes.empty("/strategies", [], "Deployment strategies: none.")
routes.empty("/strategies/{application}", [], "An application's deployment strategies: none.")
routes.unbuilt("POST", "/strategies", _STRATEGIES)
routes.unbuilt("PUT", "/strategies/{id}", _STRATEGIES)
routes.unbuilt("DELETE", "/strategies/{application}/{name}", _STRATEGIES)
routes.unbuilt("POST", "/actions/strategies/reorder", _STRATEGIES)
