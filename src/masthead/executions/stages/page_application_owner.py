"""``pageApplicationOwner``: wakes the people who own applications, through PagerDuty.

The stage asks ``paging`` for a page, which is stored before anything is sent, and stays RUNNING until every
delivery is decided. It never shows a key: services are named, unknown keys by their last four characters.

Source: Spinnaker compatibility facts, sections 4.6, 1.3 (the failure sentences) and 8 (what is improved).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from masthead.executions.failure import TaskFailed, TaskTimedOut
from masthead.executions.stages.any_stage import problems_in
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.stages.page_report import awaiting, missing_incidents, report
from masthead.executions.stages.page_restart import (
    Asked,
    asked_by,
    counted,
    divide,
    may_be_reached,
    restart_of,
)
from masthead.executions.status import Status
from masthead.kernel.errors import AccessDenied, InvalidRequest, NotFound
from masthead.kernel.secret import Secret
from masthead.pagerduty import Severity, key_trouble, parse_severity
from masthead.paging import DeliveryState, Door, Draft, Page, failure_sentence, signed
from masthead.pipelines import Problem

__all__ = ["PageApplicationOwnerStage"]

#: Seconds that a burst waits for the decision before it rests; most pages are decided in well under one.
_PATIENCE_S = 5.0
#: Fields that say who is paged, and what they list.
_RECIPIENTS = {"keys": "integration keys", "applications": "application names"}


class PageApplicationOwnerTask(TaskType):
    """Asks for the page once and follows it until it is decided."""

    name = "pageApplicationOwner"
    implementing_class = "com.netflix.spinnaker.orca.echo.tasks.PageApplicationOwnerTask"
    backoff_s = 15.0
    timeout_s = 300.0

    async def run(self, work: TaskContext) -> TaskResult:
        """Page, or look how far the page has come; in a dry run, only say whom it would page."""
        if work.execution.is_dry_run:
            return TaskResult(Status.SUCCEEDED, context={"wouldPage": await _would_page(work)})
        asked = asked_by(work.context) or await self._request(work)
        page = await _counted(work, asked, await work.services.paging.wait(asked.page_id, _patience_s(work)))
        context = {"pages": report(page, asked, work.context)}
        if not page.is_decided:
            return TaskResult(Status.RUNNING, context=context)
        sentence = failure_sentence(page)
        if sentence is not None:
            raise _refused(sentence, context)
        if work.context.get("waitForIncident"):
            return await self._look_for_incidents(work, asked)
        return TaskResult(Status.SUCCEEDED, context=context)

    async def _look_for_incidents(self, work: TaskContext, asked: Asked) -> TaskResult:
        """Succeed when every delivery has opened an incident, fail when one never will."""
        page = await _counted(work, asked, await work.services.paging.get(asked.page_id))
        context = {"pages": report(page, asked, work.context)}
        sentences = missing_incidents(page)
        if sentences:
            raise TaskFailed(*sentences, context=context)
        return TaskResult(Status.RUNNING if awaiting(page) else Status.SUCCEEDED, context=context)

    async def overdue(self, work: TaskContext, sentence: str) -> TaskResult:
        """Fail and name those still being tried, who will be told if PagerDuty ever takes it."""
        asked = asked_by(work.context)
        if asked is None:
            raise TaskTimedOut(sentence)
        page = await _counted(work, asked, await work.services.paging.get(asked.page_id))
        context = {"pages": report(page, asked, work.context)}
        failed = failure_sentence(page)
        if page.is_decided:
            if waiting := failed is None and work.context.get("waitForIncident") and awaiting(page):
                names = ", ".join(delivery.label for delivery in waiting)
                raise TaskTimedOut(
                    f"PagerDuty took the page for {names}, but no incident has been seen yet.",
                    sentence,
                    context=context,
                )
            if failed is None:
                return TaskResult(Status.SUCCEEDED, context=context)
            raise _refused(failed, context)
        names = ", ".join(delivery.label for delivery in page.in_state(DeliveryState.PENDING))
        still = f"PagerDuty has not yet taken the page for {names}; Masthead goes on trying."
        sentences = [each for each in (still, failed, sentence) if each]
        raise TaskTimedOut(*sentences, context=context)

    async def _request(self, work: TaskContext) -> Asked:
        """Page everybody, or those whom earlier runs of the stage have not reached."""
        draft = await _draft(work)
        restart = restart_of(work.context)
        if restart is None:
            return Asked((await work.services.paging.request(draft, work.caller)).id)
        earlier = await _earlier(work)
        found = divide(draft.keys, earlier, is_incident_needed=bool(work.context.get("waitForIncident")))
        follows = tuple(each.id for each in found.followed)
        before = tuple(dict.fromkeys(each.label for each in found.reached))
        if not found.missed:
            looked_at = (found.followed or found.reached)[-1]
            return Asked(looked_at.page_id, follows, before, has_paged=False)
        identity = f"{draft.identity}/{restart}"
        anew = replace(draft, keys=found.missed, identity=identity, doubtful=may_be_reached(earlier))
        return Asked((await work.services.paging.request(anew, work.caller)).id, follows, before)


class PageApplicationOwnerStage(StageType):
    """Pages the owners of applications."""

    type = "pageApplicationOwner"
    label = "Page application owner"
    doc = "Pages the people on call for applications, or for integration keys, through PagerDuty."
    fields = (
        Field("applications", Kind.TEXTS, "Applications whose PagerDuty service is paged."),
        Field("keys", Kind.TEXTS, "Integration keys that are paged as they are.", is_secret=True),
        Field(
            "message",
            Kind.TEXT,
            "The first line that the person on call reads. PagerDuty shows 1,024 characters; the full text goes along.",
            is_required=True,
        ),
        Field(
            "details",
            Kind.OBJECT,
            "More for the incident, as an object. Its `from` defaults to the user who started the execution.",
        ),
        Field(
            "severity",
            Kind.CHOICE,
            "How bad it is; Events v2 only. Missing means the configured severity, `critical` by default.",
            choices=tuple(str(each) for each in Severity),
        ),
        Field(
            "waitForIncident",
            Kind.BOOLEAN,
            "Wait until PagerDuty has opened an incident for every service, and fail when it opens none.",
        ),
    )
    tasks = (PageApplicationOwnerTask(),)

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Look at what cannot be meant; what is still missing is for lint, and for the one who edits."""
        for name, what in _RECIPIENTS.items():
            yield from problems_in(stage, name, partial(_listed, name=name, what=what))
        yield from problems_in(stage, "severity", lambda value: value and parse_severity(value))
        yield from problems_in(stage, "details", _object)


