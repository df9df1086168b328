"""Starting a pipeline through Gate: the classic trigger, its twins, and a whole pipeline in the body.

Source: Spinnaker compatibility facts, sections 2.3.2 to 2.3.4 and 8.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from masthead.api.answers import json_answer
from masthead.api.ask import Ask
from masthead.api.finding import find_pipeline
from masthead.api.routing import Routes
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.pipelines.parameters import missing_parameter

__all__ = ["routes"]

routes = Routes("gate")


@routes.post("/pipelines/start", "Start the pipeline in the body, stored or not.")
async def start_given(ask: Ask) -> Any:
    """Start the pipeline that is posted."""
    execution_id = await ask.services.executions.start_pipeline(await ask.object(), ask.caller)
    return {"ref": f"/pipelines/{execution_id}"}


@routes.post(
    "/pipelines/v2/{application}/{pipeline:path}", "Start a stored pipeline, as Deck does.", status=202
)
async def start_v2(ask: Ask) -> Any:
    """Start the pipeline and answer with an event id as well.

    Upstream answers before it has looked anything up; here a wrong name is a 404 at once.
    """
    event_id = str(uuid.uuid4())
    execution_id = await _start(ask, {"eventId": event_id})
    return {"eventId": event_id, "ref": f"/pipelines/{execution_id}"}


@routes.post(
    "/applications/{application}/pipelineConfigs/{pipeline:path}", "Start a stored pipeline (deprecated)."
)
async def start_deprecated(ask: Ask) -> Any:
    """Start the pipeline; 200 instead of 202."""
    return json_answer({"ref": f"/pipelines/{await _start(ask, {})}"})


@routes.post("/pipelines/{application}/{pipeline:path}", "Start a stored pipeline by name or id.", status=202)
async def start(ask: Ask) -> Any:
    """Start the pipeline with the trigger in the body."""
    return {"ref": f"/pipelines/{await _start(ask, {})}"}


async def _start(ask: Ask, more: Mapping[str, Any]) -> str:
    """Start the pipeline that the path names and give the execution's id.

    Raises:
        InvalidRequest: a required parameter is missing, or Gate's sentence around what the start refused.
        NotFound: Gate's sentence, there is no such pipeline.
    """
    trigger = {**_unnested(await ask.object_or_none() or {}), **more}
    trigger.setdefault("user", ask.caller.user)
    application, pipeline = ask.path("application"), ask.path("pipeline")
    try:
        config = await find_pipeline(ask, application, pipeline)
    except NotFound as error:
        raise NotFound(_wrapped(application, pipeline, error.message)) from error
    _require_parameters(config, trigger)
    try:
        return str(await ask.services.executions.start_pipeline(_run(config, trigger), ask.caller))
    except InvalidRequest as error:
        text = _wrapped(application, pipeline, error.message)
        raise InvalidRequest(text, pointer=error.pointer, errors=error.errors) from error


def _unnested(trigger: dict[str, Any]) -> dict[str, Any]:
    """Take spin's trigger out of the object that spin puts around it."""
    inner = trigger.get("trigger")
    if isinstance(inner, dict) and "type" not in trigger and "parameters" not in trigger:
        return {**{name: value for name, value in trigger.items() if name != "trigger"}, **inner}
    return dict(trigger)


def _require_parameters(config: Mapping[str, Any], trigger: Mapping[str, Any]) -> None:
    given = trigger.get("parameters") or {}
    if not isinstance(given, dict):
        raise InvalidRequest("The trigger's parameters must be an object.", pointer="/parameters")
    if (name := missing_parameter(config, given)) is not None:
        raise InvalidRequest(f"Required parameter {name} is missing", pointer=f"/parameters/{name}")


def _run(config: Mapping[str, Any], trigger: Mapping[str, Any]) -> dict[str, Any]:
    added = trigger.get("notifications") or []
    if not isinstance(added, list):
        raise InvalidRequest("The trigger's notifications must be a list.", pointer="/notifications")
    own = config.get("notifications") or []
    notifications = [*own, *added] if isinstance(own, list) else own  # which the start refuses
    return {**config, "trigger": dict(trigger), "notifications": notifications}


def _wrapped(application: str, pipeline: str, message: str) -> str:
    return (
        f"Unable to trigger pipeline (application: {application}, pipelineNameOrId: {pipeline}). "
        f"Error: {message}"
    )
