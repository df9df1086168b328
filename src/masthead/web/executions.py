"""One execution: what it does, live, and what people can do about it.

Every deed is a form that is posted and leads back; what cannot be done is said on the page, which keeps what was typed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.executions import Executions
from masthead.kernel.caller import ANONYMOUS, Caller
from masthead.kernel.clock import to_ms
from masthead.kernel.errors import AccessDenied, Conflict, InvalidRequest
from masthead.paging import Page
from masthead.web.audit import fate_of
from masthead.web.domain import WebServices
from masthead.web.executions_live import Live
from masthead.web.executions_view import ExecutionView, StageView, view_of
from masthead.web.forms import Form, read_form
from masthead.web.rendering import Renderer, is_fragment

__all__ = ["execution_routes"]

#: Looks that are remembered, and of how many bits their names are.
_REMEMBERED = 200
_NAMES = (1 << 64) - 1
#: How htmx puts single changes in their places: see follow.js.
_CHANGES = "changes"
_Deed = Callable[[Executions, "_Asked"], Awaitable[str]]


class _Asked:
    """A deed that somebody asked for: of which execution and stage, and with what in the form."""

    def __init__(self, request: Request, form: Form) -> None:
        self.execution: str = request.path_params["id"]
        self.stage: str = request.path_params.get("stage", "")
        self.form = form
        self.caller: Caller = request.scope.get("masthead.caller", ANONYMOUS)


def execution_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the routes under ``/ui/executions``."""
    executions, paging, clock = services.executions, services.paging, services.clock
    live = Live(executions, paging, clock)
    memory = _Memory()

    async def shown(request: Request) -> Response:
        return await show(request)

    async def show(
        request: Request, refused: str = "", refusal: str = "", form: Form | None = None
    ) -> Response:
        execution_id = request.path_params["id"]
        mark, pages = await live.look(execution_id)
        now_ms = to_ms(clock.now())
        chosen = request.path_params.get("stage") or request.query_params.get("stage")
        found = await executions.get_execution(execution_id)
        # What the asking page shows already is not sent again.
        since = memory.find(request.query_params.get("since")) if is_fragment(request) else None
        it = view_of(found, pages, now_ms=now_ms, chosen=chosen, types=executions.types, shown=since)
        values: dict[str, Any] = {
            "it": it,
            "mark": mark,
            "shown": memory.keep(it),
            "now_ms": now_ms,
            "here": _address(it, chosen),
            "is_moving": _is_moving(it, pages),
            "inputs": _inputs(it.chosen),
            "refused": refused,
            "refusal": refusal,
            "typed": {name: form.raw(name) for name in form} if form else {},
            "fate_of": fate_of,
        }
        if it.changed is not None:
            return renderer.fragment(request, "execution.html", "changes", reswap=_CHANGES, **values)
        if is_fragment(request):
            return renderer.fragment(request, "execution.html", "execution", **values)
        return renderer.page(request, "execution.html", 409 if refusal else 200, **values)

    async def events(request: Request) -> Response:
        return await live.answer(request, request.path_params["id"])

    def doing(action: str, deed: _Deed) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            asked = _Asked(request, await read_form(request))
            try:
                said = await deed(executions, asked)
            except (AccessDenied, Conflict, InvalidRequest) as error:
                answer = await show(request, action, error.message, asked.form)
                if isinstance(error, AccessDenied):
                    answer.status_code = 403
                return answer
            back = "/ui/pipelines" if action == "delete" else f"/ui/executions/{asked.execution}"
            return renderer.redirect(back + (f"?stage={asked.stage}" if asked.stage else ""), say=said)

        return endpoint

    return [
        Route("/ui/executions/{id}", shown, methods=["GET"], name="execution"),
        Route("/ui/executions/{id}/events", events, methods=["GET"], name="changes of an execution"),
        *(
            Route(
                f"/ui/executions/{{id}}/{name}", doing(name, deed), methods=["POST"], name=f"{name} execution"
            )
            for name, deed in _DEEDS.items()
        ),
        *(
            Route(
                f"/ui/executions/{{id}}/stages/{{stage}}/{name}",
                doing(name, deed),
                methods=["POST"],
                name=f"{name} stage",
            )
            for name, deed in _STAGE_DEEDS.items()
        ),
    ]


