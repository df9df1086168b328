"""Executions of pipelines at Orca.

Source: Spinnaker compatibility facts, sections 4.2.2 and 4.2.3.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.finding import find_executions
from masthead.api.routing import Routes
from masthead.executions import ExecutionType

__all__ = ["routes"]

routes = Routes("orca")

_EXPRESSIONS = "Expressions are not built yet."
_SEARCH = "The search for executions is not built yet."
#: Orca's own default.
_DEFAULT_EXECUTIONS = 5


@routes.get("/pipelines", "Executions by pipelineConfigIds or by executionIds.")
async def listed(ask: Ask) -> Any:
    """Give the executions; neither parameter gives none."""
    return await find_executions(ask)


routes.unbuilt("GET", "/pipelines/failedStages", _SEARCH)


@routes.get("/pipelines/{id}", "One execution of a pipeline.")
async def get(ask: Ask) -> Any:
    """Give the execution as it stands."""
    return await ask.services.executions.get_pipeline(ask.path("id"))


@routes.delete("/pipelines/{id}", "Delete an execution that has ended; 409 while it runs.")
async def delete(ask: Ask) -> Any:
    """Delete the execution."""
    await ask.services.executions.delete(ask.path("id"), ask.caller, kind=ExecutionType.PIPELINE)
    return empty()


@routes.put("/pipelines/{id}/cancel", "Cancel an execution.", status=202)
async def cancel(ask: Ask) -> Any:
    """Ask the execution to stop."""
    reason = ask.text("reason") or None
    await ask.services.executions.cancel(ask.path("id"), ask.caller, reason, kind=ExecutionType.PIPELINE)
    return empty(status=202)


@routes.get("/applications/{application}/pipelines", "Executions of an application's pipelines.")
@routes.get("/v2/applications/{application}/pipelines", "Executions of an application's pipelines.")
async def of_application(ask: Ask) -> Any:
    """Give the newest executions of each pipeline, oldest start first."""
    return await ask.services.executions.list_pipelines(
        ask.path("application"),
        statuses=ask.words("statuses"),
        limit=ask.number("limit", _DEFAULT_EXECUTIONS),
        expand=ask.flag("expand", default=True),
        name_filter=ask.text("pipelineNameFilter") or None,
        pipeline_limit=ask.number_or_none("pipelineLimit"),
    )


routes.unbuilt("GET", "/applications/{application}/pipelines/search", _SEARCH)
routes.unbuilt("GET", "/executions/correlated/{id}", _SEARCH)


@routes.put("/pipelines/{id}/pause", "Hold a running execution; 409 when it does not run.", status=202)
async def pause(ask: Ask) -> Any:
    """Hold the execution."""
    await ask.services.executions.pause(ask.path("id"), ask.caller)
    return empty(status=202)


@routes.put("/pipelines/{id}/resume", "Let a held execution go on; 409 when it is not held.", status=202)
async def resume(ask: Ask) -> Any:
    """Let the execution go on."""
    await ask.services.executions.resume(ask.path("id"), ask.caller)
    return empty(status=202)


@routes.patch(
    "/pipelines/{id}/stages/{stage}", "Merge the body into a stage's context and give the execution."
)
async def change_stage(ask: Ask) -> Any:
    """Change the stage, for example ``{"skipRemainingWait": true}``."""
    changes = await ask.object()
    return await ask.services.executions.change_stage(ask.path("id"), ask.path("stage"), changes, ask.caller)


@routes.put(
    "/pipelines/{id}/stages/{stage}/restart", "Run a stage that has ended once more, and those after it."
)
async def restart_stage(ask: Ask) -> Any:
    """Restart the stage and give the execution."""
    return await ask.services.executions.restart_stage(ask.path("id"), ask.path("stage"), ask.caller)


routes.unbuilt("GET POST", "/pipelines/{id}/evaluateExpression", _EXPRESSIONS)
routes.unbuilt("GET", "/pipelines/{id}/{stage}/evaluateExpression", _EXPRESSIONS)
routes.unbuilt("POST", "/pipelines/{id}/evaluateVariables", _EXPRESSIONS)
