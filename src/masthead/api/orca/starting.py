"""Starting executions at Orca.

Source: Spinnaker compatibility facts, section 4.1.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.executions.stages.webhook import listing
from masthead.kernel.errors import NotFound
from masthead.pipelines.expressions import capabilities

__all__ = ["routes"]

routes = Routes("orca")

_PLAN = "Planning a pipeline without running it is not built."


@routes.post("/orchestrate", "Start the pipeline in the body.")
async def orchestrate(ask: Ask) -> Any:
    """Start the pipeline with its ``trigger``."""
    execution_id = await ask.services.executions.start_pipeline(await ask.object(), ask.caller)
    return {"ref": f"/pipelines/{execution_id}"}


@routes.post("/orchestrate/{pipeline}", "Start a stored pipeline; the body is the trigger.")
async def orchestrate_stored(ask: Ask) -> Any:
    """Start the pipeline with this id."""
    trigger = await ask.object_or_none() or {}
    try:
        config = await ask.services.pipelines.get(ask.path("pipeline"))
    except NotFound as error:
        raise NotFound(f"Pipeline config {ask.path('pipeline')} not found") from error
    execution_id = await ask.services.executions.start_pipeline({**config, "trigger": trigger}, ask.caller)
    return {"ref": f"/pipelines/{execution_id}"}


@routes.post("/ops", "Start jobs as one task.")
async def ops(ask: Ask) -> Any:
    """Start the jobs; a bare list of jobs is taken as well, where upstream fails."""
    task_id = await ask.services.executions.start_tasks(await ask.document(), ask.caller)
    return {"ref": f"/tasks/{task_id}"}


@routes.get("/webhooks/preconfigured", "Preconfigured webhooks: stage types of the operator's own.")
async def preconfigured(ask: Ask) -> Any:
    """List those that are enabled, and that the one who asks may see."""
    webhook = ask.services.settings.webhook
    roles = None if ask.services.access.is_open else ask.caller.roles
    return listing(webhook.preconfigured, roles) if webhook.enabled else []


routes.empty("/jobs/preconfigured", [], "Preconfigured jobs: none.")
routes.unbuilt("POST", "/plan", _PLAN)
routes.unbuilt("POST", "/plan/{pipeline}", _PLAN)


@routes.get("/capabilities/expressions", "The functions of expressions, and their versions.")
async def expressions(_: Ask) -> Any:
    """List what can be called."""
    return capabilities()


@routes.post("/fail", "Record a pipeline that could not be started.")
async def fail(ask: Ask) -> Any:
    """Record an execution that never began, with the pipeline's ``errorMessage``."""
    await ask.services.executions.record_failure(await ask.object(), ask.caller)
    return empty()
