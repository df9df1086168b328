"""Which web pages may call: those of the same host, and those of the allowed origins.

Deck runs on an origin of its own, sends its cookies, and asks for leave before every call, because its
``X-RateLimit-App`` header makes a call non-simple. A page of another origin is not only denied the answer, as
browsers do by themselves, but also the deed: without that, any page in a browser on this machine could wake
somebody through a server that listens on the loopback address.

Source: Deck and Gate facts, section 1 (the values of Gate's CorsFilter).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masthead.api.answers import empty
from masthead.api.headers import header, headers_of
from masthead.kernel.errors import AccessDenied

__all__ = ["LOOPBACK_ORIGINS", "Cors", "origin_pattern", "split_address"]

#: Allowed when the setting says nothing: Deck and other pages served from this machine, on any port.
LOOPBACK_ORIGINS = ("http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*")

_SAFE = ("GET", "HEAD", "OPTIONS")
_METHODS = "POST, GET, OPTIONS, DELETE, PUT, PATCH"
_HEADERS = (
    "x-requested-with, content-type, authorization, X-RateLimit-App, X-Spinnaker-Priority, X-SPINNAKER-USER, "
    "X-SPINNAKER-REQUEST-ID, Idempotency-Key"
)
_EXPOSED = (
    "X-SPINNAKER-REQUEST-ID, X-Masthead-Page, X-Masthead-Pending, X-Masthead-Catalog-Age, "
    "X-Masthead-Catalog-Error, Retry-After"
)


class Cors:
    """Answers preflights, marks answers for allowed origins, and refuses deeds of others."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str] = LOOPBACK_ORIGINS) -> None:
        """Args: origins: ``scheme://host[:port]``; a ``*`` stands for any port or any part of a host name."""
        self._app = app
        self._allowed = origin_pattern(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            AccessDenied: a page of another origin asks for more than to read.
        """
        if scope["type"] != "http" or b"origin" not in headers_of(scope):
            await self._app(scope, receive, send)
            return
        origin = header(scope, b"origin")
        if not self._is_allowed(origin, header(scope, b"host")):
            await self._deny(scope, receive, send)
        elif _is_preflight(scope):
            await _leave(origin)(scope, receive, send)
        else:
            await self._app(scope, receive, _marking(send, origin))

    def _is_allowed(self, origin: str, host: str) -> bool:
        return split_address(origin).netloc.lower() == host.lower() != "" or bool(
            self._allowed.fullmatch(origin)
        )

    async def _deny(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in _SAFE or _is_preflight(scope):
            raise AccessDenied(
                "Web pages of this origin may not act here: only those of Masthead's own host and of the "
                "allowed origins may."
            )
        await self._app(scope, receive, send)


def split_address(given: str) -> SplitResult:
    """Give the parts of an address that a stranger wrote; all empty for what cannot be one."""
    try:
        return urlsplit(given if given.isprintable() and "\\" not in given else "")
    except ValueError:
        return urlsplit("")


def origin_pattern(origins: Iterable[str]) -> re.Pattern[str]:
    """Give what matches the allowed *origins*: ``scheme://host[:port]``, as for :class:`Cors`; nothing for none."""
    patterns = [_pattern(origin) for origin in origins if origin.strip()]
    return re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)


def _is_preflight(scope: Scope) -> bool:
    return scope["method"] == "OPTIONS" and b"access-control-request-method" in headers_of(scope)


def _pattern(origin: str) -> str:
    scheme, _, rest = origin.strip().rstrip("/").partition("://")
    host, is_any_port, _ = rest.rpartition(":*")
    if not is_any_port:
        host = rest
    port = r"(:\d{1,5})?" if is_any_port else ""
    return re.escape(f"{scheme}://") + re.escape(host).replace(r"\*", r"[a-z0-9.-]+") + port


def _leave(origin: str) -> Response:
    return empty(
        headers={
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _HEADERS,
            "Access-Control-Max-Age": "3600",
            "Vary": "Origin",
        }
    )


def _marking(send: Send, origin: str) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
            headers["Access-Control-Expose-Headers"] = _EXPOSED
            headers.add_vary_header("Origin")
        await send(message)

    return marked
