"""Reading PagerDuty's REST API politely: what may succeed later is tried again, at the pace PagerDuty allows.

Source: PagerDuty facts A.5 (headers, limits, errors), A.10 (policy).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import aiohttp
import structlog

from masthead.kernel.clock import Clock
from masthead.kernel.errors import MastheadError, OutsideFailure, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.answers import classify_rest, clock_lead, retry_after
from masthead.pagerduty.connection import open_session
from masthead.pagerduty.oauth import Tokens
from masthead.pagerduty.pace import Pace
from masthead.pagerduty.pages import Collected, Params, collect
from masthead.pagerduty.trouble import no_answer
from masthead.pagerduty.words import decode_object, remedy, spoken

__all__ = ["RestClient", "RestReader"]

log = structlog.get_logger(__name__)
#: Tries of one request; throttling is sat out for more than the minute that PagerDuty counts by.
_ATTEMPTS = 3
_ATTEMPTS_THROTTLED = 6
_CONNECT_TIMEOUT_S = 5.0
#: OAuth tokens (facts A.5); every other is an API key.
_BEARER = ("pdus+", "pdeu+")


class RestReader(Protocol):
    """What the catalog reads through; a fake stands in :mod:`masthead.pagerduty.fakes`."""

    #: The failure that is being waited out before the same is asked again, None while nothing is in the way.
    obstacle: OutsideFailure | None

    async def collect(self, path: str, item_key: str, params: Params = ()) -> Collected:
        """Give all items of a list."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class RestClient:
    """GET requests to one account."""

    def __init__(
        self,
        base_url: str,
        token: Callable[[], Secret] | Tokens,
        clock: Clock,
        *,
        in_flight: int = 4,
        timeout_s: float = 30.0,
    ) -> None:
        """Build a client; it connects with the first request.

        Args:
            base_url: Of the account's region.
            token: Asked before every request, so that a token file may change, or one that ends be replaced.
            clock: What waits and back-off are measured by.
            in_flight: Requests under way at once; one after a 429, for a minute.
            timeout_s: For a whole request.
        """
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_TIMEOUT_S)
        self._in_flight = in_flight
        self._pace = Pace(clock, in_flight=in_flight)
        self._session: aiohttp.ClientSession | None = None
        self.obstacle: OutsideFailure | None = None
        #: Seconds by which our clock went ahead of PagerDuty's at its last answer.
        self.clock_lead_s = 0.0

    async def get(self, path: str, params: Params = (), *, is_patient: bool = True) -> dict[str, Any]:
        """Give the JSON object at *path*.

        Args:
            path: For example ``/services``.
            params: Query parameters, as pairs.
            is_patient: Whether what may succeed later is tried a few times; else the first failure is raised.

        Raises:
            OutsideFailure: with reason, remedy and status; never the token in it.
        """
        attempt = 1
        while True:
            try:
                async with self._pace.turn():
                    document = await self._get_once(path, params, attempt=attempt)
            except OutsideFailure as failure:
                is_throttled = failure.reason is Reason.THROTTLED
                most = _ATTEMPTS_THROTTLED if is_throttled else _ATTEMPTS
                if not (is_patient and failure.retryable and attempt < most):
                    raise
                self.obstacle = failure
                if not is_throttled:  # else the pace has everybody wait
                    await self._clock.sleep(failure.retry_after or 2.0 ** (attempt - 1))
            else:
                self.obstacle = None
                return document
            attempt += 1

    async def collect(self, path: str, item_key: str, params: Params = ()) -> Collected:
        """Give all items of a list, in its order; a page that fails is left out and told.

        Args:
            path: For example ``/services``.
            item_key: The name of the list in the answer, for example ``services``.
            params: Further query parameters, as pairs (``include[]`` may repeat).

        Raises:
            OutsideFailure: nothing came, so nothing is known.
        """
        return await collect(self.get, path, item_key, params, in_flight=self._in_flight)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        if isinstance(self._token, Tokens):
            await self._token.close()

    async def _get_once(self, path: str, params: Params, *, attempt: int) -> dict[str, Any]:
        token = await self._token.current() if isinstance(self._token, Tokens) else _read_token(self._token)
        status, headers, body = await self._fetch(path, params, token)
        self.clock_lead_s = clock_lead(headers, now=self._clock.now())
        if status == 429:
            self._throttled(2.0**attempt, retry_after(status, headers, now=self._clock.now()))
        else:
            self._pace.learn(headers)
        if status >= 300:
            failure = self._refused(status, headers, spoken(body, token))
            if status == 401 and isinstance(self._token, Tokens) and self._token.refused(token):
                failure.retryable = True
            raise failure
        if (document := decode_object(body)) is None:
            raise _not_asked(Reason.ANSWER, "its answer is not JSON")
        return document

    def _throttled(self, own_wait_s: float, asked_s: float | None) -> None:
        """Have everybody wait; the first of a time is told in the log, because nobody hears of it otherwise."""
        wait_s = own_wait_s if asked_s is None else asked_s
        if not self._pace.is_alone:
            log.warning("rest.throttled", url=self._base_url, wait_s=wait_s)
        self._pace.throttled(wait_s)

    async def _fetch(self, path: str, params: Params, token: Secret) -> tuple[int, Mapping[str, str], bytes]:
        try:
            if self._session is None:
                self._session = open_session(self._base_url, timeout=self._timeout)
            # A redirect would carry the token to wherever it points; PagerDuty sends none.
            async with self._session.get(
                self._base_url + path, params=list(params), headers=_headers(token), allow_redirects=False
            ) as response:
                return response.status, response.headers, await response.read()
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            reason, words = no_answer(error, self._base_url)
        # Raised out here on purpose: the client's own error knows the request's headers.
        raise _not_asked(reason, words)

    def _refused(self, status: int, headers: Mapping[str, str], words: str) -> OutsideFailure:
        reason, retryable = classify_rest(status)
        said = f": {words.rstrip('.')}" if words else ""
        return OutsideFailure(
            f"PagerDuty answered {status}{said}. {remedy(reason)}",
            reason=reason,
            retryable=retryable,
            retry_after=retry_after(status, headers, now=self._clock.now()),
            status=status,
        )


def _read_token(token: Callable[[], Secret]) -> Secret:
    try:
        return token()
    except (MastheadError, OSError) as error:
        words = error.message if isinstance(error, MastheadError) else error.strerror or "unreadable"
        raise OutsideFailure(
            f"The PagerDuty REST token cannot be read: {words.rstrip('.')}. {remedy(Reason.NOT_CONFIGURED)}",
            reason=Reason.NOT_CONFIGURED,
        ) from error


def _headers(token: Secret) -> dict[str, str]:
    value = token.reveal()
    return {
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {value}" if value.startswith(_BEARER) else f"Token token={value}",
    }


def _not_asked(reason: Reason, words: str) -> OutsideFailure:
    return OutsideFailure(
        f"PagerDuty could not be asked: {words.rstrip('.')}. {remedy(reason)}",
        reason=reason,
        retryable=reason is not Reason.ANSWER,
    )
