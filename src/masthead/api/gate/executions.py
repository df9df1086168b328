"""Gate's lists over all applications: executions by id, definitions, and their history.

Source: Spinnaker compatibility facts, section 2.4 ("Other").
"""

from __future__ import annotations

from typing import Any

from masthead.api.ask import Ask
from masthead.api.finding import find_executions, search_executions
from masthead.api.routing import Routes

__all__ = ["routes"]

routes = Routes("gate")


@routes.get("/executions", "Executions by pipelineConfigIds or by executionIds.")
async def executions(ask: Ask) -> Any:
    """Give the executions; neither parameter gives none."""
    return await find_executions(ask)


@routes.get("/pipelineConfigs", "Every pipeline of every application.")
async def configs(ask: Ask) -> Any:
    """Give all pipelines."""
    return await ask.services.pipelines.list_all()


@routes.get("/pipelineConfigs/{id}/history", "Versions of a pipeline, newest first.")
async def history(ask: Ask) -> Any:
    """Give the newest versions."""
    return await ask.services.pipelines.history(ask.path("id"), ask.number("limit", 20))


routes.unbuilt(
    "GET", "/pipelineConfigs/{id}/convertToTemplate", "Pipeline templates are not part of Masthead."
)


@routes.get("/executions/failedStages", "The innermost stages that failed, also in child pipelines.")
async def failed_stages(ask: Ask) -> Any:
    """Give the failures of ``executionId``, one unless ``limit`` says more."""
    return await ask.services.executions.failed_stages(
        ask.text("executionId"), deck=ask.text("deckOrigin"), limit=ask.number("limit", 1)
    )


@routes.get("/applications/{application}/executions/search", "Executions by what started them.")
async def search(ask: Ask) -> Any:
    """Search the executions of an application, or (``*``) of all."""
    return await search_executions(ask)
