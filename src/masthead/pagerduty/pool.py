"""Straight to PagerDuty: keep-alive connections that carry one request at a time, parsed by httptools.

It does what sending an event needs and no more: POST with a length, replies of any form HTTP/1.1 allows, TLS with
the system's certificates. Not here: proxies, redirects, compression, pipelining (ADR 3).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohappyeyeballs
import httptools

from masthead import __version__
from masthead.pagerduty.posting import Leave, Lost, Reply, Withheld

__all__ = ["PooledPoster"]

#: A connection that rested longer is not used again: the other side may be about to close it.
_KEEP_ALIVE_S = 30.0
#: How long the addresses of the host are believed.
_ADDRESSES_S = 60.0
#: When the next address is tried while the first does not answer (RFC 8305, section 5).
_NEXT_ADDRESS_S = 0.25
#: Most bytes of a reply, headers included; PagerDuty's are a few hundred.
_LONGEST_REPLY = 1_000_000
#: Statuses that announce the answer and are none (RFC 9110, section 15.2).
_NOTICES = (100, 102, 103)
#: A host that took no connection so often in a row is let be for a moment. A storm while PagerDuty is away would
#: otherwise try, and fail, for each of its pages: a socket and three system calls, a fifth of what such a page cost.
_FAILURES = 2
_AWAY_S = 0.1
#: How long a clean end of the connections may take.
_FAREWELL_S = 1.0


class PooledPoster:
    """Posts over connections of its own."""

    def __init__(self, endpoint: str, *, timeout_s: float) -> None:
        """Args: endpoint: one that :meth:`can_reach`; timeout_s: for a whole request."""
        parts = urlsplit(endpoint)
        self._path = parts.path.rstrip("/")
        self._timeout_s = timeout_s
        self._host = _Host(parts)
        self._head = (
            f"HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Masthead/{__version__}\r\nAccept: */*\r\n"
        )
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        #: Failures to connect since the last connection, and until when the last one is believed.
        self._failures = 0
        self._failure: Exception = ConnectionError()
        self._away_until = 0.0

    @staticmethod
    def can_reach(endpoint: str) -> bool:
        """Tell whether *endpoint* is an http or https URL of scheme, host, and perhaps port and path, in ASCII."""
        parts = urlsplit(endpoint)
        is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain and endpoint.isascii()

    @property
    def is_away(self) -> bool:
        """Whether the host took no connection a moment ago; it is not tried now."""
        return self._failures >= _FAILURES and time.monotonic() < self._away_until

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], may_send: Leave | None = None
    ) -> Reply:
        """Post *body* once; see :class:`masthead.pagerduty.posting.Poster`."""
        try:
            request = self._request(path, body, headers)
        except ValueError as error:
            raise Lost(error, is_connected=False) from error
        began = time.monotonic()
        connection = self._rested(began) or await self._connect()
        if (
            may_send is not None and not may_send()
        ):  # last: nothing that takes time comes before the first byte
            self._idle.append(connection)
            raise Withheld
        self._busy.add(connection)
        try:
            reply = await connection.ask(request, began + self._timeout_s - time.monotonic())
        finally:
            self._busy.discard(connection)
            if connection.is_free:
                self._idle.append(connection)
            else:
                connection.close()
        return reply

    async def close(self) -> None:
        """Close the connections; a request that is under way is lost."""
        ending = [*self._idle, *self._busy]
        self._idle.clear()
        for connection in ending:
            connection.close()
        if ending:
            await asyncio.wait([connection.gone for connection in ending], timeout=_FAREWELL_S)
        for connection in ending:
            connection.abort()

    def _request(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = "".join(f"{name}: {_value(value)}\r\n" for name, value in headers.items())
        head = f"POST {self._path}{path} {self._head}{lines}Content-Length: {len(body)}\r\n\r\n"
        return head.encode("ascii") + body

    def _rested(self, now: float) -> _Connection | None:
        """Give the connection that rested least and can still be used; close those that cannot."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_free and now - connection.rests_since < _KEEP_ALIVE_S:
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        if self.is_away:
            raise Lost(self._failure, is_connected=False)
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await self._host.connect()
        except (OSError, ValueError) as error:  # TimeoutError and TLS's errors are OSErrors
            self._failures += 1
            self._failure, self._away_until = error, time.monotonic() + _AWAY_S
            raise Lost(error, is_connected=False) from error
        self._failures = 0
        return connection


