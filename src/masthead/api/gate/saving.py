"""Saving pipelines through Gate: a task that writes, and an answer when it has ended.

Gate polls its task once a second and knows two ends of it; here the answer comes the moment the task ends, and
every end counts.

Source: Spinnaker compatibility facts, sections 2.4 (createAndWait) and 3.6.3 to 3.6.5.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes
from masthead.kernel.errors import InvalidRequest, NotFound

__all__ = ["routes"]

routes = Routes("gate")

#: As long as Gate waits: 32 polls of a second.
_PATIENCE_S = 32.0
_NO_APPLICATION = "bulk_save_placeholder_app"


@routes.post("/pipelines", "Save a pipeline; 200 with an empty body.")
async def save(ask: Ask) -> Any:
    """Store the pipeline; with staleCheck=true only when nobody changed it meanwhile."""
    pipeline = await ask.object()
    job = {
        "type": "savePipeline",
        "pipeline": _encoded(pipeline),
        "user": ask.caller.user,
        "staleCheck": ask.flag("staleCheck", default=False),
    }
    await _run(ask, _task(pipeline, f"Save pipeline '{pipeline.get('name', 'Unknown')}'", job), "save")
    return empty()


@routes.post("/pipelines/bulksave", "Save several pipelines; says which succeeded.")
async def save_many(ask: Ask) -> Any:
    """Store each pipeline and give the four counts and lists."""
    pipelines = await ask.objects()
    job = {
        "type": "savePipeline",
        "pipelines": _encoded(pipelines),
        "isBulkSavingPipelines": True,
        "user": ask.caller.user,
        "staleCheck": ask.flag("staleCheck", default=False),
    }
    application = ask.text("application", _NO_APPLICATION)
    task = await _run(ask, _task({"application": application}, "Bulk save pipelines", job), "bulk save")
    return _variable(task, "bulksave")


@routes.put("/pipelines/{id}", "Change a pipeline and give it as stored.")
async def update(ask: Ask) -> Any:
    """Store the pipeline under its id."""
    pipeline = await ask.object()
    job = {
        "type": "updatePipeline",
        "id": ask.path("id"),
        "pipeline": _encoded(pipeline),
        "user": ask.caller.user,
        "staleCheck": ask.flag("staleCheck", default=False),
    }
    await _run(ask, _task(pipeline, f"Update pipeline '{pipeline.get('name', 'Unknown')}'", job), "save")
    return await ask.services.pipelines.get(ask.path("id"))


@routes.delete("/pipelines/{application}/{pipeline:path}", "Delete a pipeline by name; none is no error.")
async def delete(ask: Ask) -> Any:
    """Delete the pipeline, if there is one of that name."""
    application = ask.path("application")
    wanted = ask.path("pipeline").casefold()
    for config in await ask.services.pipelines.of_application(application):
        if str(config.get("name", "")).strip().casefold() == wanted:
            job = {"type": "deletePipeline", "pipeline": _encoded(config), "user": ask.caller.user}
            await _run(ask, _task(config, f"Delete pipeline '{config['name']}'", job), "delete")
    return empty()


@routes.post("/actions/pipelines/reorder", "Give an application's pipelines new places.")
async def reorder(ask: Ask) -> Any:
    """Store each pipeline's index."""
    body = await ask.object()
    for name in ("idsToIndices", "application"):
        if not body.get(name):
            raise InvalidRequest(f"`{name}` is required field on request body", pointer=f"/{name}")
    job = {
        "type": "reorderPipelines",
        "idsToIndices": _encoded(body["idsToIndices"]),
        "isStrategy": _encoded(obj=False),
        "application": _encoded(body["application"]),
        "user": ask.caller.user,
    }
    await _run(ask, _task(body, "Reorder pipelines", job), "save")
    return empty()


routes.unbuilt("POST", "/actions/strategies/reorder", "Masthead has no deployment strategies.")
routes.unbuilt(
    "POST",
    "/pipelines/move",
    "Pipelines cannot be moved; save it in the other application (upstream has no such route either).",
)


async def _run(ask: Ask, body: dict[str, Any], what: str) -> Mapping[str, Any]:
    """Run a task to its end and give it.

    Raises:
        InvalidRequest: it did not succeed; says why, in the words of the task's first error, and where.
    """
    executions = ask.services.executions
    task_id = await executions.start_tasks(body, ask.caller)
    try:
        task: Mapping[str, Any] = await executions.wait(task_id, _PATIENCE_S)
    except NotFound:
        task = {"id": task_id, "status": "DELETED"}
    if task.get("status") != "SUCCEEDED":
        raise _failure(task, what)
    return task


def _failure(task: Mapping[str, Any], what: str) -> InvalidRequest:
    """Give the task's first error, with all of them and the place of the first, where there is one."""
    exception = _variable(task, "exception")
    found = exception.get("details") if isinstance(exception, dict) else None
    details = found if isinstance(found, dict) else {}
    errors = details.get("errors")
    if isinstance(errors, list) and errors:
        told = tuple(map(str, errors))
        pointers = tuple(map(str, details.get("pointers") or ()))
        return InvalidRequest(
            told[0], pointer=str(details.get("pointer") or ""), errors=told, pointers=pointers
        )
    task_id = task.get("id", "unknown task id")
    sentence = f"Pipeline {what} operation did not succeed: {task_id} (status: {task.get('status')})"
    return InvalidRequest(sentence)


def _variable(task: Mapping[str, Any], key: str) -> Any:
    return next((one["value"] for one in task.get("variables") or () if one.get("key") == key), None)


def _task(about: Mapping[str, Any], description: str, job: dict[str, Any]) -> dict[str, Any]:
    return {"application": about.get("application"), "description": description, "job": [job]}


def _encoded(obj: Any) -> str:
    return base64.b64encode(msgspec.json.encode(obj)).decode()
