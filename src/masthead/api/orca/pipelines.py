"""Executions of pipelines at Orca.

Source: Spinnaker compatibility facts, sections 4.2.2 and 4.2.3.
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.errors import Refused
from masthead.api.finding import evaluate, evaluate_variables, find_executions, search_executions
from masthead.api.routing import Routes
from masthead.executions import ExecutionType

__all__ = ["routes"]

routes = Routes("orca")

#: Orca's own default.
_DEFAULT_EXECUTIONS = 5
_GONE = "This list is gone, as at Orca. GET /applications/{application}/pipelines?statuses=RUNNING lists what runs."


@routes.get("/pipelines", "Executions by pipelineConfigIds or by executionIds.")
async def listed(ask: Ask) -> Any:
    """Give the executions; neither parameter gives none."""
    return await find_executions(ask)


@routes.get("/pipelines/failedStages", "The innermost stages that failed, also in child pipelines.")
async def failed_stages(ask: Ask) -> Any:
    """Give the failures of ``executionId``, one unless ``limit`` says more."""
    return await ask.services.executions.failed_stages(
        ask.text("executionId"), deck=ask.text("deckOrigin"), limit=ask.number("limit", 1)
    )


@routes.get("/pipelines/running", "Gone, as at Orca.", status=410)
@routes.get("/pipelines/waiting", "Gone, as at Orca.", status=410)
async def gone(_: Ask) -> Any:
    """Say where executions are found instead: Orca lists them here no more."""
    raise Refused(410, _GONE)


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


@routes.get("/applications/{application}/pipelines/search", "Executions by what started them.")
async def search(ask: Ask) -> Any:
    """Search the executions of an application, or (``*``) of all."""
    return await search_executions(ask)


@routes.get("/executions/correlated/{id}", "Executions with a correlation id.")
async def correlated(ask: Ask) -> Any:
    """Give the executions that the same cause led to."""
    return await ask.services.executions.correlated(ask.path("id"))


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
    """Restart the stage, with the preconditions of the pipeline in the body, and give the execution."""
    config = await ask.object_or_none() or {}
    return await ask.services.executions.restart_stage(
        ask.path("id"), ask.path("stage"), ask.caller, config=config
    )


@routes.get("/pipelines/{id}/evaluateExpression", "What an expression comes to in an execution.")
@routes.post("/pipelines/{id}/evaluateExpression", "The same, with the expression in the body.")
async def evaluate_expression(ask: Ask) -> Any:
    """Evaluate ``expression``."""
    return await evaluate(ask)


@routes.get("/pipelines/{id}/{stage}/evaluateExpression", "What an expression comes to at a stage.")
async def evaluate_at_stage(ask: Ask) -> Any:
    """Evaluate ``expression`` at a stage."""
    return await evaluate(ask, stage_id=ask.path("stage"))


@routes.post("/pipelines/{id}/evaluateVariables", "What the variables in the body come to.")
async def variables(ask: Ask) -> Any:
    """Evaluate a list of ``key`` and ``value``."""
    return await evaluate_variables(ask)
