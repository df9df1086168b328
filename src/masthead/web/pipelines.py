"""The pipelines of an application, or of all: what ran last, what keeps one from running, and what can be done with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.executions import Run, Status
from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.clock import from_ms, to_ms
from masthead.kernel.errors import InvalidRequest, NotFound
from masthead.pipelines import is_enabled
from masthead.web.awaiting import awaiting
from masthead.web.domain import WebServices
from masthead.web.execution_facts import Took
from masthead.web.forms import Form, read_form
from masthead.web.looks import Look
from masthead.web.rendering import Renderer, duration, is_fragment

__all__ = ["pipeline_of", "pipeline_routes"]

_MOST_ROWS = 200
_RUNS = 6


@dataclass(frozen=True, slots=True)
class _Ran:
    """A run in short."""

    id: str
    look: Look
    took: Took


@dataclass(frozen=True, slots=True)
class _Row:
    """A pipeline and how it went lately."""

    id: str
    name: str
    application: str
    description: str
    is_enabled: bool
    triggers: tuple[str, ...]
    stages: int
    runs: tuple[_Ran, ...]

    @property
    def before(self) -> str:
        """Say how the runs before the last one went, in words: "3 succeeded, 2 failed"."""
        tally = Counter(run.look.word for run in self.runs[1:])
        return ", ".join(f"{number} {word}" for word, number in tally.items())


def pipeline_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the routes of the lists, and of what is done from them."""

    async def everywhere(request: Request) -> Response:
        return await show(request, None)

    async def of_application(request: Request) -> Response:
        return await show(request, request.path_params["app"])

    async def show(
        request: Request, application: str | None, refusal: str = "", form: Form | None = None
    ) -> Response:
        text = request.query_params.get("q", "").strip()
        found = await _found(services, application, text)
        rows = await _rows(services, found[:_MOST_ROWS])
        values: dict[str, Any] = {
            "application": application,
            "rows": rows,
            "text": text,
            "left_out": max(len(found) - _MOST_ROWS, 0),
            "is_moving": any(run.took.since_ms is not None for row in rows for run in row.runs),
            "now_ms": to_ms(services.clock.now()),
            "refusal": refusal,
            "typed": {name: form.raw(name) for name in form} if form else {},
        }
        if is_fragment(request):
            return renderer.fragment(request, "pipelines.html", "list", **values)
        return renderer.page(request, "pipelines.html", 400 if refusal else 200, **values)

    def doing(deed: _Deed) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            application = request.path_params["app"]
            form = await read_form(request)
            caller: Caller = request.scope.get("masthead.caller", ANONYMOUS)
            try:
                to, said = await deed(services, request, form, caller)
            except InvalidRequest as error:
                return await show(request, application, error.message, form)
            return renderer.redirect(to, say=said)

        return endpoint

    base = "/ui/applications/{app}/pipelines"
    return [
        Route("/ui/pipelines", everywhere, methods=["GET"], name="pipelines"),
        Route(base, of_application, methods=["GET"], name="pipelines of an application"),
        Route(f"{base}/new", doing(_create), methods=["POST"], name="new pipeline"),
        *(
            Route(f"{base}/{{id}}/{name}", doing(deed), methods=["POST"], name=f"{name} pipeline")
            for name, deed in _DEEDS.items()
        ),
    ]


async def pipeline_of(services: WebServices, request: Request) -> dict[str, Any]:
    """Give the pipeline that the address names.

    Raises:
        NotFound: there is none of that id in that application.
    """
    application, pipeline_id = request.path_params["app"], request.path_params["id"]
    found = await services.pipelines.get(pipeline_id)
    if str(found["application"]).lower() != application.lower():
        raise NotFound(f"{application} has no pipeline with the id {pipeline_id}.")
    return found


# -- what is listed ---------------------------------------------------------------------------------


async def _found(services: WebServices, application: str | None, text: str) -> list[dict[str, Any]]:
    """Give the pipelines that have every word of *text* in their name or application."""
    if application is None:
        found = await services.pipelines.list_all()
    else:
        await services.applications.get(application)
        found = await services.pipelines.of_application(application)
    words = text.lower().split()
    return [
        one for one in found if all(word in f"{one['application']} {one['name']}".lower() for word in words)
    ]


async def _rows(services: WebServices, found: Sequence[Mapping[str, Any]]) -> list[_Row]:
    runs = await services.executions.last_runs([str(one["id"]) for one in found], limit=_RUNS)
    looks = await awaiting(services, [run for those in runs.values() for run in those])
    now_ms = to_ms(services.clock.now())
    return [
        _Row(
            id=str(one["id"]),
            name=str(one["name"]),
            application=str(one["application"]),
            description=str(one.get("description") or ""),
            is_enabled=is_enabled(one),
            triggers=tuple(_triggers(one)),
            stages=len(one.get("stages") or ()),
            runs=tuple(_ran(run, looks.look(run.id, run.status), now_ms) for run in runs[str(one["id"])]),
        )
        for one in found
    ]


