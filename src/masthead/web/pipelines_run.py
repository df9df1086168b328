"""Running a pipeline by hand: its parameters, and whom it wakes, before anybody presses the button.

The form carries the id of the execution that it will make, so that a form posted twice starts one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.pipelines import is_enabled
from masthead.web.domain import WebServices
from masthead.web.forms import Errors, Form, read_form
from masthead.web.pipelines import pipeline_of
from masthead.web.rendering import Renderer
from masthead.web.services import oncalls_as_of
from masthead.web.wakes import wakes_of

__all__ = ["run_routes"]

#: What the form's id must look like: a ULID.
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter as the form asks for it."""

    name: str
    label: str
    #: The field of the form.
    field: str
    hint: str
    is_required: bool
    #: The values to choose from; empty for free text.
    options: tuple[tuple[str, str], ...]
    default: str
    value: str


def run_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the routes of the form."""

    async def asked(request: Request) -> Response:
        return await show(request, await pipeline_of(services, request))

    async def show(
        request: Request,
        pipeline: Mapping[str, Any],
        form: Form | None = None,
        errors: Errors | None = None,
    ) -> Response:
        caller: Caller = request.scope.get("masthead.caller", ANONYMOUS)
        like = await _parameters_of(services, request.query_params.get("like"))
        stages = pipeline.get("stages") or []
        return renderer.page(
            request,
            "pipeline_run.html",
            400 if errors else 200,
            pipeline=pipeline,
            application=str(pipeline["application"]),
            is_enabled=is_enabled(pipeline),
            parameters=_parameters(pipeline, form, like),
            errors=errors or Errors(),
            wakes=await wakes_of(stages, services.preflights, caller),
            execution_id=form.text("execution") if form else services.ids.new(),
            stages=len(stages),
            like=request.query_params.get("like"),
            oncalls_as_of=oncalls_as_of(services),
        )

    async def run(request: Request) -> Response:
        pipeline = await pipeline_of(services, request)
        form = await read_form(request)
        errors = Errors()
        given = _given(pipeline, form, errors)
        if not errors:
            try:
                execution = await _start(services, request, pipeline, form, given)
                return renderer.redirect(f"/ui/executions/{execution}")
            except InvalidRequest as error:
                errors.add("", error.message)
        return await show(request, pipeline, form, errors)

    at = "/ui/applications/{app}/pipelines/{id}/run"
    return [
        Route(at, asked, methods=["GET"], name="run a pipeline"),
        Route(at, run, methods=["POST"], name="start a pipeline"),
    ]


async def _start(
    services: WebServices, request: Request, pipeline: Mapping[str, Any], form: Form, given: dict[str, str]
) -> str:
    caller: Caller = request.scope.get("masthead.caller", ANONYMOUS)
    trigger = {"type": "manual", "user": caller.user, "parameters": given}
    run = {**pipeline, "trigger": trigger}
    if _ID.fullmatch(form.text("execution")):
        run["executionId"] = form.text("execution")
    return await services.executions.start_pipeline(run, caller)


async def _parameters_of(services: WebServices, execution_id: str | None) -> Mapping[str, Any]:
    """Give what an earlier run was started with."""
    if not execution_id:
        return {}
    try:
        trigger = (await services.executions.get_pipeline(execution_id)).get("trigger") or {}
    except NotFound:
        return {}
    parameters = trigger.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _declared(pipeline: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = pipeline.get("parameterConfig")
    return [
        one for one in given if isinstance(one, Mapping) and isinstance(one.get("name"), str) and one["name"]
    ] if isinstance(given, list) else []  # fmt: skip


def _parameters(pipeline: Mapping[str, Any], form: Form | None, like: Mapping[str, Any]) -> list[_Parameter]:
    """Give the fields: what was typed, else what the earlier run had, else the defaults."""
    found = []
    for place, one in enumerate(_declared(pipeline)):
        name, default = one["name"], _text(one.get("default"))
        field = f"parameter{place}"
        value = form.raw(field) if form else _text(like.get(name, default))
        found.append(
            _Parameter(
                name=name,
                label=str(one.get("label") or name),
                field=field,
                hint=str(one.get("description") or ""),
                is_required=one.get("required") is True,
                options=_options(one, value),
                default=default,
                value=value,
            )
        )
    return found


def _options(declared: Mapping[str, Any], value: str) -> tuple[tuple[str, str], ...]:
    """Give the values to choose from, also the present one where that is none of them."""
    given = declared.get("options")
    if declared.get("hasOptions") is not True or not isinstance(given, list):
        return ()
    values = [_text(one.get("value") if isinstance(one, Mapping) else one) for one in given]
    if value not in values:
        values.insert(0, value)
    return tuple((each, each or "(nothing)") for each in values)


def _given(pipeline: Mapping[str, Any], form: Form, errors: Errors) -> dict[str, str]:
    """Give the parameters that differ from their defaults: the others are the pipeline's affair."""
    given = {}
    for one in _parameters(pipeline, form, {}):
        if one.value != one.default:
            given[one.name] = one.value
        if one.is_required and not one.value:
            errors.add(one.field, f"{one.label} is required.")
    return given


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
