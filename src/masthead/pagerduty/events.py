"""Sending one event: one request, one answer, never an exception for what happens outside."""

from __future__ import annotations

import asyncio
import secrets
import time
import typing
from collections.abc import Callable
from http import HTTPStatus

import structlog

from masthead.kernel.clock import Clock, SystemClock
from masthead.kernel.errors import MastheadError, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.answers import classify_event, retry_after
from masthead.pagerduty.bodies import encode_event
from masthead.pagerduty.connection import proxy_of
from masthead.pagerduty.model import Answer, Event, Outcome, Protocol
from masthead.pagerduty.pool import PooledPoster
from masthead.pagerduty.posting import Leave, Lost, Poster, Reply, SessionPoster
from masthead.pagerduty.trouble import no_answer
from masthead.pagerduty.words import decode_object, event_remedy, spoken

__all__ = ["EventsClient", "EventsSender", "key_check"]

#: Paths of facts A.1, A.2 and A.4; the date is v1's version and never changes.
_PATHS = {Protocol.V1: "/generic/2010-04-15/create_event.json", Protocol.V2: "/v2/enqueue"}
_CHANGE_PATH = "/v2/change/enqueue"
_HEADERS = {"Content-Type": "application/json"}
#: Requests under way at once; well below the 1,024 open files that many systems allow a process.
_IN_FLIGHT = 512
log = structlog.get_logger(__name__)


class EventsSender(typing.Protocol):
    """What paging sends through; a fake stands in :mod:`masthead.pagerduty.fakes`."""

    async def send(self, event: Event, may_send: Leave | None = None) -> Answer:
        """Send *event* once and say what came of it.

        Raises:
            Withheld: *may_send*, asked just before the first byte, said no.
        """
        ...

    def is_away(self, account: str) -> bool:
        """Tell whether sending for *account* is in vain now: a moment ago no connection came about."""
        ...


def key_check(key: Secret, protocol: Protocol) -> Event:
    """Give the event that tells whether PagerDuty takes *key*, and that can wake nobody: a resolve of nothing.

    Its dedup key is drawn for it alone, so no incident of that key can be open; PagerDuty checks the routing key and
    drops the rest (facts A.1, D.6). An answer with reason ``key`` says that the key does not exist or belongs to the
    other protocol; accepted says that it is taken, not that anybody would be woken.
    """
    return Event(protocol, "resolve", key, dedup_key=f"masthead-check-{secrets.token_hex(16)}")


def choose_poster(endpoint: str, *, timeout_s: float) -> Poster:
    """Give the cheap way to *endpoint* where nothing stands in between; else the one that knows proxies."""
    if proxy_of(endpoint) is None and PooledPoster.can_reach(endpoint):
        return PooledPoster(endpoint, timeout_s=timeout_s)
    return SessionPoster(endpoint, timeout_s=timeout_s)


