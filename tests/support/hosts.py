"""A server on 127.0.0.1 that answers byte for byte what a test says, over HTTP or HTTPS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    #: The client's certificate, if it showed one.
    certificate: dict | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Host:
    """Answers from ``answer``: bytes, or a function of the request; None is silence."""

    port: int = 0
    answer: bytes | Callable[[Asked], bytes | None] | None = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def url(self, path: str = "/", *, scheme: str = "http", name: str = "localhost") -> str:
        return f"{scheme}://{name}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                asked = await _read(reader, writer)
                self.asked.append(asked)
                found = self.answer(asked) if callable(self.answer) else self.answer
                if found is None:
                    await reader.read()
                    return
                writer.write(found)
                await writer.drain()
                if b"connection: close" in found.lower() or b"content-length" not in found.lower():
                    break
        writer.close()


def answer(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """Give an answer with its length."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


@contextlib.asynccontextmanager
async def hosting(*, tls: ssl.SSLContext | None = None) -> AsyncIterator[Host]:
    """Serve on a free port of 127.0.0.1."""
    host = Host()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0, ssl=tls)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()
        for writer in host._writers:
            if not writer.is_closing():
                writer.transport.abort()
        await asyncio.sleep(0)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    body = await reader.readexactly(length)
    tls = writer.get_extra_info("ssl_object")
    return Asked(method, path, headers, body, tls.getpeercert() if tls else None)