def _ran(run: Run, look: Look, now_ms: int) -> _Ran:
    start = run.start_at if run.start_at is not None else run.build_at
    runs = run.end_at is None and not Status(run.status).is_complete
    end = run.end_at if run.end_at is not None else now_ms if runs else start
    took = Took(
        from_ms(start),
        None if run.end_at is None else from_ms(run.end_at),
        duration((end - start) / 1000),
        start if runs else None,
    )
    return _Ran(run.id, look, took)


def _triggers(pipeline: Mapping[str, Any]) -> list[str]:
    """Give the types of its triggers, each with how many there are and whether they are off."""
    given = [one for one in pipeline.get("triggers") or () if isinstance(one, Mapping)]
    counts: dict[str, int] = {}
    for one in given:
        name = str(one.get("type") or "trigger") + ("" if one.get("enabled") is True else " (off)")
        counts[name] = counts.get(name, 0) + 1
    return [name if count == 1 else f"{count} {name}" for name, count in counts.items()]


# -- what is done from the list ---------------------------------------------------------------------

#: Gives where to go on and what to say there.
_Deed = Callable[[WebServices, Request, Form, Caller], Awaitable[tuple[str, str]]]


def _list(request: Request) -> str:
    return f"/ui/applications/{request.path_params['app']}/pipelines"


async def _create(services: WebServices, request: Request, form: Form, caller: Caller) -> tuple[str, str]:
    application = request.path_params["app"]
    await services.applications.get(application)
    document = {"name": form.text("name"), "application": application, "stages": [], "triggers": []}
    saved = await services.pipelines.save(document, caller)
    return (
        f"{_list(request)}/{saved['id']}/edit",
        f"The pipeline {saved['name']} is made. Add its first stage.",
    )


async def _copy(services: WebServices, request: Request, form: Form, caller: Caller) -> tuple[str, str]:
    """Make a new pipeline of an old one; it is disabled, so that nothing runs twice by its triggers."""
    given = await pipeline_of(services, request)
    kept = {key: value for key, value in given.items() if key not in ("id", "index", "updateTs", "createTs")}
    saved = await services.pipelines.save({**kept, "name": form.text("name"), "disabled": True}, caller)
    said = f"{saved['name']} is a copy of {given['name']}. It is disabled until you enable it."
    return f"{_list(request)}/{saved['id']}/edit", said


async def _rename(services: WebServices, request: Request, form: Form, caller: Caller) -> tuple[str, str]:
    given = await pipeline_of(services, request)
    saved = await services.pipelines.update(
        given["id"], {**given, "name": form.text("name")}, caller, stale_check=True
    )
    return _list(request), f"{given['name']} is called {saved['name']} now."


async def _disable(services: WebServices, request: Request, _form: Form, caller: Caller) -> tuple[str, str]:
    given = await pipeline_of(services, request)
    await services.pipelines.update(given["id"], {**given, "disabled": True}, caller, stale_check=True)
    return _list(request), f"{given['name']} is disabled: nobody and no trigger can start it."


async def _enable(services: WebServices, request: Request, _form: Form, caller: Caller) -> tuple[str, str]:
    given = await pipeline_of(services, request)
    kept = {key: value for key, value in given.items() if key != "disabled"}
    await services.pipelines.update(given["id"], kept, caller, stale_check=True)
    return _list(request), f"{given['name']} is enabled."


async def _delete(services: WebServices, request: Request, _form: Form, caller: Caller) -> tuple[str, str]:
    given = await pipeline_of(services, request)
    await services.pipelines.delete(given["application"], given["name"], caller)
    return _list(request), f"{given['name']} is deleted. Its executions and its history stay."


async def _up(services: WebServices, request: Request, _form: Form, caller: Caller) -> tuple[str, str]:
    return await _move(services, request, caller, -1)


async def _down(services: WebServices, request: Request, _form: Form, caller: Caller) -> tuple[str, str]:
    return await _move(services, request, caller, 1)


async def _move(services: WebServices, request: Request, caller: Caller, by: int) -> tuple[str, str]:
    given = await pipeline_of(services, request)
    ids = [str(one["id"]) for one in await services.pipelines.of_application(given["application"])]
    place = ids.index(given["id"])
    ids.insert(min(max(place + by, 0), len(ids) - 1), ids.pop(place))
    await services.pipelines.reorder(given["application"], {one: at for at, one in enumerate(ids)}, caller)
    return _list(request), f"{given['name']} is moved."


_DEEDS: dict[str, _Deed] = {
    "copy": _copy,
    "rename": _rename,
    "disable": _disable,
    "enable": _enable,
    "delete": _delete,
    "up": _up,
    "down": _down,
}