class EventsClient:
    """Events v1 and v2 and change events over one pool of connections to one endpoint."""

    def __init__(
        self,
        endpoint: str,
        *,
        timeout_s: float = 10.0,
        token: Callable[[], Secret] | None = None,
        in_flight: int = _IN_FLIGHT,
        clock: Clock | None = None,
    ) -> None:
        """Build a client; it connects when the first event is sent.

        Args:
            endpoint: Scheme and host of the account's region, with or without a path in front.
            timeout_s: For a whole request, from the moment it is its turn.
            token: Sent along as Echo does, though no Events API needs it (compatibility facts 1.3).
            in_flight: Requests under way at once; the others wait their turn, which costs them no time-out.
            clock: What a date in ``Retry-After`` is measured by when the answer has none of its own.
        """
        self._endpoint = endpoint.rstrip("/")
        self._timeout_s = timeout_s
        self._token = token
        self._clock = clock or SystemClock()
        self._slots = asyncio.Semaphore(in_flight)
        self._poster: Poster | None = None
        self._is_token_missed = False

    async def send(self, event: Event, may_send: Leave | None = None) -> Answer:
        """Send *event* once, unless *may_send*, which is asked just before the first byte, says no.

        A lost connection, half an answer or a time-out is an answer too: with outcome *retry*, because
        nobody knows whether the event arrived; the dedup key makes sending it again harmless.

        Raises:
            InvalidRequest: the details cannot be written as JSON.
            Withheld: it might not be sent any more.
        """
        body, token = encode_event(event), self._read_token()
        async with self._slots:
            began = time.monotonic()
            try:
                reply = await self._post(_path(event), body, token, may_send)
            except Lost as lost:
                reason, words = no_answer(lost.error, self._endpoint)
                return _lost(reason, words, began, is_connected=lost.is_connected)
            return self._answer(event, reply, spoken(reply.body, event.routing_key, token), began)

    def is_away(self, account: str = "") -> bool:  # noqa: ARG002 - as AccountSenders; this client has one account
        """Tell whether sending is in vain now; see :class:`EventsSender`."""
        return self._poster is not None and self._poster.is_away

    async def check_key(
        self,
        key: Secret,
        protocol: Protocol,
        *,
        account: str = "",  # noqa: ARG002 - as AccountSenders; this client has one account
    ) -> Answer:
        """Say whether PagerDuty takes *key*, without paging anybody; see :func:`key_check`."""
        return await self.send(key_check(key, protocol))

    async def close(self) -> None:
        """Close the connections."""
        if self._poster is not None:
            await self._poster.close()
            self._poster = None

    async def _post(self, path: str, body: bytes, token: Secret | None, may_send: Leave | None) -> Reply:
        headers = _HEADERS
        if token:
            headers = {**_HEADERS, "Authorization": f"Token token={token.reveal()}"}
        if self._poster is None:
            self._poster = choose_poster(self._endpoint, timeout_s=self._timeout_s)
        return await self._poster.post(path, body, headers, may_send)

    def _read_token(self) -> Secret | None:
        """Give the token, or None when it cannot be read: a page goes out without it, PagerDuty does not ask."""
        try:
            return self._token() if self._token else None
        except (MastheadError, OSError) as error:
            if not self._is_token_missed:
                log.warning("events.token-unreadable", error=type(error).__name__)
            self._is_token_missed = True
            return None

    def _answer(self, event: Event, reply: Reply, words: str, began: float) -> Answer:
        protocol = Protocol.V2 if event.action == "change" else event.protocol
        outcome, reason = classify_event(protocol, reply.status, words)
        dedup_key: str | None = None
        if outcome is Outcome.ACCEPTED:
            outcome, reason, dedup_key = _read_success(reply.body)
        return Answer(
            outcome,
            reply.status,
            reason,
            retry_after(reply.status, reply.headers, now=self._clock.now()),
            _advice(words or _status_line(reply.status), reason),
            _ms_since(began),
            dedup_key,
            may_have_arrived=outcome is Outcome.RETRY and reason is not Reason.THROTTLED,
        )


def _path(event: Event) -> str:
    return _CHANGE_PATH if event.action == "change" else _PATHS[event.protocol]


def _read_success(body: bytes) -> tuple[Outcome, Reason | None, str | None]:
    """A 2xx counts only with status "success"; one that cannot be read may or may not have been taken."""
    document = decode_object(body)
    if document is None:
        return Outcome.RETRY, Reason.ANSWER, None
    if document.get("status") != "success":
        return Outcome.REJECTED, Reason.REJECTED, None
    key = document.get("dedup_key") or document.get("incident_key")
    return Outcome.ACCEPTED, None, str(key) if key else None


def _lost(reason: Reason, words: str, began: float, *, is_connected: bool) -> Answer:
    text = _advice(words, reason)
    return Answer(Outcome.RETRY, None, reason, None, text, _ms_since(began), may_have_arrived=is_connected)


def _advice(words: str, reason: Reason | None) -> str:
    what_to_do = event_remedy(reason)
    return f"{words.rstrip('.')}. {what_to_do}" if what_to_do else words


def _status_line(status: int) -> str:
    """Give what a status without any words means, as HTTP calls it."""
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
