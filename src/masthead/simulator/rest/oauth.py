"""The endpoint at which an app gets a token for a day.

Source: PagerDuty's developer documentation, "OAuth 2.0, Scoped OAuth / client credentials". PagerDuty
serves it at a host of its own; here it is on the same address.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import parse_qsl

from masthead.simulator.organisation import OAuthClient, Token
from masthead.simulator.rest.call import Call
from masthead.simulator.wire import Answer, json_answer

__all__ = ["create_token"]


def create_token(call: Call) -> Answer:
    """Answer POST /oauth/token; scopes that the client does not have are left out without a word."""
    form = dict(parse_qsl(call.raw.decode("latin-1")))
    if form.get("grant_type") != "client_credentials":
        return _refuse(400, "unsupported_grant_type", "grant_type must be client_credentials")
    client = _client(call, form)
    if client is None:
        return _refuse(401, "invalid_client", "Client authentication failed")
    asked = form.get("scope", "").split()
    region = [scope for scope in asked if scope.startswith("as_account-")]
    granted = [scope for scope in asked if scope in client.scopes]
    if not region or not granted:
        return _refuse(400, "invalid_scope", "The requested scope is invalid")
    token = Token(token=f"pdus+_{secrets.token_hex(16)}", scopes=granted)
    call.world.issue(token, client.expires_in)
    document = {
        "access_token": token.token,
        "scope": " ".join([*region, *granted]),
        "token_type": "bearer",
        "expires_in": client.expires_in,
    }
    return json_answer(200, document)


def _client(call: Call, form: dict[str, str]) -> OAuthClient | None:
    for client in call.world.directory.organisation.oauth_clients:
        if client.client_id == form.get("client_id") and hmac.compare_digest(
            client.client_secret.encode(), form.get("client_secret", "").encode()
        ):
            return client
    return None


def _refuse(status: int, error: str, description: str) -> Answer:
    return json_answer(status, {"error": error, "error_description": description})
