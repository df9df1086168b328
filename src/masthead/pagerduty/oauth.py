"""Tokens of a scoped OAuth app: got with its id and secret, replaced before they end, and their scopes compared.

PagerDuty leaves out without a word what the app may not have, so the ``scope`` of the answer is what counts.

Source: PagerDuty facts A.5 (client credentials, ``expires_in``, silently narrowed scopes), the table of hosts (one
identity host for both regions; the region stands in the scope ``as_account-eu.SUBDOMAIN``).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog

from masthead.kernel.clock import Clock
from masthead.kernel.errors import MastheadError, OutsideFailure, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty.answers import classify_rest, retry_after
from masthead.pagerduty.connection import open_session
from masthead.pagerduty.trouble import no_answer
from masthead.pagerduty.words import decode_object, spoken

__all__ = ["IDENTITY_URL", "NEEDED_SCOPES", "WANTED_SCOPES", "OAuthApp", "OAuthTokens", "Tokens"]

IDENTITY_URL = "https://identity.pagerduty.com"
_PATH = "/oauth/token"
#: Without these something does not work, which the value says.
NEEDED_SCOPES: Mapping[str, str] = {
    "services.read": "services are not listed",
    "oncalls.read": "nobody is shown as on call",
    "incidents.read": "what became of a page is not looked up",
}
#: Without the last two only accounts of more than 10,000 services or on-calls are listed in part.
WANTED_SCOPES = (*NEEDED_SCOPES, "escalation_policies.read", "teams.read")
_CONNECT_TIMEOUT_S = 5.0
#: A token is replaced when this part of its life is left, but no earlier than so many seconds before its end.
_LAST_PART = 0.1
_LAST_S = 300.0
#: PagerDuty says 86,400; what holds when an answer does not say.
_LIFE_S = 3600.0
#: A token that PagerDuty refuses though it is not older than this is not replaced: another would be refused too.
_FRESH_S = 60.0
_AGAIN_S = 60.0
log = structlog.get_logger(__name__)


class Tokens(ABC):
    """Where a client gets the token of each request from."""

    @abstractmethod
    async def current(self) -> Secret:
        """Give the token to use now.

        Raises:
            OutsideFailure: there is none to be had.
        """

    @abstractmethod
    def refused(self, token: Secret) -> bool:
        """Note that PagerDuty refused *token*; whether another may be had in its place."""

    async def close(self) -> None:  # noqa: B027 - not every source has something to close
        """Close the connections."""


@dataclass(frozen=True)
class OAuthApp:
    """An app as PagerDuty registered it."""

    client_id: str
    #: Asked before every use, so that a file may change.
    client_secret: Callable[[], Secret] = field(repr=False)
    #: What is asked for, ``as_account-eu.SUBDOMAIN`` among it.
    scopes: tuple[str, ...]
    identity_url: str = IDENTITY_URL


@dataclass(frozen=True)
class _Issued:
    token: Secret
    issued_at_s: float
    renew_at_s: float
    ends_at_s: float


class OAuthTokens(Tokens):
    """The tokens of one app, one at a time."""

    def __init__(
        self, app: OAuthApp, clock: Clock, *, account: str = "default", timeout_s: float = 30.0
    ) -> None:
        """Build it; the first token is got when it is asked for.

        Args:
            app: Whose tokens.
            clock: What a token's life is measured by.
            account: For the log.
            timeout_s: For a whole request.
        """
        self._app = app
        self._clock = clock
        self._account = account
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_TIMEOUT_S)
        self._session: aiohttp.ClientSession | None = None
        self._issued: _Issued | None = None
        self._getting = asyncio.Lock()
        #: Needed scopes that the last token does not have; empty while none was got.
        self.missing: tuple[str, ...] = ()

    async def current(self) -> Secret:
        """Give the token to use now, a new one shortly before the old one ends.

        Raises:
            OutsideFailure: there is no token, and PagerDuty gives none; the text says why and what to do.
        """
        issued = self._issued
        if issued is None or self._clock.monotonic() >= issued.renew_at_s:
            async with self._getting:  # those who come meanwhile wait for the same token
                if self._issued is issued:
                    await self._renew()
                issued = self._issued
        assert issued is not None
        return issued.token

    def refused(self, token: Secret) -> bool:
        """Forget *token*, unless it is so new that another would fare no better."""
        issued = self._issued
        if issued is None or issued.token != token:
            return True
        if self._clock.monotonic() - issued.issued_at_s < _FRESH_S:
            return False
        self._issued = None
        return True

    def shortage(self) -> str | None:
        """Say which needed scopes the app was not given and what does not work for it; None when it has all."""
        if not self.missing:
            return None
        without_them = ", ".join(f"{scope} ({NEEDED_SCOPES[scope]})" for scope in self.missing)
        return (
            f"PagerDuty did not give the OAuth app all scopes that Masthead asked for; it lacks {without_them}. "
            "Add them to the app's permissions in PagerDuty, under Integrations, App Registration."
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _renew(self) -> None:
        now_s = self._clock.monotonic()
        try:
            self._issued = await self._get(now_s)
        except OutsideFailure as failure:
            last = self._issued
            if last is None or now_s >= last.ends_at_s:
                self._issued = None
                raise
            log.warning("oauth.not-renewed", account=self._account, error=failure.message)
            # It still holds for a while: PagerDuty's hiccup is not ours.
            self._issued = _Issued(last.token, last.issued_at_s, now_s + _AGAIN_S, last.ends_at_s)

    async def _get(self, now_s: float) -> _Issued:
        secret = self._read_secret()
        status, headers, body = await self._post(secret)
        if status != 200:
            raise _refusal(status, spoken(body, secret), retry_after(status, headers, now=self._clock.now()))
        document = decode_object(body) or {}
        token, life_s = document.get("access_token"), document.get("expires_in")
        if not isinstance(token, str) or not token:
            raise _failure("its answer has no token in it", Reason.ANSWER)
        self._compare(document)
        life_s = float(life_s) if isinstance(life_s, int | float) and life_s > 0 else _LIFE_S
        left_s = min(life_s * _LAST_PART, _LAST_S)
        return _Issued(Secret(token), now_s, now_s + life_s - left_s, now_s + life_s)

    def _compare(self, document: Mapping[str, Any]) -> None:
        """Compare what was granted with what is needed; an answer without ``scope`` grants what was asked for."""
        scope = document.get("scope")
        granted = set(scope.split()) if isinstance(scope, str) else set(self._app.scopes)
        missing = tuple(one for one in NEEDED_SCOPES if one not in granted)
        if missing and missing != self.missing:
            log.warning(
                "oauth.scopes-missing",
                account=self._account,
                missing=list(missing),
                granted=sorted(granted),
            )
        self.missing = missing

    def _read_secret(self) -> Secret:
        try:
            return self._app.client_secret()
        except (MastheadError, OSError) as error:
            words = error.message if isinstance(error, MastheadError) else error.strerror or "unreadable"
            raise OutsideFailure(
                f"The OAuth app's secret cannot be read: {words.rstrip('.')}.", reason=Reason.NOT_CONFIGURED
            ) from error

    async def _post(self, secret: Secret) -> tuple[int, Mapping[str, str], bytes]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._app.client_id,
            "client_secret": secret.reveal(),
            "scope": " ".join(self._app.scopes),
        }
        url = self._app.identity_url.rstrip("/")
        try:
            if self._session is None:
                self._session = open_session(url, timeout=self._timeout)
            # A redirect would carry the secret to wherever it points.
            async with self._session.post(url + _PATH, data=form, allow_redirects=False) as response:
                return response.status, response.headers, await response.read()
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            reason, words = no_answer(error, url)
        # Raised out here on purpose: the client's own error knows the request.
        raise _failure(words, reason, retryable=True)


def _failure(words: str, reason: Reason, *, retryable: bool = False) -> OutsideFailure:
    return OutsideFailure(
        f"PagerDuty's identity host gave the OAuth app no token: {words.rstrip('.')}. "
        "Check the network, the proxy and identityUrl; Masthead tries again by itself.",
        reason=reason,
        retryable=retryable,
    )


def _refusal(status: int, words: str, wait_s: float | None) -> OutsideFailure:
    reason, retryable = classify_rest(status)
    what_to_do = "Masthead tries again by itself."
    if not retryable:
        reason, what_to_do = _meaning(words, reason)
    said = f": {words.rstrip('.')}" if words else ""
    return OutsideFailure(
        f"PagerDuty's identity host gave the OAuth app no token, it answered {status}{said}. {what_to_do}",
        # The pace of the REST API is for its own throttling; this one is only waited out.
        reason=Reason.SERVER if reason is Reason.THROTTLED else reason,
        retryable=retryable,
        retry_after=wait_s,
        status=status,
    )


def _meaning(words: str, reason: Reason) -> tuple[Reason, str]:
    if "scope" in words.lower():
        return Reason.SCOPE, "Check the app's scopes, and the region and subdomain of the account."
    if reason in (Reason.NOT_FOUND, Reason.ANSWER):
        return reason, f"Check identityUrl ({IDENTITY_URL} for both regions), and what stands in between."
    return (
        Reason.TOKEN,
        "Check clientId and clientSecret: PagerDuty shows them under Integrations, App Registration.",
    )
