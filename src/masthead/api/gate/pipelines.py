"""Gate's view of one execution, and what can be done to it.

Source: Spinnaker compatibility facts, section 2.4.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.executions import ExecutionType
from masthead.kernel.errors import NotFound

__all__ = ["routes"]

routes = Routes("gate")

_CONTROL = "Pausing, resuming, restarting and changing a running pipeline is not built yet."
_EXPRESSIONS = "Expressions are not built yet."


@routes.get("/pipelines/{id}", "One execution of a pipeline.")
async def get(ask: Ask) -> Any:
    """Give the execution as it stands."""
    try:
        return await ask.services.executions.get_pipeline(ask.path("id"))
    except NotFound as error:
        raise NotFound(f"Pipeline not found (id: {ask.path('id')})") from error


@routes.delete("/pipelines/{id}", "Delete an execution that has ended; 409 while it runs.")
async def delete(ask: Ask) -> Any:
    """Delete the execution."""
    await ask.services.executions.delete(ask.path("id"), ask.caller, kind=ExecutionType.PIPELINE)
    return empty()


@routes.put("/pipelines/{id}/cancel", "Cancel an execution.")
@routes.put("/applications/{application}/pipelines/{id}/cancel", "Cancel an execution (deprecated path).")
async def cancel(ask: Ask) -> Any:
    """Ask the execution to stop."""
    reason = ask.text("reason") or None
    await ask.services.executions.cancel(ask.path("id"), ask.caller, reason, kind=ExecutionType.PIPELINE)
    return empty()


routes.unbuilt("PUT", "/pipelines/{id}/pause", _CONTROL)
routes.unbuilt("PUT", "/pipelines/{id}/resume", _CONTROL)
routes.unbuilt("PATCH", "/pipelines/{id}/stages/{stage}", _CONTROL)
routes.unbuilt("PUT", "/pipelines/{id}/stages/{stage}/restart", _CONTROL)
routes.unbuilt("GET POST", "/pipelines/{id}/evaluateExpression", _EXPRESSIONS)
routes.unbuilt("GET", "/pipelines/{id}/{stage}/evaluateExpression", _EXPRESSIONS)
routes.unbuilt("POST", "/pipelines/{id}/evaluateVariables", _EXPRESSIONS)