class _Host:
    """Where the endpoint is, and how a connection to it comes about."""

    def __init__(self, parts: SplitResult) -> None:
        self._name = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = _tls() if parts.scheme == "https" else None
        self._addresses: list[Any] = []
        self._known_since = 0.0
        self._question: asyncio.Future[list[Any]] | None = None

    async def connect(self) -> _Connection:
        """Connect to the first of the host's addresses that answers.

        Raises:
            OSError, ValueError: none does, the name is not known, or TLS failed.
        """
        loop = asyncio.get_running_loop()
        found = await aiohappyeyeballs.start_connection(
            await self._look_up(), happy_eyeballs_delay=_NEXT_ADDRESS_S, interleave=1
        )
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            _, connection = await loop.create_connection(
                _Connection, sock=found, ssl=self._tls, server_hostname=self._name if self._tls else None
            )
        except BaseException:
            found.close()
            raise
        return connection

    async def _look_up(self) -> list[Any]:
        """Give the addresses; those known so far where nobody answers what they are now."""
        if self._addresses and time.monotonic() - self._known_since < _ADDRESSES_S:
            return self._addresses
        if self._question is None:  # one question, however many connections wait for its answer
            loop = asyncio.get_running_loop()
            self._question = asyncio.ensure_future(
                loop.getaddrinfo(self._name, self._port, type=socket.SOCK_STREAM)
            )
            self._question.add_done_callback(self._learn)
        try:
            return await asyncio.shield(self._question)
        except OSError:
            if not self._addresses:
                raise
            return self._addresses

    def _learn(self, question: asyncio.Future[list[Any]]) -> None:
        self._question = None
        if not question.cancelled() and question.exception() is None:
            self._addresses, self._known_since = question.result(), time.monotonic()


class _Connection(asyncio.Protocol):
    """One connection; asks one thing at a time."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        #: Done when the connection has ended.
        self.gone: asyncio.Future[None] = loop.create_future()
        #: By the monotonic clock, since when it has nothing to do.
        self.rests_since = time.monotonic()
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._is_spent = False
        self._parser = httptools.HttpResponseParser(self)
        self._begin()

    @property
    def is_free(self) -> bool:
        """Whether something may be asked."""
        return not self._is_spent and self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, timeout_s: float) -> Reply:
        """Send *request* and give its reply.

        Raises:
            Lost: none came.
        """
        answer: asyncio.Future[Reply] = self._loop.create_future()
        self._answer = answer
        timer = self._loop.call_later(timeout_s, self._lose, TimeoutError())
        try:
            assert self._transport is not None
            self._transport.write(request)
            return await answer
        finally:
            timer.cancel()
            # One that was cancelled leaves an answer on its way that the next one must not get.
            self._is_spent = self._is_spent or not answer.done() or answer.cancelled()
            self._answer = None

    def close(self) -> None:
        """End it cleanly."""
        self._is_spent = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End it now."""
        self._is_spent = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._answer is None or self._answer.done():
            self.close()  # nothing was asked: no answer can be told from the next one's
            return
        if self._received > _LONGEST_REPLY:
            self._lose(BufferError("the answer is too long"))
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._lose(error)

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_ended_by_eof and error is None:
            self._complete()
        self._lose(error or ConnectionResetError("the connection was closed before the answer was complete"))
        if not self.gone.done():
            self.gone.set_result(None)

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self._is_spent = True  # a second answer to one question

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        has_length = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        self._is_ended_by_eof = not has_length

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() in _NOTICES:
            self._begin()
        else:
            self._complete()

    def _begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._received = 0
        self._is_ended_by_eof = False

    def _complete(self) -> None:
        if self._answer is None or self._answer.done():
            return
        if self._is_ended_by_eof or not self._parser.should_keep_alive():
            self._is_spent = True
        reply = Reply(self._parser.get_status_code(), _Headers(self._headers), bytes(self._body))
        self._answer.set_result(reply)
        self.rests_since = time.monotonic()
        self._begin()

    def _lose(self, error: Exception) -> None:
        self._is_spent = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Lost(error, is_connected=True))


class _Headers(Mapping[str, str]):
    """Headers of a reply, looked up without regard to case; the last of a name counts."""

    __slots__ = ("_by_name",)

    def __init__(self, by_name: dict[bytes, bytes]) -> None:
        self._by_name = by_name

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower().encode("latin-1")].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def _tls() -> ssl.SSLContext:
    """Give what verifies PagerDuty's certificate, by the certificates of the system."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _value(value: str) -> str:
    """Give *value* as a header can carry it; the error does not repeat it."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError("a header would hold a character that none can carry, such as an end of line")
    return value