# -- what is asked ----------------------------------------------------------------------------------


async def _draft(work: TaskContext) -> Draft:
    """Give the page of the stage's first run, to everybody."""
    message, details, severity = _message(work.context), _details(work), _severity(work)
    identity = f"{work.execution.id}/{work.stage.id}"
    return Draft(
        keys=await _keys(work),
        message=message,
        door=Door.STAGE,
        application=work.execution.application,
        severity=severity,
        details=details,
        execution_id=work.execution.id,
        stage_id=work.stage.id,
        identity=identity,
        dedup_identity=identity,
        client=f"Spinnaker ({work.caller.user})",
    )


def _message(context: dict[str, Any]) -> str:
    message = context.get("message")
    if not isinstance(message, str) or not message.strip():
        raise TaskFailed("`message` is missing: it is the first line that the person on call reads.")
    return message


def _details(work: TaskContext) -> dict[str, Any]:
    return signed(_object(work.context.get("details")), work.execution.user)


def _object(details: Any) -> dict[str, Any]:
    if details is None:
        return {}
    if not isinstance(details, dict):
        raise TaskFailed('`details` must be an object, such as {"details": "what happened"}.')
    return details


def _severity(work: TaskContext) -> Severity:
    wanted = work.context.get("severity")
    if wanted is None or wanted == "":
        return work.services.default_severity
    try:
        return parse_severity(wanted)
    except InvalidRequest as error:
        raise TaskFailed(error.message) from error


async def _would_page(work: TaskContext) -> dict[str, Any]:
    keys = await _keys(work)
    return {
        "services": [work.services.key_label(key) for key in keys],
        "message": _message(work.context),
        "details": _details(work),
        "severity": str(_severity(work)),
    }


async def _keys(work: TaskContext) -> tuple[Secret, ...]:
    """Give whom to page, each key once: the given keys first, then the applications' in their order."""
    given, names = (
        _listed(work.context.get(name), name=name, what=what) for name, what in _RECIPIENTS.items()
    )
    keys = [Secret(text) for text in given]
    if not keys and not names:
        raise TaskFailed("There is nobody to page: give `applications`, `keys`, or both.")
    missing: list[str] = []
    unknown: list[str] = []
    for name in dict.fromkeys(names):
        document = await _look_up(name, work)
        key = (document or {}).get("pdApiKey")
        if isinstance(key, str) and key.strip():
            keys.append(Secret(key.strip()))
        else:
            missing.append(name)
            unknown.extend([] if document is not None else [name])
    if missing:
        raise _without_key(missing, unknown)
    troubles = [key_trouble(key) for key in keys]
    if all(troubles):  # beside others, which are told as Echo tells them, PagerDuty refuses such a key alone
        raise TaskFailed(*dict.fromkeys(each for each in troubles if each))
    return tuple(dict.fromkeys(keys))


async def _look_up(name: str, work: TaskContext) -> dict[str, Any] | None:
    try:
        return await work.services.applications.find(name)
    except NotFound:
        return None
    except AccessDenied as error:
        raise TaskFailed(f"The application {name} could not be looked up: {error.message}") from error


def _without_key(missing: Sequence[str], unknown: Sequence[str]) -> TaskFailed:
    """Give Orca's sentence, and which of them are not applications at all."""
    verb = "does" if len(missing) == 1 else "do"
    sentences = [f"{', '.join(missing)} {verb} not have a pager duty service key."]
    if unknown:
        sentences.append(f"There is no application called {' or '.join(unknown)}.")
    return TaskFailed(*sentences, exception_type="IllegalStateException")


def _listed(value: Any, *, name: str, what: str) -> list[str]:
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise TaskFailed(f"`{name}` must be a list of {what}.")
    return [each.strip() for each in value]


# -- asked again ------------------------------------------------------------------------------------


async def _earlier(work: TaskContext) -> list[Page]:
    """Give the pages that runs of this stage have asked for, oldest first."""
    pages = await work.services.paging.of_execution(work.execution.id)
    return [page for page in pages if page.stage_id == work.stage.id]


async def _counted(work: TaskContext, asked: Asked, page: Page) -> Page:
    """Give *page* with the deliveries that decide this run."""
    return counted(asked, page, await _earlier(work) if asked.follows else ())


# -- what came of it --------------------------------------------------------------------------------


def _patience_s(work: TaskContext) -> float:
    if work.deadline is None:
        return _PATIENCE_S
    return max(min(_PATIENCE_S, (work.deadline - work.now).total_seconds()), 0.0)


def _refused(sentence: str, context: dict[str, Any]) -> TaskFailed:
    """Fail as Orca does when Echo answers 400."""
    return TaskFailed(
        sentence,
        error="Bad Request",
        exception_type="SpinnakerHttpException",
        details={"status": 400},
        context=context,
    )
