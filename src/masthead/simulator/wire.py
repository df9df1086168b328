"""How an answer reaches the caller, or is cut off on the way there.

uvicorn does not let an application break its connection; :class:`BreakableProtocol` puts a handle
into the ASGI scope with which a fault can reset it or end it in the middle of an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = [
    "Answer",
    "Asgi",
    "BreakableProtocol",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "deliver",
    "json_answer",
    "read_body",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_HANDLE = "simulator.transport"
#: ``struct linger {on, 0 seconds}``: closing sends RST at once instead of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Answer(msgspec.Struct):
    """A whole HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = {}


def json_answer(status: int, document: object, *, headers: dict[str, str] | None = None) -> Answer:
    """Make an answer with a JSON body."""
    return Answer(status, _ENCODER.encode(document), headers=headers or {})


async def read_body(receive: Receive, *, most: int) -> bytes:
    """Read a request's body; what goes beyond *most* bytes is read and thrown away, except one byte."""
    parts = []
    size = 0
    more = True
    while more:
        message = await receive()
        part = message.get("body", b"")
        if size <= most:
            parts.append(part[: most + 1 - size])
            size += len(parts[-1])
        more = message["type"] == "http.request" and message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def deliver(
    answer: Answer,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    reset: bool = False,
    half_body: bool = False,
) -> None:
    """Send *answer* whole; with *half_body* only half of its body; with *reset* nothing at all."""
    if reset:
        await _break(scope, receive, reset=True)
        return
    headers = [(b"content-length", str(len(answer.body)).encode())]
    if answer.content_type and answer.body:
        headers.append((b"content-type", answer.content_type.encode()))
    headers.extend((name.lower().encode(), value.encode()) for name, value in answer.headers.items())
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if half_body:
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await _break(scope, receive, reset=False)
        return
    await send({"type": "http.response.body", "body": answer.body})


async def _break(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """End the connection under the feet of the caller.

    Raises:
        ConnectionResetError: The application runs without :class:`BreakableProtocol`, as in unit tests.
    """
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(_HANDLE)
    if transport is None:
        raise ConnectionResetError("the simulator broke this connection on purpose")
    if reset:
        connection = transport.get_extra_info("socket")
        # Without a socket, or with an error, the caller has hung up already.
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


class BreakableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol that lets the application break its connection."""

    def on_message_begin(self) -> None:
        """Put the connection into the scope of the request that begins."""
        super().on_message_begin()
        self.scope["extensions"] = {_HANDLE: self.transport}  # type: ignore[dict-item]
