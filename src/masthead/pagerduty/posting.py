"""One request, one reply: what sending needs of HTTP, and how it may fail.

Two ways lead to PagerDuty and behave the same (one suite of tests runs over both): straight, over
:mod:`masthead.pagerduty.pool`, and through a proxy, over aiohttp, which costs several times the CPU (ADR 3).
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from masthead.pagerduty.connection import open_session

__all__ = ["Leave", "Lost", "Poster", "Reply", "SessionPoster", "Withheld"]

#: Asked last, after everything that takes time, whether something may still be sent.
Leave = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever its status."""

    status: int
    #: Looked up without regard to case.
    headers: Mapping[str, str]
    body: bytes


class Lost(Exception):
    """No reply came, or none that is HTTP.

    Attributes:
        error: What went wrong; its own text may repeat what the other side said.
        is_connected: Whether the request may have arrived all the same.
    """

    def __init__(self, error: BaseException, *, is_connected: bool) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.error = error
        self.is_connected = is_connected


class Withheld(Exception):
    """Nothing was sent, because it might not be any more."""


class Poster(typing.Protocol):
    """Posts to one endpoint."""

    @property
    def is_away(self) -> bool:
        """Whether the endpoint took no connection a moment ago and is let be."""
        ...

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], may_send: Leave | None = None
    ) -> Reply:
        """Post *body* once, follow no redirect, and give the reply.

        Raises:
            Lost: there is none.
            Withheld: *may_send* said no.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class SessionPoster:
    """Over aiohttp, which knows proxies."""

    #: It tries each time.
    is_away = False

    def __init__(self, endpoint: str, *, timeout_s: float) -> None:
        """Args: endpoint: scheme, host and perhaps a path in front; timeout_s: for a whole request."""
        self._endpoint = endpoint
        self._session = open_session(endpoint, timeout=aiohttp.ClientTimeout(total=timeout_s))

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], may_send: Leave | None = None
    ) -> Reply:
        """Post *body* once; see :class:`Poster`. What *may_send* says is not asked anew once a connection has come about."""
        if may_send is not None and not may_send():
            raise Withheld
        try:
            # A redirect would carry the key to wherever it points; PagerDuty sends none.
            async with self._session.post(
                self._endpoint + path, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Reply(response.status, response.headers, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, ValueError) as error:
            raise Lost(error, is_connected=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(error, is_connected=True) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
