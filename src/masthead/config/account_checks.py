"""What does not go together within one PagerDuty account, and among several."""

from __future__ import annotations

from collections.abc import Sequence

from masthead.config.given import Gathered
from masthead.config.hosts import of_two_regions
from masthead.config.settings import DEFAULT_ACCOUNT, AccountSettings, Settings
from masthead.config.tree import Problems, Source

__all__ = ["check_accounts"]


def check_accounts(settings: Settings, gathered: Gathered, problems: Problems) -> None:
    """Tell what does not go together; a key whose own error was told is not accused twice."""
    for account in settings.accounts:
        checks = _OneAccount(account, gathered, problems)
        checks.credentials()
        checks.regions()
    _check_default(settings, gathered, problems)
    _check_same_token(settings.pagerduty_accounts, gathered, problems)
    if settings.rest.token is not None and DEFAULT_ACCOUNT in gathered.accounts:
        problems.error(
            gathered.accounts[DEFAULT_ACCOUNT],
            f"accounts.{DEFAULT_ACCOUNT}: Gate's block has a token, which makes it the account of this name; "
            "call this one otherwise, or take the token out of Gate's block",
        )


class _OneAccount:
    def __init__(self, account: AccountSettings, gathered: Gathered, problems: Problems) -> None:
        self._account = account
        self._gathered = gathered
        self._problems = problems
        self._path = f"accounts.{account.name}"

    def credentials(self) -> None:
        account = self._account
        names = ("token", "clientId", "clientSecret")
        if any(self._key(name) in self._gathered.failed for name in names):
            return
        if account.token is not None and (account.client_id or account.client_secret):
            self._error("token", "token: a token and an OAuth app are given; keep one")
        elif bool(account.client_id) != (account.client_secret is not None):
            lacking = "clientSecret" if account.client_id else "clientId"
            self._error(
                "clientId", f"{lacking}: an OAuth app needs clientId and clientSecret (or client-secret-file)"
            )
        elif account.client_id and not (account.account_name or self._has_account_scope()):
            self._error(
                "clientId",
                "accountName: an OAuth app needs it, the SUBDOMAIN of https://SUBDOMAIN.pagerduty.com",
            )
        elif not account.can_read:
            self._problems.warn(
                self._place("token"),
                f"{self._path}.token: not set, so the account's services are not listed and its keys are not known",
            )

    def regions(self) -> None:
        account = self._account
        if hosts := of_two_regions(account.events_url, account.rest_url):
            self._problems.warn(
                self._place("endpoint", "baseUrl", "region"),
                f"{self._path}: {hosts[0]} and {hosts[1]} are of different regions; an account lives in one "
                "(`region: eu` is enough)",
            )

    def _has_account_scope(self) -> bool:
        return any(scope.startswith("as_account-") for scope in self._account.scopes)

    def _error(self, name: str, text: str) -> None:
        self._problems.error(self._place(name, "clientSecret"), f"{self._path}.{text}")

    def _key(self, name: str) -> str:
        return f"{self._path}.{name}"

    def _place(self, *names: str) -> Source:
        places = (self._gathered.place(self._key(name)) for name in names)
        return next((one for one in places if one), self._gathered.accounts[self._account.name])


def _check_default(settings: Settings, gathered: Gathered, problems: Problems) -> None:
    keys = [f"accounts.{one.name}.default" for one in settings.accounts if one.default]
    for key in keys[1:]:
        first = gathered.place(keys[0])
        problems.error(
            gathered.place(key) or "configuration",
            f"{key}: {keys[0]} is true as well, in {first}; there is one default account",
        )


def _check_same_token(accounts: Sequence[AccountSettings], gathered: Gathered, problems: Problems) -> None:
    seen: dict[object, str] = {}
    for account in accounts:
        if account.token is None:
            continue
        first = seen.setdefault(account.token.read(), account.name)
        if first != account.name:
            place = gathered.place(f"accounts.{account.name}.token") or gathered.place("rest.token")
            problems.warn(
                place or "configuration",
                f"accounts.{account.name}.token: is also the token of the account {first}, so its services are listed twice",
            )
