"""Creating, updating and deleting applications by task, as Deck and spin do.

Source: Spinnaker compatibility facts, sections 3.6.1 and 3.6.2.
"""

from __future__ import annotations

from typing import Any

from masthead.applications import check_name
from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.secret import Secret

__all__ = [
    "CreateApplicationStage",
    "DeleteApplicationStage",
    "UpdateApplicationStage",
    "UpsertApplicationStage",
]

_KEY = "pdApiKey"
#: Set when a key was taken out of the stage, so that a restart does not save the application without it.
_FORGOTTEN = "redacted"


class _UpsertTask(TaskType):
    """Creates the application, or merges into the one that exists: the same, however often it runs."""

    implementing_class = "com.netflix.spinnaker.orca.applications.tasks.UpsertApplicationTask"
    backoff_s = 10.0
    timeout_s = 3600.0

    async def run(self, work: TaskContext) -> TaskResult:
        """Write the application."""
        application = _application(work.context)
        if work.context.get(_FORGOTTEN):
            raise TaskFailed(
                "The integration key of this request was forgotten when it ended; send the request again."
            )
        name = application["name"]
        if problem := check_name(name, _comma_joined(application.get("cloudProviders"))):
            raise TaskFailed(problem)
        wanted = {key: value for key, value in application.items() if key != "providerSettings"}
        existing = await work.services.applications.find(name)
        await work.services.applications.merge(name, wanted, work.caller)
        new = {key: value for key, value in wanted.items() if key not in ("permissions", "user")}
        states = {"previousState": _shown(existing or {}, work), "newState": _shown(new, work)}
        return TaskResult(Status.SUCCEEDED, context=_notice("upsertapplication", name) | states)

    def settled(self, context: dict[str, Any]) -> dict[str, Any]:
        """Forget the integration key: it stands in the application now."""
        application = context.get("application")
        if not isinstance(application, dict) or not application.get(_KEY):
            return {}
        rest = {key: value for key, value in application.items() if key != _KEY}
        return {"application": rest, _FORGOTTEN: [f"/application/{_KEY}"]}


class CreateApplicationTask(_UpsertTask):
    """The step of ``createApplication``."""

    name = "createApplication"


class UpdateApplicationTask(_UpsertTask):
    """The step of ``updateApplication``."""

    name = "updateApplication"


class UpsertApplicationTask(_UpsertTask):
    """The step of ``upsertApplication``."""

    name = "upsertApplication"


class VerifyNoDependenciesTask(TaskType):
    """Keeps Orca's step; there are no clusters here that could depend on the application."""

    name = "verifyNoDependencies"
    implementing_class = (
        "com.netflix.spinnaker.orca.applications.tasks.VerifyApplicationHasNoDependenciesTask"
    )
    is_instant = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Succeed."""
        del work
        return TaskResult(Status.SUCCEEDED)


class DeleteApplicationTask(TaskType):
    """Deletes the application; one that is gone already is fine."""

    name = "deleteApplication"
    implementing_class = "com.netflix.spinnaker.orca.applications.tasks.DeleteApplicationTask"
    backoff_s = 10.0
    timeout_s = 3600.0

    async def run(self, work: TaskContext) -> TaskResult:
        """Delete."""
        name = _application(work.context)["name"]
        existing = await work.services.applications.find(name)
        if existing is not None:
            await work.services.applications.delete(name, work.caller)
        state = {"previousState": _shown(existing or {}, work)}
        return TaskResult(Status.SUCCEEDED, context=_notice("deleteapplication", name) | state)


_FIELDS = (
    Field(
        "application",
        Kind.OBJECT,
        "The application's attributes; `name` is needed, `email` when it is new. What is left out stays as it is.",
        is_required=True,
        is_secret=True,
    ),
    Field("user", Kind.TEXT, "Who asks, as the client says; not used."),
)


#: An application's attributes are data.
_RAW = frozenset({"application"})


class CreateApplicationStage(StageType):
    """Creates an application."""

    type = "createApplication"
    label = "Create application"
    doc = "Creates an application, or updates it when it exists."
    fields = _FIELDS
    raw_fields = _RAW
    is_left_out_of_dry_runs = True
    tasks = (CreateApplicationTask(),)


class UpdateApplicationStage(StageType):
    """Updates an application."""

    type = "updateApplication"
    label = "Update application"
    doc = "Updates an application by merging, or creates it when it does not exist."
    fields = _FIELDS
    raw_fields = _RAW
    is_left_out_of_dry_runs = True
    tasks = (UpdateApplicationTask(),)


class UpsertApplicationStage(StageType):
    """Creates or updates an application."""

    type = "upsertApplication"
    label = "Create or update application"
    doc = "Creates an application or updates it by merging."
    fields = _FIELDS
    raw_fields = _RAW
    is_left_out_of_dry_runs = True
    tasks = (UpsertApplicationTask(),)


class DeleteApplicationStage(StageType):
    """Deletes an application."""

    type = "deleteApplication"
    label = "Delete application"
    doc = "Deletes an application with its pipelines. Nothing happens when there is none of that name."
    fields = (Field("application", Kind.OBJECT, "An object with the `name`.", is_required=True),)
    raw_fields = _RAW
    is_left_out_of_dry_runs = True
    tasks = (VerifyNoDependenciesTask(), DeleteApplicationTask())


def _application(context: dict[str, Any]) -> dict[str, Any]:
    application = context.get("application")
    name = application.get("name") if isinstance(application, dict) else None
    if not isinstance(application, dict) or not isinstance(name, str) or not name.strip():
        raise TaskFailed("Missing one or more required task parameters (application.name)")
    return {**application, "name": name.strip()}


def _comma_joined(providers: Any) -> str:
    return ",".join(map(str, providers)) if isinstance(providers, list) else str(providers or "")


def _notice(kind: str, name: str) -> dict[str, Any]:
    return {"notification.type": kind, "application.name": name}


def _shown(document: dict[str, Any], work: TaskContext) -> dict[str, Any]:
    """Give the application as people may see it: the service's name in its key's place."""
    key = document.get(_KEY)
    if not isinstance(key, str) or not key:
        return document
    return {**document, _KEY: work.services.key_label(Secret(key))}
