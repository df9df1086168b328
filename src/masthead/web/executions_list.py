"""All executions, newest first: the list with its filters in the address, as far back as any are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from masthead.applications import application_id
from masthead.executions import JUDGMENT, Status
from masthead.executions.matching import Search
from masthead.kernel.clock import from_ms, to_ms
from masthead.kernel.errors import InvalidRequest
from masthead.web.awaiting import WAITING, look_of_execution
from masthead.web.domain import WebServices
from masthead.web.execution_facts import Took, parent_of, reason_of, took_of, user_of
from masthead.web.looks import Look, look_of
from masthead.web.rendering import Renderer, is_fragment, query

__all__ = ["SHORTCUTS", "execution_list_routes"]

_ROWS = 50
_FIELDS = ("application", "pipeline", "status")
#: Those that an execution may have.
_STATUSES = (
    Status.NOT_STARTED,
    Status.BUFFERED,
    Status.RUNNING,
    Status.PAUSED,
    Status.SUCCEEDED,
    Status.TERMINAL,
    Status.STOPPED,
    Status.CANCELED,
)
_FAILED = f"{Status.TERMINAL},{Status.STOPPED}"
_UNDER_WAY = ",".join(_STATUSES[:4])
#: What is asked for most: in words, and as the filter by status.
SHORTCUTS = (
    ("what is under way", _UNDER_WAY),
    ("what waits for judgment", WAITING),
    ("what failed", _FAILED),
)
_WAITING = (WAITING, look_of(Status.RUNNING, JUDGMENT).word)
_NOTHING: dict[str, Any] = {"rows": (), "older": None, "is_moving": False, "pipeline": None}
#: Longer digits are no instant that is stored.
_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class _Row:
    """An execution in short."""

    id: str
    name: str
    application: str
    look: Look
    user: str
    reason: str
    parent: tuple[str, str] | None
    #: When it was asked for.
    at: datetime
    took: Took


def execution_list_routes(services: WebServices, renderer: Renderer) -> Sequence[Route]:
    """Give the route of the list."""

    async def listed(request: Request) -> Response:
        given = _given(request.query_params)
        try:
            values, status = await _found(services, given), 200
        except InvalidRequest as error:
            values, status = dict(_NOTHING, problem=error.message), 400
        values |= {
            "given": {name: given[name] for name in _FIELDS if name in given},
            "is_first": "cursor" not in given,
            "address": query(given),
            "statuses": [*((one.value, look_of(one).word) for one in _STATUSES), _WAITING],
            "shortcuts": SHORTCUTS,
            "failed": _FAILED,
            "under_way": _UNDER_WAY,
            "now_ms": to_ms(services.clock.now()),
        }
        if not is_fragment(request):
            return renderer.page(request, "executions.html", status, **values)
        answer = renderer.fragment(request, "executions.html", "found", **values)
        answer.headers["HX-Replace-Url"] = f"/ui/executions{values['address']}"
        return answer

    return [Route("/ui/executions", listed, methods=["GET"], name="executions")]


def _given(params: QueryParams) -> dict[str, str]:
    given = {name: params.get(name, "").strip() for name in (*_FIELDS, "cursor")}
    return {name: value for name, value in given.items() if value}


async def _found(services: WebServices, given: Mapping[str, str]) -> dict[str, Any]:
    """Give the rows that are asked for, and where the older ones are.

    Raises:
        InvalidRequest: a value means nothing.
    """
    pipeline = await _pipeline(services, given)
    is_waiting = given.get("status", "").upper() == WAITING
    search = Search(
        application=application_id(given["application"]) if "application" in given else None,
        name=given.get("pipeline") if pipeline is None else None,
        config_id=None if pipeline is None else str(pipeline["id"]),
        statuses=() if is_waiting else _statuses(given.get("status", "")),
        is_awaiting=is_waiting,
        after=_cursor(given.get("cursor", "")),
    )
    found = await services.executions.made_lately(search, limit=_ROWS + 1)
    shown, now_ms = found[:_ROWS], to_ms(services.clock.now())
    last = shown[-1] if len(found) > _ROWS else None
    return {
        "rows": [_row(one, now_ms) for one in shown],
        "older": None if last is None else query(given, cursor=f"{last['buildTime']}-{last['id']}"),
        "is_moving": any(not Status(one["status"]).is_complete for one in shown),
        "problem": "",
        "pipeline": pipeline,
    }


async def _pipeline(services: WebServices, given: Mapping[str, str]) -> dict[str, Any] | None:
    """Give the pipeline that is meant, whose runs are found under all the names that it had; None where none is stored."""
    if "application" not in given or "pipeline" not in given:
        return None
    return await services.pipelines.find(given["application"], given["pipeline"])


def _statuses(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.upper().split(",") if word.strip())
    if any(word not in set(Status) for word in words):
        raise InvalidRequest(f"There is no status of that name; there are {', '.join(_STATUSES)}.")
    return words


def _cursor(text: str) -> tuple[int, str] | None:
    at, _, last = text.partition("-")
    if not text:
        return None
    if not (at.isascii() and at.isdecimal() and len(at) <= _MOST_DIGITS and last):
        raise InvalidRequest("The list cannot go on from there. Begin with the newest.")
    return int(at), last


def _row(execution: Mapping[str, Any], now_ms: int) -> _Row:
    trigger = execution.get("trigger") or {}
    return _Row(
        id=str(execution["id"]),
        name=str(execution.get("name") or execution["id"]),
        application=str(execution.get("application") or ""),
        look=look_of_execution(execution),
        user=user_of(execution),
        reason=reason_of(trigger),
        parent=parent_of(trigger),
        at=from_ms(int(execution.get("buildTime") or 0)),
        took=took_of(execution, now_ms),
    )
