"""Bytes that are no HTTP."""

from __future__ import annotations

import asyncio
import json

import pytest
import uvicorn
from uvicorn.server import ServerState

from masthead.server.protocol import Protocol


class Wire(asyncio.Transport):
    """A connection that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


async def nobody(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError("nothing of this may reach the application")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\nA b: c\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_in_spinnakers_body(sent: bytes) -> None:
    """Also TLS spoken to a port without; the connection is closed."""
    config = uvicorn.Config(nobody, http=Protocol, lifespan="off", log_config=None)
    protocol, wire = Protocol(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(sent)

    head, _, body = wire.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n")
    answer = json.loads(body)
    assert (answer["status"], answer["error"]) == (400, "Bad Request")
    assert {"timestamp", "message"} <= set(answer)
    assert wire.is_closed
