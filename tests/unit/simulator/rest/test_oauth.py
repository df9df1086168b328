"""Scoped OAuth: a token for a day, with the scopes that the app has."""

from __future__ import annotations

import pytest

FORM = {
    "grant_type": "client_credentials",
    "client_id": "example-client",
    "client_secret": "example-secret",
    "scope": "as_account-us.masthead-example services.read incidents.write",
}


async def test_scopes_are_narrowed_in_silence(desk):
    """The token has only the scopes that the app has, and the answer names them."""
    answer = await desk.http.post("/oauth/token", data=FORM)
    document = answer.json()
    assert (answer.status_code, document["token_type"], document["expires_in"]) == (200, "bearer", 86_400)
    assert document["scope"] == "as_account-us.masthead-example services.read"
    headers = {"Authorization": f"Bearer {document['access_token']}"}
    assert (await desk.http.get("/services", headers=headers)).status_code == 200
    assert (await desk.http.get("/oncalls", headers=headers)).status_code == 403


async def test_tokens_expire(desk, clock):
    """After a day the token gets 401."""
    token = (await desk.http.post("/oauth/token", data=FORM)).json()["access_token"]
    clock.elapsed += 86_399
    assert (await desk.get("/services", token=token)).status_code == 200
    clock.elapsed += 1
    assert (await desk.get("/services", token=token)).status_code == 401


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "services.read"}, 400, "invalid_scope"),
        ({"scope": "as_account-us.x nothing.read"}, 400, "invalid_scope"),
    ],
)
async def test_wrong_requests(desk, change, status, error):
    """A wrong client, grant or scope is refused in OAuth's words."""
    answer = await desk.http.post("/oauth/token", data={**FORM, **change})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
