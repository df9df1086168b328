"""Creating, updating and deleting applications by task, as Deck and spin do.

Source: Spinnaker compatibility facts, sections 3.6.1 and 3.6.2.
"""

from __future__ import annotations

import re
from typing import Any

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.secret import Secret

__all__ = [
    "CreateApplicationStage",
    "DeleteApplicationStage",
    "UpdateApplicationStage",
    "UpsertApplicationStage",
    "name_problems",
]

_KEY = "pdApiKey"
#: Set when a key was taken out of the stage, so that a restart does not save the application without it.
_FORGOTTEN = "redacted"
#: Provider → most characters, pattern (as Orca's message shows it).
_NAMES: dict[str, tuple[int, str]] = {
    "appengine": (58, r"^[a-z0-9]*$"),
    "aws": (250, r"^[a-zA-Z_0-9.]*$"),
    "dcos": (127, r"^[a-z0-9]*$"),
    "gce": (63, r"^([a-zA-Z][a-zA-Z0-9]*)?$"),
    "kubernetes": (63, r"^([a-zA-Z][a-zA-Z0-9-]*)$"),
    "openstack": (250, r"^[a-zA-Z_0-9.]*$"),
    "tencentcloud": (50, r"^[a-zA-Z_0-9.\u4E00-\u9FA5-]*$"),
    "titus": (250, r"^[a-zA-Z_0-9.]*$"),
}


def name_problems(name: str, providers: list[str]) -> list[str]:
    """Give Orca's sentence for each of *providers* that cannot have an application called *name*."""
    problems = []
    for provider in providers:
        longest, pattern = _NAMES.get(provider, (0, ""))
        if longest and not (len(name) <= longest and re.fullmatch(pattern, name)):
            problems.append(
                f"Invalid application name '{name}'. Must match {pattern} for cloud provider '{provider}'"
                f" and be less than {longest} characters."
            )
    return problems


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
        _check_name(name, application)
        wanted = {key: value for key, value in application.items() if key != "providerSettings"}
        existing = await work.services.applications.find(name)
        if existing is None:
            await work.services.applications.create(wanted, work.caller)
        else:
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


class CreateApplicationStage(StageType):
    """Creates an application."""

    type = "createApplication"
    label = "Create application"
    doc = "Creates an application, or updates it when it exists."
    fields = _FIELDS
    tasks = (CreateApplicationTask(),)


class UpdateApplicationStage(StageType):
    """Updates an application."""

    type = "updateApplication"
    label = "Update application"
    doc = "Updates an application by merging, or creates it when it does not exist."
    fields = _FIELDS
    tasks = (UpdateApplicationTask(),)


class UpsertApplicationStage(StageType):
    """Creates or updates an application."""

    type = "upsertApplication"
    label = "Create or update application"
    doc = "Creates an application or updates it by merging."
    fields = _FIELDS
    tasks = (UpsertApplicationTask(),)


class DeleteApplicationStage(StageType):
    """Deletes an application."""

    type = "deleteApplication"
    label = "Delete application"
    doc = "Deletes an application with its pipelines. Nothing happens when there is none of that name."
    fields = (Field("application", Kind.OBJECT, "An object with the `name`.", is_required=True),)
    tasks = (VerifyNoDependenciesTask(), DeleteApplicationTask())


def _application(context: dict[str, Any]) -> dict[str, Any]:
    application = context.get("application")
    name = application.get("name") if isinstance(application, dict) else None
    if not isinstance(application, dict) or not isinstance(name, str) or not name.strip():
        raise TaskFailed("Missing one or more required task parameters (application.name)")
    return {**application, "name": name.strip()}


def _check_name(name: str, application: dict[str, Any]) -> None:
    providers = application.get("cloudProviders") or []
    if isinstance(providers, str):
        providers = [each.strip() for each in providers.split(",")]
    problems = name_problems(name, [str(each) for each in providers])
    if problems:
        raise TaskFailed(f"Invalid application name, errors: [{', '.join(problems)}]")


def _notice(kind: str, name: str) -> dict[str, Any]:
    return {"notification.type": kind, "application.name": name}


def _shown(document: dict[str, Any], work: TaskContext) -> dict[str, Any]:
    """Give the application as people may see it: the service's name in its key's place."""
    key = document.get(_KEY)
    if not isinstance(key, str) or not key:
        return document
    return {**document, _KEY: work.services.key_label(Secret(key))}
