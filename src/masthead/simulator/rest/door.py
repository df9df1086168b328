"""The way into the REST API: latency and faults, token, rate limit, scope, then the endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from masthead.simulator.limits import Standing
from masthead.simulator.organisation import Token
from masthead.simulator.rest.call import Call, Refusal
from masthead.simulator.wire import Answer, Message, Receive, Scope, Send, deliver, read_body
from masthead.simulator.world import World

__all__ = ["BODY_LIMIT", "Endpoint", "Operation", "RestDoor", "find_token", "secret_of"]

Endpoint = Callable[[Call], Answer]

BODY_LIMIT = 2_000_000
#: Begins the tokens of POST /oauth/token; one that is not known any more has expired.
_ISSUED = "pdus+_"


class Operation(msgspec.Struct, frozen=True):
    """One operation of the REST API."""

    method: str
    path: str
    endpoint: Endpoint
    #: The scope that a token needs; empty: no token is needed.
    scope: str
    #: Whether it has a limit of its own, lower than the general one.
    is_limited: bool = False


class RestDoor:
    """Answers what is sent to the REST API."""

    def __init__(self, world: World, operations: list[Operation]) -> None:
        self._world = world
        self._router = Router(
            [Route(one.path, self._endpoint(one), methods=[one.method]) for one in operations],
            redirect_slashes=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, with the latency and the fault that strikes it."""
        world = self._world
        if world.settings.rest_latency_ms:
            await world.clock.sleep(world.settings.rest_latency_ms / 1000)
        secret = secret_of(_header(scope, b"authorization")) or ""
        fault = world.faults.strike("rest", scope["method"], scope["path"], secret=secret)
        if fault is None:
            await deliver(await self._ask(scope, receive), scope, receive, send)
            return
        pause = fault.order.delay_ms / 1000
        if fault.order.when == "before":
            await world.clock.sleep(pause)
        real = None if fault.is_before else await self._ask(scope, receive)
        if fault.order.when == "after":
            await world.clock.sleep(pause)
        order = fault.order
        await deliver(fault.answer(real), scope, receive, send, reset=order.reset, half_body=order.half_body)

    async def _ask(self, scope: Scope, receive: Receive) -> Answer:
        """Let the router answer and keep what it says; what it does not know is PagerDuty's 404."""
        kept: list[Answer] = []
        scope["simulator.answer"] = kept.append

        async def ignore(_message: Message) -> None:
            return

        await self._router(scope, receive, ignore)
        return kept[0] if kept else Refusal(404, "Not Found", 2100).answer()

    def _endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            raw = await read_body(request.receive, most=BODY_LIMIT)
            request.scope["simulator.answer"](self._answer(operation, request, raw))
            return Response()

        return answer

    def _answer(self, operation: Operation, request: Request, raw: bytes) -> Answer:
        """Check token, limits and scope, then call the endpoint."""
        standing: Standing | None = None
        try:
            token = Token(token="")
            if operation.scope:
                token = find_token(self._world, request.headers.get("authorization", ""))
                standing = self._world.token_minutes.admit(token.token, self._world.settings.rest_per_minute)
                self._check_limits(operation, token, standing)
                _check_scope(operation, token)
            answer = operation.endpoint(_call(self._world, token, request, raw))
        except Refusal as refusal:
            answer = refusal.answer()
            if refusal.status == 429 and self._world.settings.rest_429 == "bare":
                return Answer(429, b"", "")
        if standing is not None:
            answer.headers = {**answer.headers, **standing.headers()}
        return answer

    def _check_limits(self, operation: Operation, token: Token, standing: Standing | None) -> None:
        own = None
        if operation.is_limited:
            limit = self._world.settings.rest_limited_per_minute
            own = self._world.limited_minutes.admit(
                f"{operation.method}{operation.path} {token.token}", limit
            )
        if (standing and not standing.allowed) or (own and not own.allowed):
            raise Refusal(429, "Rate Limit Exceeded", 2020)


def _check_scope(operation: Operation, token: Token) -> None:
    if token.scopes is not None and operation.scope not in token.scopes:
        raise Refusal(403, "Access Denied", 2010, errors=[f"Missing scope {operation.scope}"])


def _call(world: World, token: Token, request: Request, raw: bytes) -> Call:
    sender = request.headers.get("from", "")
    return Call(world, token, request.query_params, request.path_params, sender, raw)


def secret_of(authorization: str) -> str | None:
    """Read the token out of the header; None when the form is wrong."""
    for prefix in ("Token token=", "Bearer "):
        if authorization.startswith(prefix):
            return authorization.removeprefix(prefix).strip() or None
    return None


def find_token(world: World, authorization: str) -> Token:
    """Give the token that the header carries.

    Raises:
        Refusal: 401; the form is wrong, the token unknown or expired.
    """
    secret = secret_of(authorization)
    directory = world.directory
    if secret is not None:
        known = directory.tokens.get(secret) or world.issued(secret)
        if known is not None:
            return known
        if not directory.tokens and not secret.startswith(("invalid", _ISSUED)):
            return Token(token=secret)
    raise Refusal(401, "Authentication failed", 2006)


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""
