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

_CONTROL = "Pausing, resuming, restarting and changing a running pipeline is not built yet."
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
routes.unbuilt("PUT", "/pipelines/{id}/pause", _CONTROL)
routes.unbuilt("PUT", "/pipelines/{id}/resume", _CONTROL)
routes.unbuilt("PATCH", "/pipelines/{id}/stages/{stage}", _CONTROL)
routes.unbuilt("PUT", "/pipelines/{id}/stages/{stage}/restart", _CONTROL)
routes.unbuilt("GET POST", "/pipelines/{id}/evaluateExpression", _EXPRESSIONS)
routes.unbuilt("GET", "/pipelines/{id}/{stage}/evaluateExpression", _EXPRESSIONS)
routes.unbuilt("POST", "/pipelines/{id}/evaluateVariables", _EXPRESSIONS)
