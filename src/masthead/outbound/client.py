"""One request to a URL that a user gave, redirects included: checked, bounded, and with nothing taken along.

Each hop is judged anew and has a connection of its own, made to the addresses that were judged. No proxy of the environment
is used, no cookie is kept, and to another origin neither headers nor credentials are carried.

Source: Spinnaker compatibility facts, section 4.7.5; redirects as OkHttp follows them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import aiohttp
from yarl import URL

from masthead import __version__
from masthead.outbound.addresses import Address, literal
from masthead.outbound.problems import OutboundError, RequestFailed, TooLarge, UnknownHost, UrlRefused
from masthead.outbound.reading import ACCEPTED, read_body
from masthead.outbound.resolving import FixedResolver, Resolver, SystemResolver
from masthead.outbound.restrictions import Restrictions, parse_url

__all__ = ["GuardedClient", "Limits", "Outbound", "Reply", "Request"]

_REDIRECTS = (301, 302, 303, 307, 308)
#: These keep the method and the body; the others turn into a GET (OkHttp: RetryAndFollowUpInterceptor).
_FAITHFUL = (307, 308)
_MOST_REDIRECTS = 20
#: The connection's own affair, and what could make one request into two.
_OURS = frozenset(
    {"connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive",
     "proxy-authorization", "proxy-connection", "expect", "accept-encoding"}
)  # fmt: skip
#: What belongs to the body, and goes with it.
_OF_BODY = frozenset({"content-type"})


@dataclass(frozen=True)
class Request:
    """What is asked of whom."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Reply:
    """A complete answer, whatever its status.

    Attributes:
        status: HTTP status.
        headers: The first value of each header, by its name as sent.
        body: Decompressed.
        url: Where it came from, after redirects.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def text(self) -> str:
        """Give the body as text, in the character set it says, UTF-8 if it says none."""
        kind = next((value for name, value in self.headers.items() if name.lower() == "content-type"), "")
        message = aiohttp.helpers.parse_mimetype(kind)
        try:
            return self.body.decode(message.parameters.get("charset") or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode("utf-8", errors="replace")


@dataclass(frozen=True)
class Limits:
    """How long and how large a request may be; headers count with the body."""

    connect_timeout_s: float = 15.0
    read_timeout_s: float = 20.0
    #: For everything together, redirects included.
    timeout_s: float = 60.0
    max_request_bytes: int = 5_000_000
    max_response_bytes: int = 5_000_000
    follow_redirects: bool = True


class Outbound(Protocol):
    """What callers need of this package; the fake stands in ``fakes.py``."""

    async def request(self, request: Request, *, max_response_bytes: int | None = None) -> Reply:
        """Send *request* and give the answer.

        Args:
            request: The URL is whatever a user wrote.
            max_response_bytes: A smaller limit than the settings'.

        Raises:
            UrlRefused: the settings do not allow the URL, or one that it was redirected to.
            UnknownHost: its host's name does not resolve.
            RequestFailed: there was no complete answer in time, or it was too large.
        """
        ...


class GuardedClient:
    """The one that goes out."""

    def __init__(
        self,
        restrictions: Restrictions,
        *,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        """Args: tls: whom to trust and who we are; the system's certificates if None."""
        self._restrictions = restrictions
        self._limits = limits or Limits()
        self._tls = tls
        self._resolver = resolver or SystemResolver()

    async def request(self, request: Request, *, max_response_bytes: int | None = None) -> Reply:
        """See :class:`Outbound`."""
        limits = self._limits
        if max_response_bytes is not None:
            limits = replace(limits, max_response_bytes=min(max_response_bytes, limits.max_response_bytes))
        try:
            async with asyncio.timeout(limits.timeout_s):
                return await self._follow(request, limits)
        except TimeoutError as error:
            name = _name(request.url)
            raise RequestFailed(
                f"{name} gave no complete answer in {limits.timeout_s:g} s", is_timeout=True
            ) from error

    async def check(self, url: str) -> tuple[URL, tuple[Address, ...]]:
        """Judge *url* and give it with the addresses that it may be requested from.

        Raises:
            UrlRefused, UnknownHost: as :meth:`request`.
        """
        parsed = parse_url(url)
        self._restrictions.check_scheme(parsed)
        host = parsed.raw_host or ""
        problem = self._restrictions.check_host(host)
        address = literal(host)
        try:
            found = (address,) if address is not None else tuple(await self._resolver.addresses(host))
        except UnknownHost as error:
            raise problem or error from error
        self._restrictions.check_addresses(host, found, problem)
        return parsed, found

    async def _follow(self, request: Request, limits: Limits) -> Reply:
        for _ in range(_MOST_REDIRECTS + 1):
            url, addresses = await self.check(request.url)
            reply = await self._ask(request, url, addresses, limits)
            location = _header(reply.headers, "location")
            if reply.status not in _REDIRECTS or location is None:
                return reply
            if not limits.follow_redirects:
                raise RequestFailed(
                    f"redirects disabled, not visiting {_name(location)} (webhook.followRedirects)"
                )
            request = _redirected(request, url, location, reply.status)
        raise RequestFailed(f"Too many follow-up requests: {_MOST_REDIRECTS + 1}")

    async def _ask(self, request: Request, url: URL, addresses: tuple[Address, ...], limits: Limits) -> Reply:
        headers = self._headers(request, url, limits)
        resolver = FixedResolver(url.raw_host or "", addresses)
        connector = aiohttp.TCPConnector(
            resolver=resolver,
            use_dns_cache=False,
            force_close=True,
            socket_factory=resolver.socket,
            ssl=self._tls if self._tls is not None else True,
        )
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=limits.connect_timeout_s, sock_read=limits.read_timeout_s
        )
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False,
            trust_env=False,
        ) as session:  # fmt: skip
            try:
                return await _exchange(session, request, url, headers, limits)
            except OutboundError:
                raise
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise _failure(error, url) from error

    def _headers(self, request: Request, url: URL, limits: Limits) -> list[tuple[str, str]]:
        headers = [("User-Agent", f"Masthead/{__version__}"), ("Accept", "*/*")]
        own = {name.lower() for name in request.headers}
        headers = [(name, value) for name, value in headers if name.lower() not in own]
        for name, value in request.headers.items():
            if name.lower() in _OURS:
                continue
            if name.lower() == "host":
                self._check_host_header(value)
            headers += [(name, each) for each in ((value,) if isinstance(value, str) else value)]
        headers.append(("Accept-Encoding", ACCEPTED))
        size = sum(len(name) + len(value) for name, value in headers)
        body = len(request.body or b"")
        most = limits.max_request_bytes
        if size + body > most:
            what = f"{size} byte(s) of headers" + (f" and {body} byte(s) of body" if body else "")
            raise TooLarge(
                f"rejecting request to {_name(str(url))} with {what}, maxRequestBytes: {most}",
                may_have_arrived=False,
            )
        return headers

    def _check_host_header(self, value: str | tuple[str, ...]) -> None:
        """Judge the host that a Host header names: the other side may pass the request on to it."""
        for each in (value,) if isinstance(value, str) else value:
            problem = self._restrictions.check_host(parse_url(f"http://{each}").raw_host or "")
            if problem is not None:
                raise problem


