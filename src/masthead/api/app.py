"""The ASGI applications: all doors on one port, or one service at the root of its own port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from masthead.api import echo, front50, gate, health, metrics, orca, v1
from masthead.api.answers import empty
from masthead.api.boundary import Boundary
from masthead.api.cors import LOOPBACK_ORIGINS, Cors
from masthead.api.errors import answer_error
from masthead.api.guard import Guard
from masthead.api.openapi import openapi_routes
from masthead.api.routing import Operation, fixed_routes, starlette_routes
from masthead.api.services import Services
from masthead.kernel.errors import MastheadError

__all__ = ["DOOR_NAMES", "create_app", "create_door", "operations_of"]

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[Any]]

#: The services of Spinnaker that Masthead stands in for.
DOOR_NAMES = ("gate", "orca", "echo", "front50")

_OPERATIONS: dict[str, tuple[Operation, ...]] = {
    "gate": gate.OPERATIONS,
    "orca": orca.OPERATIONS,
    "echo": echo.OPERATIONS,
    "front50": front50.OPERATIONS,
    "v1": v1.OPERATIONS,
}
_PREFIXES = {"gate": "", "orca": "/orca", "echo": "/echo", "front50": "/front50", "v1": "/v1"}


def create_app(
    services: Services,
    *,
    mounts: Sequence[BaseRoute] = (),
    cors_origins: Sequence[str] = LOOPBACK_ORIGINS,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """Give the application with every door: Gate at the root, the others under their names.

    Args:
        services: What the doors open to.
        mounts: More routes, tried before ours; the pages for people under ``/ui/``.
        cors_origins: Origins whose web pages may call; see :class:`masthead.api.cors.Cors`.
        lifespan: What happens before the first request and after the last.
    """
    routes: list[BaseRoute] = list(mounts)
    for door in ("echo", "gate", "v1", "orca", "front50"):
        routes += starlette_routes(_OPERATIONS[door], services, prefix=_PREFIXES[door])
        if door != "v1":
            routes += starlette_routes(health.OPERATIONS, services, prefix=_PREFIXES[door])
    routes += starlette_routes(metrics.OPERATIONS, services)
    routes += openapi_routes(_described(), services)
    routes += [Route("/", _to_pages, name="pages"), Route("/ui", _to_pages, name="pages without slash")]
    return _application(routes, services, guards=_guards(services, cors_origins), lifespan=lifespan)


def create_door(
    services: Services,
    name: str,
    *,
    cors_origins: Sequence[str] = LOOPBACK_ORIGINS,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """Give one service of Spinnaker at the root of a port of its own.

    Args:
        services: What the door opens to.
        name: One of :data:`DOOR_NAMES`.
        cors_origins: As for :func:`create_app`.
        lifespan: What happens before the first request and after the last.
    """
    if name not in DOOR_NAMES:
        raise ValueError(f"there is no door {name!r}; there are {', '.join(DOOR_NAMES)}")
    operations = (*_OPERATIONS[name], *health.OPERATIONS)
    guards = _guards(services, cors_origins, door=name)
    return _application(starlette_routes(operations, services), services, guards=guards, lifespan=lifespan)


def operations_of(door: str) -> tuple[Operation, ...]:
    """Give the operations of a door (or of "v1"), in the order in which they are tried."""
    return _OPERATIONS[door]


def _described() -> Iterable[tuple[str, Operation]]:
    """Give every operation with its full path, as it is served on the one port."""
    for door, operations in _OPERATIONS.items():
        for operation in (*operations, *(health.OPERATIONS if door != "v1" else ())):
            yield (_PREFIXES[door] + operation.path).rstrip("/") or "/", operation
    yield from ((operation.path, operation) for operation in metrics.OPERATIONS)


def _guards(services: Services, origins: Sequence[str], *, door: str | None = None) -> list[Middleware]:
    return [
        Middleware(Boundary, services=services, door=door),
        Middleware(Cors, origins=origins),
        Middleware(Guard, services=services, has_pages=door is None),
    ]


def _application(
    routes: Sequence[BaseRoute],
    services: Services,
    *,
    guards: Sequence[Middleware],
    lifespan: Lifespan | None,
) -> Starlette:
    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 405:
            allowed = _methods_at(routes, request)
            if request.method == "OPTIONS":
                return empty(headers={"Allow": allowed})
            error.headers = {"Allow": allowed}
        return answer_error(error, request.scope, at=services.clock.now())

    app = _Application(
        routes=routes,
        middleware=guards,
        exception_handlers={HTTPException: answer, MastheadError: answer},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


class _Application(Starlette):
    """Answers most requests as Starlette does, and those of fixed paths without searching and without its layers.

    A page goes that way: the search through all routes and four layers cost as much as reading the page. Boundary and
    Cors stand in front of both ways, and what an endpoint raises is answered by Boundary either way.
    """

    def __init__(self, *, routes: Sequence[BaseRoute], middleware: Sequence[Middleware], **more: Any) -> None:
        super().__init__(routes=routes, middleware=middleware, **more)
        self._fixed = fixed_routes(routes)
        self._guarded = _guarded(self._direct, middleware)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) in self._fixed:
            await self._guarded(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _direct(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._fixed[scope["method"], scope["path"]].app(scope, receive, send)


def _guarded(app: ASGIApp, guards: Sequence[Middleware]) -> ASGIApp:
    for guard in reversed(guards):
        app = guard.cls(app, *guard.args, **guard.kwargs)
    return app


def _methods_at(routes: Iterable[BaseRoute], request: Request) -> str:
    found = {"OPTIONS"}
    for route in routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return ", ".join(sorted(found))


async def _to_pages(_: Request) -> Response:
    return RedirectResponse("/ui/", status_code=302)
