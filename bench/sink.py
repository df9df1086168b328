"""What stands in for PagerDuty: takes every event at once, and counts.

nginx answers a fixed body and is the cheapest; where it is absent, or where answers must take a while, a small
program of ours does it: ``python bench/sink.py PORT [DELAY_MS]``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httptools
import httpx
import uvloop
from line import Absent
from programs import free_port, path_of, program

__all__ = ["Sink", "nginx_sink", "slow_sink"]

_V2 = "/v2/enqueue"
_V1 = "/generic/2010-04-15/create_event.json"
_V2_BODY = '{"status":"success","message":"Event processed","dedup_key":"bench"}'
_V1_BODY = '{"status":"success","message":"Event processed","incident_key":"bench"}'

_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 512k;
    client_max_body_size 1m;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port};
        location = {v2} {{ return 202 '{v2_body}'; }}
        location = {v1} {{ return 200 '{v1_body}'; }}
        location = /status {{ stub_status; }}
    }}
}}
"""


@dataclass
class Sink:
    """A running sink."""

    url: str
    #: Requests that were no events: the one that found it up, and our own.
    _looks: int = field(default=1)

    def count(self) -> int:
        """Give how many events it took so far."""
        self._looks += 1
        numbers = httpx.get(self.url + "/status", timeout=5).text.splitlines()[2].split()
        return int(numbers[2]) - self._looks


@contextlib.contextmanager
def nginx_sink(port: int | None = None) -> Iterator[Sink]:
    """Run the sink in nginx; our own where nginx is absent."""
    port = port or free_port()
    try:
        nginx = path_of("nginx")
    except Absent:
        with slow_sink(0, port) as sink:
            yield sink
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "nginx.conf")
        user = "user root;" if os.geteuid() == 0 else ""
        file.write_text(
            _NGINX.format(
                folder=folder, user=user, port=port, v1=_V1, v2=_V2, v1_body=_V1_BODY, v2_body=_V2_BODY
            )
        )
        with program([nginx, "-c", str(file)], port=port, probe="/status") as running:
            yield Sink(running.url)


@contextlib.contextmanager
def slow_sink(delay_ms: int, port: int | None = None) -> Iterator[Sink]:
    """Run our own sink, which answers each event after *delay_ms*."""
    port = port or free_port()
    with program([sys.executable, __file__, str(port), str(delay_ms)], port=port, probe="/status") as running:
        yield Sink(running.url)


class _Connection(asyncio.Protocol):
    """One connection of our own sink."""

    requests = 0

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_message_complete(self) -> None:
        _Connection.requests += 1
        answer = _answer(self._path.decode())
        if self._delay_s and self._path != b"/status":
            asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, answer)
        else:
            self._transport.write(answer)


def _answer(path: str) -> bytes:
    status, body = {
        _V2: ("202 Accepted", _V2_BODY),
        _V1: ("200 OK", _V1_BODY),
        "/status": ("200 OK", f"as nginx's stub_status\n\n0 0 {_Connection.requests}\n"),
    }.get(path, ("404 Not Found", ""))
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


async def _serve(port: int, delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(delay_s), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0))
