"""Gate's view of one execution, and what can be done to it.

Source: Spinnaker compatibility facts, section 2.4.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.finding import evaluate, evaluate_variables
from masthead.api.routing import Routes
from masthead.executions import ExecutionType
from masthead.kernel.errors import NotFound
from masthead.pipelines.expressions import capabilities

__all__ = ["routes"]

routes = Routes("gate")


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


@routes.put("/pipelines/{id}/pause", "Hold a running execution; 409 when it does not run.")
async def pause(ask: Ask) -> Any:
    """Hold the execution."""
    await ask.services.executions.pause(ask.path("id"), ask.caller)
    return empty()


@routes.put("/pipelines/{id}/resume", "Let a held execution go on; 409 when it is not held.")
async def resume(ask: Ask) -> Any:
    """Let the execution go on."""
    await ask.services.executions.resume(ask.path("id"), ask.caller)
    return empty()


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
    """Restart the stage, with the stored pipeline's preconditions, and give the execution."""
    return await ask.services.executions.restart_stage(ask.path("id"), ask.path("stage"), ask.caller)


@routes.get("/pipelines/{id}/evaluateExpression", "What an expression comes to in an execution.")
@routes.post("/pipelines/{id}/evaluateExpression", "The same, with the expression in the body.")
async def evaluate_expression(ask: Ask) -> Any:
    """Evaluate ``expression``."""
    return await evaluate(ask)


@routes.get("/pipelines/{id}/{stage}/evaluateExpression", "What an expression comes to at a stage.")
async def evaluate_at_stage(ask: Ask) -> Any:
    """Evaluate ``expression`` at a stage."""
    return await evaluate(ask, stage_id=ask.path("stage"))


@routes.get("/capabilities/expressions", "The functions of expressions, and their versions.")
async def expressions(_: Ask) -> Any:
    """List what can be called."""
    return capabilities()


@routes.post("/pipelines/{id}/evaluateVariables", "What the variables in the body come to.")
async def variables(ask: Ask) -> Any:
    """Evaluate a list of ``key`` and ``value``."""
    return await evaluate_variables(ask)
