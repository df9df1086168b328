"""What is built for each PagerDuty account, and what stands before all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from masthead.catalog import AccountCatalog, Catalog, Roster
from masthead.config import AccountSettings, Settings
from masthead.kernel.clock import Clock
from masthead.kernel.secret import Secret
from masthead.pagerduty import (
    AccountSenders,
    EventsClient,
    IncidentsReader,
    OAuthApp,
    OAuthTokens,
    RestClient,
    RestIncidents,
)
from masthead.pagerduty.oauth import WANTED_SCOPES
from masthead.storage.database import Database

__all__ = ["Accounts", "open_accounts"]

#: How long an event whose account was renamed waits for the first reading of the new one's catalog.
_FIRST_READING_S = 5.0


@dataclass(frozen=True)
class Accounts:
    """All PagerDuty accounts."""

    catalog: Catalog
    senders: AccountSenders
    #: By account, for those that have a REST token.
    incidents: Mapping[str, IncidentsReader]
    roster: Roster


def open_accounts(settings: Settings, database: Database, clock: Clock) -> Accounts:
    """Build the clients of every account and the catalog of all; nothing is asked yet."""
    catalogs, senders, incidents, readers = [], {}, {}, {}
    for account in settings.pagerduty_accounts:
        tokens = _tokens(account, settings, clock)
        rest = _rest(account, tokens, settings, clock)
        catalogs.append(_catalog(account, rest, tokens, settings, database, clock))
        readers[account.name] = rest
        if rest is not None:
            incidents[account.name] = RestIncidents(rest)
        senders[account.name] = EventsClient(
            account.events_url,
            timeout_s=settings.events.timeout_s,
            token=account.events_token.read if account.events_token else None,
        )
    default = settings.pagerduty_accounts[0].name
    catalog = Catalog.of(catalogs)

    async def home_of(key: Secret) -> str:
        await catalog.know((key,), _FIRST_READING_S)
        return catalog.account_of_key(key)

    def unread() -> list[str]:
        return [name for name, state in catalog.states.items() if state.services_fetched_at is None]

    return Accounts(
        catalog,
        AccountSenders(senders, default=default, home_of=home_of, unread=unread),
        incidents,
        Roster(readers, clock),
    )


def _tokens(account: AccountSettings, settings: Settings, clock: Clock) -> OAuthTokens | None:
    if account.client_id is None or account.client_secret is None:
        return None
    scopes = account.scopes or WANTED_SCOPES
    if not any(scope.startswith("as_account-") for scope in scopes):
        scopes = (account.account_scope, *scopes)
    app = OAuthApp(account.client_id, account.client_secret.read, scopes, account.identity_url)
    return OAuthTokens(app, clock, account=account.name, timeout_s=settings.rest.timeout_s)


def _rest(
    account: AccountSettings, tokens: OAuthTokens | None, settings: Settings, clock: Clock
) -> RestClient | None:
    token = tokens or (account.token.read if account.token else None)
    if token is None:
        return None
    rest = settings.rest
    return RestClient(account.rest_url, token, clock, in_flight=rest.in_flight, timeout_s=rest.timeout_s)


def _catalog(
    account: AccountSettings,
    rest: RestClient | None,
    tokens: OAuthTokens | None,
    settings: Settings,
    database: Database,
    clock: Clock,
) -> AccountCatalog:
    catalog = AccountCatalog(
        rest,
        database,
        clock,
        account=account.name,
        refresh_s=settings.rest.refresh_s,
        jitter=settings.rest.refresh_jitter,
    )
    if tokens is not None:
        catalog.shortage = tokens.shortage
    return catalog