async def _exchange(
    session: aiohttp.ClientSession, request: Request, url: URL, headers: list[tuple[str, str]], limits: Limits
) -> Reply:
    name = _name(str(url))
    async with session.request(
        request.method,
        url,
        data=request.body,
        headers=headers,
        allow_redirects=False,
        skip_auto_headers=("Content-Type",),
    ) as response:
        found: dict[str, str] = {}
        for key, value in response.headers.items():
            found.setdefault(key, value)
        size = sum(len(key) + len(value) for key, value in response.raw_headers)
        body = await read_body(
            response.content.iter_any(),
            encoding=response.headers.get("Content-Encoding", ""),
            limit=limits.max_response_bytes,
            header_bytes=size,
            name=name,
        )
        return Reply(response.status, found, body, str(url))


def _redirected(request: Request, url: URL, location: str, status: int) -> Request:
    try:
        target = url.join(URL(location))
    except ValueError as error:
        raise UrlRefused("URI not valid: the answer redirects to what is no URL") from error
    method, body = request.method, request.body
    headers = dict(request.headers)
    if status not in _FAITHFUL and method not in ("GET", "HEAD"):
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name.lower() not in _OF_BODY}
    if not target.host or target.origin() != url.origin():
        headers = {name: value for name, value in headers.items() if name.lower() in _OF_BODY}
    return Request(str(target), method, headers, body)


def _failure(error: Exception, url: URL) -> RequestFailed:
    """Say what failed without repeating what the other side wrote."""
    name = _name(str(url))
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return RequestFailed(f"{name}: connect timed out", is_timeout=True, may_have_arrived=False)
    if isinstance(error, TimeoutError):
        return RequestFailed(f"{name}: Read timed out", is_timeout=True)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        reason = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
        said = getattr(reason, "verify_message", "") or getattr(reason, "reason", "") or type(reason).__name__
        return RequestFailed(f"{name}: TLS failed: {said}", may_have_arrived=False)
    if isinstance(error, aiohttp.ClientConnectorError):
        return RequestFailed(f"{name}: {error.os_error.strerror or 'cannot connect'}", may_have_arrived=False)
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return RequestFailed(f"{name}: the request has a part that cannot be sent", may_have_arrived=False)
    return RequestFailed(
        f"{name}: the connection ended before the answer was complete ({type(error).__name__})"
    )


def _header(headers: Mapping[str, str], wanted: str) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == wanted), None)


def _name(url: str) -> str:
    """Give a URL for messages: without what may be a secret in it."""
    return url.partition("?")[0].partition("#")[0]
