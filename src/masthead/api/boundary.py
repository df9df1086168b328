"""The outermost layer: names the caller and the door, and turns whatever is raised into an answer.

This is the one place of the API that catches every exception.
"""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masthead.api.caller import REQUEST_ID, read_caller
from masthead.api.errors import answer_error
from masthead.api.services import Services
from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret

__all__ = ["DOORS", "Boundary"]

_REQUEST_ID = REQUEST_ID.lower().encode()
#: First parts of paths that belong to another door than Gate.
DOORS = ("orca", "echo", "front50", "v1")


class Boundary:
    """What every request passes first and every answer last."""

    def __init__(self, app: ASGIApp, *, services: Services, door: str | None = None) -> None:
        """Args: door: The only door of this port; by default the path's first part tells."""
        self._app = app
        self._services = services
        self._door = door
        self._is_believed = services.access.is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, always."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = read_caller(scope, self._services.ids, is_believed=self._is_believed)
        scope["masthead.caller"] = caller
        scope["masthead.door"] = self._door or _door_of(scope["path"])
        scope["masthead.is_key"] = self._is_key
        answer = _Answer(send, caller.request_id)
        try:
            _check_target(scope)
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            return
        except Exception as error:
            response = answer_error(error, scope, at=self._services.clock.now())
            if answer.has_begun:
                raise
            await response(scope, receive, answer.send)

    def _is_key(self, word: Secret) -> bool:
        return self._services.catalog.service_of_key(word) is not None


class _Answer:
    """Sends an answer with the request's id, and knows whether it has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            message["headers"] = [*message.get("headers", ()), (_REQUEST_ID, _for_header(self._request_id))]
        await self._send(message)


def _door_of(path: str) -> str:
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first if first in DOORS else "gate"


def _check_target(scope: Scope) -> None:
    if "\x00" in scope["path"] or b"%00" in scope.get("query_string", b""):
        raise InvalidRequest("The address holds a NUL character.")


def _for_header(text: str) -> bytes:
    return text.encode("ascii", "replace")
