"""Saving, deleting and reordering pipelines by task, as Gate does.

Source: Spinnaker compatibility facts, sections 3.6.3 to 3.6.5.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import uuid
from typing import Any

import msgspec

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.errors import InvalidRequest, NotFound

__all__ = ["DeletePipelineStage", "ReorderPipelinesStage", "SavePipelineStage", "UpdatePipelineStage"]

_OLD_GATE = (
    "`{}` context key must be a base64-encoded string: Ensure you're on the most recent version of gate"
)
#: What the store sets itself; two pipelines that differ in nothing else are the same.
_OF_THE_STORE = frozenset({"updateTs", "createTs", "lastModifiedBy", "index", "lastModified"})


class _SaveTask(TaskType):
    """Stores one pipeline, or many."""

    implementing_class = "com.netflix.spinnaker.orca.front50.tasks.SavePipelineTask"
    backoff_s = 1.0
    timeout_s = 30.0

    async def run(self, work: TaskContext) -> TaskResult:
        """Store what the context holds."""
        if work.context.get("isBulkSavingPipelines") is True:
            return await _save_many(work)
        pipeline = _decoded(
            work.context, "pipeline", "pipeline context must be provided when saving a single pipeline"
        )
        if not isinstance(pipeline, dict):
            raise TaskFailed("`pipeline` must be a pipeline: a JSON object.")
        saved = await self._save(pipeline, work)
        return TaskResult(Status.SUCCEEDED, context=_notice("savepipeline", saved))

    async def _save(self, pipeline: dict[str, Any], work: TaskContext) -> dict[str, Any]:
        """Save; when that is refused because an earlier run of this task saved exactly this, it is saved."""
        pipeline = _completed(pipeline, work)
        try:
            return await self._store(pipeline, work)
        except InvalidRequest:
            stored = await _stored(pipeline, work)
            if _substance(stored) != _substance(pipeline):
                raise
            return stored

    async def _store(self, pipeline: dict[str, Any], work: TaskContext) -> dict[str, Any]:
        raise NotImplementedError


class SavePipelineTask(_SaveTask):
    """The step of ``savePipeline``."""

    name = "savePipeline"

    async def _store(self, pipeline: dict[str, Any], work: TaskContext) -> dict[str, Any]:
        return await work.services.pipelines.save(pipeline, work.caller, stale_check=_checks_stale(work))


class UpdatePipelineTask(_SaveTask):
    """The step of ``updatePipeline``: the pipeline must exist when the stage names its id."""

    name = "updatePipeline"

    async def _store(self, pipeline: dict[str, Any], work: TaskContext) -> dict[str, Any]:
        pipelines, stale_check = work.services.pipelines, _checks_stale(work)
        named = work.context.get("id")
        if isinstance(named, str):
            return await pipelines.update(named, pipeline, work.caller, stale_check=stale_check)
        return await pipelines.save(pipeline, work.caller, stale_check=stale_check)


class WaitForPipelineSaveTask(TaskType):
    """Keeps Orca's step; what was saved here can be read at once."""

    name = "waitForPipelineSave"
    implementing_class = "com.netflix.spinnaker.orca.front50.tasks.MonitorFront50Task"
    is_instant = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Succeed."""
        del work
        return TaskResult(Status.SUCCEEDED)


class DeletePipelineTask(TaskType):
    """Deletes a pipeline; one that is gone already is fine."""

    name = "deletePipeline"
    implementing_class = "com.netflix.spinnaker.orca.front50.tasks.DeletePipelineTask"
    backoff_s = 1.0
    timeout_s = 30.0

    async def run(self, work: TaskContext) -> TaskResult:
        """Delete."""
        pipeline = _decoded(work.context, "pipeline", "pipeline context must be provided")
        if not isinstance(pipeline, dict):
            raise TaskFailed("`pipeline` must be an object with application and name.")
        application, name = str(pipeline.get("application") or ""), str(pipeline.get("name") or "")
        with contextlib.suppress(NotFound):
            await work.services.pipelines.delete(application, name, work.caller)
        return TaskResult(Status.SUCCEEDED, context=_notice("deletepipeline", pipeline))


class ReorderPipelinesTask(TaskType):
    """Gives the pipelines of an application their places."""

    name = "reorderPipelines"
    implementing_class = "com.netflix.spinnaker.orca.front50.tasks.ReorderPipelinesTask"
    backoff_s = 1.0
    timeout_s = 30.0

    async def run(self, work: TaskContext) -> TaskResult:
        """Reorder."""
        places = _encoded(work.context, "idsToIndices")
        application = _encoded(work.context, "application")
        if "isStrategy" in work.context and _encoded(work.context, "isStrategy") is True:
            raise TaskFailed("Masthead has no strategies, so there are none to reorder.")
        if not isinstance(places, dict) or not isinstance(application, str):
            raise TaskFailed("`idsToIndices` must map pipeline ids to places, `application` must be a name.")
        await work.services.pipelines.reorder(application, places, work.caller)
        context = {"notification.type": "reorderpipelines", "application": application}
        return TaskResult(Status.SUCCEEDED, context=context)


_PIPELINE = Field(
    "pipeline", Kind.OBJECT, "The pipeline: a JSON object, or the base64 of its text.", is_secret=True
)
_SAVE_FIELDS = (
    _PIPELINE,
    Field("staleCheck", Kind.BOOLEAN, "True refuses to overwrite what somebody else saved in the meantime."),
    Field("isBulkSavingPipelines", Kind.BOOLEAN, "True saves the list in `pipelines` instead."),
    Field("pipelines", Kind.OBJECTS, "Several pipelines: a list, or the base64 of its text.", is_secret=True),
    Field("pipeline.id", Kind.TEXT, "Id for a pipeline that has none of its own."),
)
_ID = Field("id", Kind.TEXT, "Id that the pipeline must have already; another id in the pipeline is refused.")


#: What another pipeline says is evaluated when that one runs.
_RAW = frozenset({"pipeline", "pipelines"})


class SavePipelineStage(StageType):
    """Saves a pipeline."""

    type = "savePipeline"
    label = "Save pipeline"
    doc = "Creates a pipeline or replaces the one with the same id."
    fields = _SAVE_FIELDS
    raw_fields = _RAW
    is_left_out_of_dry_runs = True
    tasks = (SavePipelineTask(), WaitForPipelineSaveTask())


class UpdatePipelineStage(StageType):
    """Updates a pipeline."""

    type = "updatePipeline"
    label = "Update pipeline"
    doc = "Replaces the pipeline with the same id."
    fields = (*_SAVE_FIELDS, _ID)
    raw_fields = _RAW
    is_left_out_of_dry_runs = True
    tasks = (UpdatePipelineTask(),)


class DeletePipelineStage(StageType):
    """Deletes a pipeline."""

    type = "deletePipeline"
    label = "Delete pipeline"
    doc = "Deletes the pipeline with the application and name of `pipeline`, if there is one."
    fields = (_PIPELINE,)
    raw_fields = _RAW
    is_left_out_of_dry_runs = True
    tasks = (DeletePipelineTask(),)


class ReorderPipelinesStage(StageType):
    """Reorders pipelines."""

    type = "reorderPipelines"
    label = "Reorder pipelines"
    doc = "Sets the places of an application's pipelines. Each field is the base64 of its JSON text."
    fields = (
        Field("application", Kind.TEXT, "The application's name.", is_required=True),
        Field("idsToIndices", Kind.OBJECT, "Pipeline id → place, from 0.", is_required=True),
        Field("isStrategy", Kind.BOOLEAN, "Must be false: there are no strategies here."),
    )
    is_left_out_of_dry_runs = True
    tasks = (ReorderPipelinesTask(),)


async def _save_many(work: TaskContext) -> TaskResult:
    pipelines = _decoded(
        work.context, "pipelines", "pipelines context must be provided when saving multiple pipelines"
    )
    if not isinstance(pipelines, list) or not all(isinstance(each, dict) for each in pipelines):
        raise TaskFailed("`pipelines` must be a list of pipelines.")
    answer = await work.services.pipelines.batch_save(pipelines, work.caller, stale_check=_checks_stale(work))
    context = {"notification.type": "savepipeline", "bulksave": answer}
    application = work.context.get("application")
    return TaskResult(
        Status.SUCCEEDED, context=context | ({"application": application} if application else {})
    )


def _completed(pipeline: dict[str, Any], work: TaskContext) -> dict[str, Any]:
    """Give the pipeline with an id that is the same in every run of this task."""
    if pipeline.get("id"):
        return pipeline
    named = work.context.get("pipeline.id") or work.context.get("id")
    triggers = _with_new_cron_ids(pipeline.get("triggers"), work)
    completed = {**pipeline, "id": named or _derived(work, "pipeline")}
    return completed if triggers is None else {**completed, "triggers": triggers}


async def _stored(pipeline: dict[str, Any], work: TaskContext) -> dict[str, Any]:
    try:
        return await work.services.pipelines.get(str(pipeline["id"]))
    except NotFound:
        return {}


def _checks_stale(work: TaskContext) -> bool:
    return work.context.get("staleCheck") is True


def _substance(pipeline: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in pipeline.items() if key not in _OF_THE_STORE}


def _with_new_cron_ids(triggers: Any, work: TaskContext) -> Any:
    if not isinstance(triggers, list):
        return triggers
    return [
        {**each, "id": _derived(work, f"cron {place}")}
        if isinstance(each, dict) and each.get("type") == "cron"
        else each
        for place, each in enumerate(triggers)
    ]


def _derived(work: TaskContext, what: str) -> str:
    """Give a UUID that is the same whenever this task asks for *what*."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{work.execution.id}/{work.stage.id}/{what}"))


def _decoded(context: dict[str, Any], name: str, missing: str) -> Any:
    value = context.get(name)
    if value is None or value == "":
        raise TaskFailed(missing)
    return _from_base64(value, name) if isinstance(value, str) else value


def _encoded(context: dict[str, Any], name: str) -> Any:
    if context.get(name) is None:
        raise TaskFailed(f"`{name}` context key must be provided")
    if not isinstance(context[name], str):
        raise TaskFailed(_OLD_GATE.format(name))
    return _from_base64(context[name], name)


def _from_base64(text: str, name: str) -> Any:
    try:
        return msgspec.json.decode(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TaskFailed(f"`{name}` is not the base64 of JSON text.") from error


def _notice(kind: str, pipeline: dict[str, Any]) -> dict[str, Any]:
    context = {
        "notification.type": kind,
        "application": pipeline.get("application"),
        "pipeline.name": pipeline.get("name"),
        "pipeline.id": pipeline.get("id"),
    }
    return {key: value for key, value in context.items() if value is not None}
