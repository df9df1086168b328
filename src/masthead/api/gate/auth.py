"""Who is logged in, and the one account that lets Deck offer stages.

Source: Spinnaker compatibility facts, section 2.4 ("Auth"); Deck and Gate facts, section 2a ("Trap").
"""

from __future__ import annotations

from typing import Any

from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.routing import Routes

__all__ = ["routes"]

routes = Routes("gate")

_NO_LOGIN = "There is no login yet: the caller is who the X-SPINNAKER-USER header names."
#: With an empty list Deck's editor offers no stage at all; an account of a provider it knows opens it.
_ACCOUNT: dict[str, Any] = {
    "name": "pagerduty",
    "accountId": "pagerduty",
    "type": "kubernetes",
    "cloudProvider": "kubernetes",
    "accountType": "pagerduty",
    "environment": "pagerduty",
    "authorized": True,
    "primaryAccount": False,
    "challengeDestructiveActions": False,
    "requiredGroupMembership": [],
    "permissions": {},
    "regions": [],
    "namespaces": [],
    "spinnakerKindMap": {},
}


@routes.get("/auth/user", "The caller; empty for nobody in particular.")
async def user(ask: Ask) -> Any:
    """Give the caller as Gate describes a user, or an empty body."""
    caller = ask.caller
    if caller.is_anonymous:
        return empty()
    return {
        "email": caller.user if "@" in caller.user else None,
        "username": caller.user,
        "firstName": None,
        "lastName": None,
        "roles": [],
        "allowedAccounts": list(caller.accounts),
        "authorities": [],
        "enabled": True,
        "accountNonExpired": True,
        "accountNonLocked": True,
        "credentialsNonExpired": True,
        "isAdmin": False,
        "canMintApiTokens": False,
    }


@routes.get("/credentials", "The one account that Deck needs before it offers stages.")
async def credentials(_: Ask) -> Any:
    """Give the account, expanded or not: Deck reads the same fields."""
    return [_ACCOUNT]


@routes.get("/credentials/{account}", "One account.")
async def account(ask: Ask) -> Any:
    """Give the account; of any other name there is none, which Gate answers as an empty list."""
    return _ACCOUNT if ask.path("account") == _ACCOUNT["name"] else []


routes.empty("/auth/user/serviceAccounts", [], "Service accounts: none.")
routes.unbuilt("GET", "/auth/rawUser", _NO_LOGIN)
routes.unbuilt("GET POST", "/auth/logout", _NO_LOGIN)
routes.unbuilt("GET", "/auth/loggedOut", _NO_LOGIN)
routes.unbuilt("GET", "/auth/redirect", _NO_LOGIN)
routes.unbuilt("POST", "/auth/roles/sync", _NO_LOGIN)
routes.unbuilt("POST", "/auth/deleteSessionCache", _NO_LOGIN)
routes.unbuilt("GET POST", "/auth/apiTokens", _NO_LOGIN)
routes.unbuilt("GET", "/auth/apiTokens/admin/users", _NO_LOGIN)
routes.unbuilt("GET", "/auth/apiTokens/serviceAccounts", _NO_LOGIN)
routes.unbuilt("DELETE", "/auth/apiTokens/{id}", _NO_LOGIN)
