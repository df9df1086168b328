"""From what was posted to an execution that may start: Orca's preparation, without artifacts and templates.

Source: Spinnaker compatibility facts, section 4.1, improved as section 8 suggests: ``/ops`` accepts bodies
without description or application and a bare list of jobs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from masthead.executions.model import Document, Execution, ExecutionType, Stage
from masthead.executions.stages.any_stage import type_missing
from masthead.kernel.caller import Caller
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.ids import Ids
from masthead.pipelines.concurrency import read_most
from masthead.pipelines.expressions import too_many_expressions
from masthead.pipelines.graph import shape_problems, too_many_stages
from masthead.pipelines.parameters import declared_parameters, too_many_parameters

__all__ = ["refusal", "tasks_to_run", "to_run"]

_DISABLED = "Pipeline is disabled and cannot be started."
_TEMPLATE = "Pipeline templates are not resolved here: save the pipeline with its stages instead."
#: What stands in the paths of an execution; Orca's own are ULIDs.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_NO_ID = "`executionId` must be 1 to 100 letters, digits, - and _."
#: Where pages and tasks that belong to no application stand.
_NO_APPLICATION = "spinnaker"
#: Digits of an instant in milliseconds; and the largest number that is counted to.
_LONGEST_INSTANT, _MOST = 15, 2**31 - 1
#: What every trigger has.
_TRIGGER: Document = {
    "parameters": {},
    "artifacts": [],
    "notifications": [],
    "rebake": False,
    "dryRun": False,
    "strategy": False,
    "resolvedExpectedArtifacts": [],
}
_NOT_CONTEXT = frozenset({"type", "name", "refId", "requisiteStageRefIds", "startTimeExpiry"})


def to_run(config: Document, caller: Caller, *, ids: Ids, now_ms: int) -> Execution:
    """Give the execution of the pipeline *config* with its ``trigger``; nothing is stored.

    Raises:
        InvalidRequest: a stage has no type, or something is not of the shape it must be.
    """
    application = _text(config.get("application"))
    name = _text(config.get("name"))
    given = _few(_list(config, "stages"), "/stages")
    for problem in shape_problems(given):
        _refuse(problem.sentence, problem.pointer)
    stages = _stages(given, ids, where=f"pipeline '{name}' in application '{application}'")
    _refuse(too_many_expressions({key: value for key, value in config.items() if key != "trigger"}))
    execution = _execution(ExecutionType.PIPELINE, config, caller, ids=ids, now_ms=now_ms)
    execution.application = application or _NO_APPLICATION
    execution.name = name
    execution.root_id = _root_of(execution.trigger) or execution.id
    execution.pipeline_config_id = _text_or_none(config.get("id"))
    execution.trigger["parameters"] = _parameters(config, execution.trigger)
    execution.limit_concurrent = config.get("limitConcurrent") is True
    execution.max_concurrent_executions = _count(config.get("maxConcurrentExecutions"))
    execution.keep_waiting_pipelines = config.get("keepWaitingPipelines") is True
    execution.notifications = _list(config, "notifications")
    execution.initial_config = _object(config.get("initialConfig"))
    execution.start_time_expiry = _digits(config.get("startTimeExpiry"))
    execution.spel_evaluator = _text_or_none(config.get("spelEvaluator"))
    execution.template_variables = config.get("templateVariables")
    execution.source = config.get("source") if isinstance(config.get("source"), dict) else None
    execution.stages = stages
    return execution


def tasks_to_run(body: Any, caller: Caller, *, ids: Ids, now_ms: int) -> Execution:
    """Give the execution of the jobs in *body*: an object with ``job``, or a bare list of jobs.

    Raises:
        InvalidRequest: there is no job, or one without a type.
    """
    body = {"job": body} if isinstance(body, list) else body
    if not isinstance(body, dict):
        raise InvalidRequest(
            "Tasks are posted as an object with `application`, `description` and `job`.", pointer=""
        )
    jobs = [dict(job) for job in _few(_objects(body.get("job"), "job"), "/job")]
    if not jobs:
        raise InvalidRequest("There is no job to run: `job` must hold at least one.", pointer="/job")
    for place, job in enumerate(jobs):
        if not _text(job.get("type")):
            raise InvalidRequest(f"type missing from job {place}", pointer=f"/job/{place}/type")
        job.pop("name", None)
    _refuse(too_many_expressions(jobs))
    execution = _execution(ExecutionType.ORCHESTRATION, body, caller, ids=ids, now_ms=now_ms)
    execution.application = _text(body.get("application")) or _application_of(jobs)
    execution.description = _text(body.get("description")) or _text(jobs[0]["type"])
    execution.root_id = None
    execution.notifications = execution.trigger["notifications"]
    execution.stages = _stages(jobs, ids, where=f"task '{execution.description}'")
    return execution


def refusal(config: Document) -> str | None:
    """Give the sentence why *config* must not be started, or None."""
    if config.get("disabled") is True:
        return _DISABLED
    if config.get("type") == "templatedPipeline":
        return _TEMPLATE
    errors = config.get("errors")
    if isinstance(errors, list) and errors:
        return "; ".join(str(e.get("message", e)) if isinstance(e, dict) else str(e) for e in errors)
    return None


def _execution(kind: ExecutionType, body: Document, caller: Caller, *, ids: Ids, now_ms: int) -> Execution:
    execution_id = _execution_id(body.get("executionId")) or ids.new()
    return Execution(
        id=execution_id,
        root_id=execution_id,
        type=kind,
        application=_NO_APPLICATION,
        build_time=now_ms,
        authentication={"user": caller.user},
        origin=_text(body.get("origin")) or caller.origin,
        trigger=_trigger(body.get("trigger"), caller),
        masthead={
            "address": caller.address,
            "requestId": caller.request_id,
            **({"roles": list(caller.roles)} if caller.roles else {}),
        },
    )


def _execution_id(given: Any) -> str:
    execution_id = _text(given)
    if execution_id and not _ID.fullmatch(execution_id):
        raise InvalidRequest(_NO_ID, pointer="/executionId")
    return execution_id


def _trigger(given: Any, caller: Caller) -> Document:
    trigger = _object(given)
    user = "[anonymous]" if caller.is_anonymous else caller.user
    defaults = {"type": "manual", "user": user, **_TRIGGER}
    for key, value in defaults.items():
        if trigger.get(key) is None:
            trigger[key] = value.copy() if isinstance(value, (dict, list)) else value
    if not isinstance(trigger["parameters"], dict):
        raise InvalidRequest("The trigger's parameters must be an object.", pointer="/trigger/parameters")
    if not isinstance(trigger["notifications"], list):
        raise InvalidRequest("The trigger's notifications must be a list.", pointer="/trigger/notifications")
    return trigger


def _root_of(trigger: Document) -> str | None:
    """Give the id of the first in the line of executions that started this one, or None."""
    parent = trigger.get("parentExecution")
    root_id = parent.get("rootId") if isinstance(parent, dict) else None
    return root_id if isinstance(root_id, str) and root_id else None


def _parameters(config: Document, trigger: Document) -> Document:
    """Give the supplied parameters, and the default of each one that was not named at all."""
    parameters = dict(trigger["parameters"])
    _refuse(too_many_parameters(_list(config, "parameterConfig")), "/parameterConfig")
    for name, declared in declared_parameters(config):
        parameters.setdefault(name, declared.get("default"))
    return parameters


def _few(given: list[Any], pointer: str) -> list[Any]:
    """Give *given*, unless it holds more than one execution can have."""
    _refuse(too_many_stages(given), pointer)
    return given


def _refuse(sentence: str | None, pointer: str = "") -> None:
    if sentence is not None:
        raise InvalidRequest(sentence, pointer=pointer)


def _stages(given: Sequence[Any], ids: Ids, *, where: str) -> list[Stage]:
    stages = [_stage(each, ids, where=where, place=place) for place, each in enumerate(given)]
    if all(stage.ref_id is None for stage in stages):
        for place, stage in enumerate(stages):
            stage.ref_id = str(place)
            stage.requisite_stage_ref_ids = [str(place - 1)] if place else []
    return stages


def _stage(given: Document, ids: Ids, *, where: str, place: int) -> Stage:
    kind = _text(given.get("type"))
    if not kind:
        raise InvalidRequest(
            type_missing(where, _text(given.get("name"))),
            pointer=f"/stages/{place}/type",
        )
    requisites = given.get("requisiteStageRefIds") or []
    return Stage(
        id=ids.new(),
        type=kind,
        name=_text(given.get("name")) or kind,
        ref_id=_text_or_none(given.get("refId")),
        requisite_stage_ref_ids=[_text(ref) for ref in requisites],
        start_time_expiry=_digits(given.get("startTimeExpiry")),
        context={key: value for key, value in given.items() if key not in _NOT_CONTEXT},
    )


def _application_of(jobs: Sequence[Document]) -> str:
    """Give the application that the first job is about, for bodies that do not say."""
    subject = jobs[0].get("application")
    name = subject.get("name") if isinstance(subject, dict) else subject
    applications = jobs[0].get("applications")
    if not name and isinstance(applications, list) and len(applications) == 1:
        name = applications[0]
    return _text(name) or _NO_APPLICATION


def _objects(value: Any, name: str) -> list[Document]:
    items = [] if value is None else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidRequest(f"`{name}` must be a list of objects.", pointer=f"/{name}")
    return items


def _list(document: Document, name: str) -> list[Any]:
    value = document.get(name)
    if value is not None and not isinstance(value, list):
        raise InvalidRequest(f"`{name}` must be a list.", pointer=f"/{name}")
    return value or []


def _object(value: Any) -> Document:
    return dict(value) if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _text_or_none(value: Any) -> str | None:
    return _text(value) or None


def _digits(value: Any) -> int | None:
    """Give an instant that is written in digits; one beyond all calendars never comes, and is none."""
    is_instant = isinstance(value, str) and value.isdecimal() and len(value) <= _LONGEST_INSTANT
    return int(value) if is_instant else None


def _count(value: Any) -> int:
    """Give a whole number above 0, or 0 for anything else; upstream's is an int of Java."""
    return max(0, min(read_most(value) or 0, _MOST))
