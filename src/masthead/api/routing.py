"""Routes as a table: each says its method, path, handler and purpose, once, for the router and for OpenAPI.

A route that Spinnaker has and Masthead does not answers ``501`` with a sentence, or the empty document that
Deck needs; both kinds stand in the same table.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from masthead.api.answers import json_answer
from masthead.api.ask import Ask
from masthead.api.services import Services
from masthead.kernel.errors import NotSupported

__all__ = ["Handler", "Operation", "Routes", "fixed_routes", "starlette_routes"]

#: Gives a Response, or a document that is written as the door's JSON.
Handler = Callable[[Ask], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    door: str
    method: str
    path: str
    handler: Handler
    #: What it does, in one sentence.
    summary: str
    #: The status of a document that the handler gives.
    status: int = 200
    #: Whether it does something here; else it answers empty, or 501.
    is_built: bool = True


@dataclass
class Routes:
    """The routes of one part of one door, in the order in which they are tried."""

    door: str
    operations: list[Operation] = field(default_factory=list)

    def get(self, path: str, summary: str, *, status: int = 200) -> Callable[[Handler], Handler]:
        """Register a handler of GET."""
        return self.on("GET", path, summary, status=status)

    def post(self, path: str, summary: str, *, status: int = 200) -> Callable[[Handler], Handler]:
        """Register a handler of POST."""
        return self.on("POST", path, summary, status=status)

    def put(self, path: str, summary: str, *, status: int = 200) -> Callable[[Handler], Handler]:
        """Register a handler of PUT."""
        return self.on("PUT", path, summary, status=status)

    def patch(self, path: str, summary: str) -> Callable[[Handler], Handler]:
        """Register a handler of PATCH."""
        return self.on("PATCH", path, summary)

    def delete(self, path: str, summary: str) -> Callable[[Handler], Handler]:
        """Register a handler of DELETE."""
        return self.on("DELETE", path, summary)

    def on(self, method: str, path: str, summary: str, *, status: int = 200) -> Callable[[Handler], Handler]:
        """Register a handler; used as a decorator."""

        def register(handler: Handler) -> Handler:
            self.operations.append(Operation(self.door, method, path, handler, summary, status=status))
            return handler

        return register

    def empty(self, path: str, document: Any, summary: str) -> None:
        """Answer GET of *path* with *document*, always."""

        async def handler(_: Ask) -> Any:
            return document

        self.operations.append(Operation(self.door, "GET", path, handler, summary, is_built=False))

    def unbuilt(self, methods: str, path: str, sentence: str) -> None:
        """Answer *methods* (separated by spaces) of *path* with 501 and *sentence*."""

        async def handler(_: Ask) -> Any:
            raise NotSupported(sentence)

        for method in methods.split():
            self.operations.append(
                Operation(self.door, method, path, handler, sentence, status=501, is_built=False)
            )


class _Endpoint:
    """An operation as an ASGI application."""

    def __init__(self, operation: Operation, services: Services) -> None:
        self._operation = operation
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operation
        scope["masthead.operation"] = operation
        answer = await operation.handler(Ask(scope, receive, self._services))
        if not isinstance(answer, Response):
            answer = json_answer(answer, status=operation.status, is_sorted=operation.door == "gate")
        await answer(scope, receive, send)


class _Route(Route):
    """A route that takes a trailing slash as well (compatibility facts, section 2)."""

    def __init__(self, path: str, endpoint: _Endpoint, *, method: str) -> None:
        super().__init__(path, endpoint, methods=[method], name=f"{method} {path}")
        self.method = method
        if path != "/":
            self.path_regex = re.compile(self.path_regex.pattern.removesuffix("$") + "/?$")


def starlette_routes(
    operations: Iterable[Operation], services: Services, *, prefix: str = ""
) -> Sequence[Route]:
    """Give *operations* as routes below *prefix* ("" or, for instance, "/echo")."""
    return [
        _Route(
            (prefix + operation.path).rstrip("/") or "/",
            _Endpoint(operation, services),
            method=operation.method,
        )
        for operation in operations
    ]


def fixed_routes(routes: Sequence[BaseRoute]) -> dict[tuple[str, str], Route]:
    """Give those of our *routes* that one method and one path lead to, and nothing else: by method and path."""
    found: dict[tuple[str, str], Route] = {}
    before: list[BaseRoute] = []  # what may also take a path that is fixed
    for route in routes:
        if not isinstance(route, _Route) or route.param_convertors:
            before.append(route)
            continue
        if not any(_takes(one, route.method, route.path) for one in before):
            found.setdefault((route.method, route.path), route)
    return found


def _takes(route: BaseRoute, method: str, path: str) -> bool:
    if isinstance(route, _Route):
        return method in (route.methods or ()) and route.path_regex.match(path) is not None
    scope = {"type": "http", "method": method, "path": path, "headers": []}
    return route.matches(scope)[0] is Match.FULL
