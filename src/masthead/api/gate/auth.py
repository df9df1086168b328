"""Who is logged in, and the one account that lets Deck offer stages.

Source: Spinnaker compatibility facts, section 2.4 ("Auth"); Deck and Gate facts, section 2a ("Trap").
"""

from __future__ import annotations

from typing import Any

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from masthead.access.cookies import after_logout
from masthead.api.answers import empty
from masthead.api.ask import Ask
from masthead.api.cors import origin_pattern, split_address
from masthead.api.errors import Refused
from masthead.api.routing import Routes
from masthead.kernel.errors import AccessDenied

__all__ = ["routes"]

routes = Routes("gate")

_NO_TOKENS = "Masthead has no API tokens: programs log in by HTTP Basic."
_NO_RAW = "Masthead keeps no user object besides the one that /auth/user gives."
_FROM_FILE = "Users and roles stand in a file, which is read again when it changes."
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
        "roles": list(caller.roles),
        "allowedAccounts": list(caller.accounts),
        "authorities": [],
        "enabled": True,
        "accountNonExpired": True,
        "accountNonLocked": True,
        "credentialsNonExpired": True,
        "isAdmin": False,
        "canMintApiTokens": False,
    }


@routes.get("/auth/logout", "End the session, and lead to /auth/loggedOut.")
async def logout(ask: Ask) -> Any:
    """End the browser's session; Deck asks with GET, so a page of another site is refused by what the browser says.

    Raises:
        AccessDenied: another site has the browser ask.
    """
    if ask.headers.get("sec-fetch-site") == "cross-site":
        raise AccessDenied("A page of another site may not end a session.")
    return await _end_session(ask)


@routes.post("/auth/logout", "End the session, and lead to /auth/loggedOut.")
async def logout_by_post(ask: Ask) -> Any:
    """End the browser's session."""
    return await _end_session(ask)


@routes.get("/auth/loggedOut", "A sentence for who has logged out.")
async def logged_out(_: Ask) -> Any:
    """Answer in plain text, as Gate does."""
    return PlainTextResponse("You are logged out of Masthead.", headers={"Cache-Control": "no-store"})


@routes.get(
    "/auth/redirect", "Lead back to Deck, whose address is among server.corsOrigins, after the login."
)
async def redirect(ask: Ask) -> Any:
    """Lead to the address in ``to``.

    Raises:
        Refused: 400 in Gate's words, it is not Deck's.
    """
    wanted = ask.text("to")
    parts = split_address(wanted)
    allowed = origin_pattern(ask.services.settings.server.cors_origins.split(","))
    if not allowed.fullmatch(f"{parts.scheme}://{parts.netloc}"):
        raise Refused(400, "Requested redirect address not recognized.")
    return RedirectResponse(wanted, status_code=302)


async def _end_session(ask: Ask) -> Response:
    access = ask.services.access
    entered = ask.scope.get("masthead.entered")
    left = await access.leave(entered.session) if entered else ""
    answer = RedirectResponse("/auth/loggedOut", status_code=302)
    is_secure, lasts_s = access.is_secure(ask.url.scheme), access.sessions.left_lasts_s
    for line in after_logout(left, is_secure=is_secure, lasts_s=lasts_s):
        answer.headers.append("set-cookie", line)
    return answer


@routes.get("/credentials", "The one account that Deck needs before it offers stages.")
async def credentials(_: Ask) -> Any:
    """Give the account, expanded or not: Deck reads the same fields."""
    return [_ACCOUNT]


@routes.get("/credentials/{account}", "One account.")
async def account(ask: Ask) -> Any:
    """Give the account; of any other name there is none, which Gate answers as an empty list."""
    return _ACCOUNT if ask.path("account") == _ACCOUNT["name"] else []


routes.empty("/auth/user/serviceAccounts", [], "Service accounts: none.")
routes.unbuilt("GET", "/auth/rawUser", _NO_RAW)
routes.unbuilt("POST", "/auth/roles/sync", _FROM_FILE)
routes.unbuilt("POST", "/auth/deleteSessionCache", _FROM_FILE)
routes.unbuilt("GET POST", "/auth/apiTokens", _NO_TOKENS)
routes.unbuilt("GET", "/auth/apiTokens/admin/users", _NO_TOKENS)
routes.unbuilt("GET", "/auth/apiTokens/serviceAccounts", _NO_TOKENS)
routes.unbuilt("DELETE", "/auth/apiTokens/{id}", _NO_TOKENS)
