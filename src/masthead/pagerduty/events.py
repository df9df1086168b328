"""Sending one event: one request, one answer, never an exception for what happens outside."""

from __future__ import annotations

import asyncio
import time
import typing

import aiohttp
import msgspec

from masthead.kernel.errors import Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.answers import classify_event, error_text, retry_after, without
from masthead.pagerduty.bodies import encode_event
from masthead.pagerduty.model import Answer, Event, Outcome, Protocol

__all__ = ["EventsClient", "EventsSender"]

#: Paths of facts A.1 and A.2; the date is v1's version and never changes.
_PATHS = {Protocol.V1: "/generic/2010-04-15/create_event.json", Protocol.V2: "/v2/enqueue"}


class EventsSender(typing.Protocol):
    """What paging sends through."""

    async def send(self, event: Event) -> Answer:
        """Send *event* once and say what came of it."""
        ...


class EventsClient:
    """Events v1 and v2 over one pool of connections to one endpoint."""

    def __init__(
        self,
        endpoint: str,
        *,
        timeout_s: float = 10.0,
        token: typing.Callable[[], Secret] | None = None,
    ) -> None:
        """Args: token: sent along as Echo does, though no Events API needs it (compat 1.3)."""
        self._endpoint = endpoint.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def send(self, event: Event) -> Answer:
        """Send *event* once.

        A lost connection, half an answer or a time-out is an answer too: with outcome *retry*, because
        nobody knows whether the event arrived; the dedup key makes sending it again harmless.
        """
        began = time.monotonic()
        try:
            status, headers, body = await self._post(event)
        except TimeoutError:
            return _failure(Reason.TIMEOUT, "PagerDuty did not answer in time", began)
        except (aiohttp.ClientError, OSError) as error:
            return _failure(
                Reason.NETWORK, without(f"{type(error).__name__}: {error}", event.routing_key), began
            )
        return _answer(event, status, headers, body, began)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, event: Event) -> tuple[int, typing.Mapping[str, str], bytes]:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Token token={self._token().reveal()}"
        url = self._endpoint + _PATHS[event.protocol]
        async with self._open().post(url, data=encode_event(event), headers=headers) as response:
            return response.status, response.headers, await response.read()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=512, ttl_dns_cache=60, keepalive_timeout=30)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, auto_decompress=True, trust_env=True
            )
        return self._session


def _answer(
    event: Event, status: int, headers: typing.Mapping[str, str], body: bytes, began: float
) -> Answer:
    text = without(error_text(body), event.routing_key)
    outcome, reason = classify_event(event.protocol, status, text)
    dedup_key: str | None = None
    if outcome is Outcome.ACCEPTED:
        outcome, reason, dedup_key = _read_success(body)
    if reason is Reason.KEY and event.protocol is Protocol.V2:
        text += " (a wrong key, or a key of an Events API v1 integration)"
    return Answer(
        outcome, status, reason, retry_after(headers), text or f"HTTP {status}", _ms_since(began), dedup_key
    )


def _read_success(body: bytes) -> tuple[Outcome, Reason | None, str | None]:
    """A 2xx counts only with status "success"; one that cannot be read may or may not have been taken."""
    try:
        document = msgspec.json.decode(body, type=dict[str, typing.Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return Outcome.RETRY, Reason.ANSWER, None
    if document.get("status") != "success":
        return Outcome.REJECTED, Reason.REJECTED, None
    key = document.get("dedup_key") or document.get("incident_key")
    return Outcome.ACCEPTED, None, str(key) if key else None


def _failure(reason: Reason, text: str, began: float) -> Answer:
    return Answer(Outcome.RETRY, None, reason, None, text, _ms_since(began))


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


# asyncio.TimeoutError is the built-in TimeoutError from Python 3.11 on.
assert asyncio.TimeoutError is TimeoutError
