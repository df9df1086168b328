"""Reading PagerDuty's REST API politely: all pages, a few in flight, fewer after a 429.

Source: PagerDuty facts A.5 (headers, pagination, limits, errors), A.10 (policy).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from masthead.kernel.clock import Clock
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.answers import classify_rest, error_text, remedy, retry_after, without

__all__ = ["Collected", "RestClient"]

PAGE_SIZE = 100
#: offset + limit above this is answered with 400 (facts A.5).
OFFSET_CEILING = 10_000
_ATTEMPTS = 3
_LONGEST_WAIT_S = 60.0


@dataclass
class Collected:
    """What a list brought: the items of the pages that came, and why others did not."""

    items: list[dict[str, Any]] = field(default_factory=list)
    failures: list[OutsideFailure] = field(default_factory=list)
    #: PagerDuty has more than an offset can reach; ask in parts.
    is_cut: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every page came."""
        return not self.failures and not self.is_cut


class RestClient:
    """GET requests to one account."""

    def __init__(
        self,
        base_url: str,
        token: Callable[[], Secret],
        clock: Clock,
        *,
        in_flight: int = 4,
        timeout_s: float = 30.0,
    ) -> None:
        """Args: token: asked before every request, so that a token file may change."""
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._in_flight = in_flight
        self._slots = asyncio.Semaphore(in_flight)
        #: After a 429 one request at a time until this list is through.
        self._alone = asyncio.Lock()
        self._is_throttled = False
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, params: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        """Give the JSON object at *path*; what may succeed later is tried three times.

        Raises:
            OutsideFailure: with reason, remedy and status; never the token in it.
        """
        attempt = 1
        while True:
            try:
                async with self._slots:
                    if not self._is_throttled:
                        return await self._get_once(path, params)
                    async with self._alone:
                        return await self._get_once(path, params)
            except OutsideFailure as failure:
                self._is_throttled = self._is_throttled or failure.reason is Reason.THROTTLED
                if not failure.retryable or attempt == _ATTEMPTS:
                    raise
                wait = failure.retry_after if failure.retry_after is not None else 2.0**attempt
                await self._clock.sleep(min(wait, _LONGEST_WAIT_S))
                attempt += 1

    async def collect(self, path: str, item_key: str, params: Sequence[tuple[str, str]] = ()) -> Collected:
        """Give all items of a list, in its order; a page that fails is left out and told.

        Args:
            path: For example ``/services``.
            item_key: The name of the list in the answer, for example ``services``.
            params: Further query parameters, as pairs (``include[]`` may repeat).

        Raises:
            OutsideFailure: the first page failed, so nothing is known.
        """
        self._is_throttled = False
        first = await self._page(path, params, 0)
        collected = Collected(list(first[item_key]))
        if not first.get("more"):
            return collected
        total = first.get("total")
        if not isinstance(total, int):
            await self._follow(path, item_key, params, collected)
            return collected
        collected.is_cut = total > OFFSET_CEILING
        offsets = range(PAGE_SIZE, min(total, OFFSET_CEILING), PAGE_SIZE)
        pages = await asyncio.gather(
            *(self._page(path, params, at) for at in offsets), return_exceptions=True
        )
        for page in pages:
            if isinstance(page, OutsideFailure):
                collected.failures.append(page)
            elif isinstance(page, BaseException):
                raise page
            else:
                collected.items.extend(page[item_key])
        return collected

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _follow(
        self, path: str, item_key: str, params: Sequence[tuple[str, str]], into: Collected
    ) -> None:
        offset, more = PAGE_SIZE, True
        while more:
            if offset + PAGE_SIZE > OFFSET_CEILING:
                into.is_cut = True
                return
            try:
                page = await self._page(path, params, offset)
            except OutsideFailure as failure:
                into.failures.append(failure)
                return
            into.items.extend(page[item_key])
            offset, more = offset + PAGE_SIZE, bool(page.get("more"))

    async def _page(self, path: str, params: Sequence[tuple[str, str]], offset: int) -> dict[str, Any]:
        paging = [("limit", str(PAGE_SIZE)), ("offset", str(offset)), ("total", "true")]
        return await self.get(path, [*params, *paging])

    async def _get_once(self, path: str, params: Sequence[tuple[str, str]]) -> dict[str, Any]:
        token = self._token()
        headers = {
            "Accept": "application/vnd.pagerduty+json;version=2",
            "Content-Type": "application/json",
            "Authorization": f"Token token={token.reveal()}",
        }
        try:
            async with self._open().get(
                self._base_url + path, params=list(params), headers=headers
            ) as response:
                body = await response.read()
        except TimeoutError:
            raise _failure(Reason.TIMEOUT, "no answer in time", retryable=True) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            text = without(f"{type(error).__name__}: {error}", token)
            raise _failure(Reason.NETWORK, text, retryable=True) from None
        if response.status >= 300:
            raise _refused(response.status, response.headers, without(error_text(body), token))
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise _failure(Reason.ANSWER, "the answer is not JSON; is this PagerDuty's address?") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, trust_env=True)
        return self._session


def _refused(status: int, headers: Mapping[str, str], text: str) -> OutsideFailure:
    reason, retryable = classify_rest(status)
    return OutsideFailure(
        f"PagerDuty answered {status}: {text}. {remedy(reason)}",
        reason=reason,
        retryable=retryable,
        retry_after=retry_after(headers),
        status=status,
    )


def _failure(reason: Reason, text: str, *, retryable: bool = False) -> OutsideFailure:
    return OutsideFailure(
        f"PagerDuty could not be asked: {text}. {remedy(reason)}", reason=reason, retryable=retryable
    )