async def _cancel(executions: Executions, asked: _Asked) -> str:
    await executions.cancel(asked.execution, asked.caller, asked.form.text("reason") or None)
    return "The execution is being cancelled."


async def _pause(executions: Executions, asked: _Asked) -> str:
    await executions.pause(asked.execution, asked.caller)
    return "The execution is paused."


async def _resume(executions: Executions, asked: _Asked) -> str:
    await executions.resume(asked.execution, asked.caller)
    return "The execution goes on."


async def _delete(executions: Executions, asked: _Asked) -> str:
    await executions.delete(asked.execution, asked.caller)
    return "The execution is deleted."


async def _restart(executions: Executions, asked: _Asked) -> str:
    await executions.restart_stage(asked.execution, asked.stage, asked.caller)
    return "The stage runs once more."


async def _skip(executions: Executions, asked: _Asked) -> str:
    await executions.change_stage(asked.execution, asked.stage, {"skipRemainingWait": True}, asked.caller)
    return "The rest of the wait is left out."


async def _judge(executions: Executions, asked: _Asked) -> str:
    word = asked.form.text("judgmentStatus")
    if word not in ("continue", "stop"):
        raise InvalidRequest("Choose Continue or Stop.")
    stages = (await executions.get_pipeline(asked.execution)).get("stages", ())
    if not any(each["id"] == asked.stage and each["status"] == "RUNNING" for each in stages):
        raise Conflict("This judgment does not wait any more: somebody answered it, or the execution ended.")
    changes = {"judgmentStatus": word}
    if answer := asked.form.raw("judgmentInput"):
        changes["judgmentInput"] = answer
    await executions.change_stage(asked.execution, asked.stage, changes, asked.caller)
    return f"The judgment is answered with {word}."


_DEEDS: dict[str, _Deed] = {"cancel": _cancel, "pause": _pause, "resume": _resume, "delete": _delete}
_STAGE_DEEDS: dict[str, _Deed] = {"restart": _restart, "skip": _skip, "judge": _judge}


class _Memory:
    """What pages show: the looks of the stages as they were rendered lately, each found by a name of its own.

    Not by the version: what was read may be newer than the version that was read before it, and of one version two pages may
    show different things.
    """

    def __init__(self) -> None:
        self._looks: OrderedDict[str, Mapping[str, tuple[object, ...]]] = OrderedDict()

    def find(self, name: str | None) -> Mapping[str, tuple[object, ...]] | None:
        """Give the looks of that name, or None when nobody knows them any more."""
        return self._looks.get(name or "")

    def keep(self, it: ExecutionView) -> str:
        """Remember what was rendered, and give its name."""
        name = f"{hash(tuple(it.looks.items())) & _NAMES:x}"
        self._looks[name] = it.looks
        self._looks.move_to_end(name)
        while len(self._looks) > _REMEMBERED:
            self._looks.popitem(last=False)
        return name


def _address(it: ExecutionView, chosen: str | None) -> str:
    """Give the page's address, with the stage where one was asked for: what fails later is shown by itself."""
    query = urlencode({"stage": chosen}) if it.chosen and chosen in (it.chosen.id, it.chosen.ref) else ""
    return f"/ui/executions/{it.id}" + (f"?{query}" if query else "")


def _is_moving(it: ExecutionView, pages: Sequence[Page]) -> bool:
    """Whether looking again may show something else."""
    awaited = any(not one.is_decided or one.incident.is_awaited for page in pages for one in page.deliveries)
    return awaited or not it.is_complete


def _inputs(stage: StageView | None) -> list[tuple[str, str]]:
    """Give the answers that a judgment offers."""
    offered = stage.context.get("judgmentInputs") if stage else None
    values = (
        [one.get("value") if isinstance(one, dict) else one for one in offered]
        if isinstance(offered, list)
        else []
    )
    return [(str(value), str(value)) for value in values if value not in (None, "")]
