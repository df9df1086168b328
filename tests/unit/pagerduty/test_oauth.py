"""Tokens of a scoped OAuth app, over a real connection."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

import pytest
import structlog

from masthead.kernel.errors import ConfigurationInvalid, OutsideFailure, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import OAuthApp, OAuthTokens, RestClient
from masthead.pagerduty.oauth import WANTED_SCOPES
from unit.pagerduty.endpoint import Said

REGION = "as_account-eu.acme"
ALL = " ".join((REGION, *WANTED_SCOPES))
LISTED = Said(200, {"services": [{"id": "P1"}], "more": False, "total": 1})


def issued(token: str, *, scope: str | None = ALL, **more) -> Said:
    document = {"access_token": f"pdus+_{token}", "token_type": "bearer", "expires_in": 86_400, **more}
    return Said(200, document | ({"scope": scope} if scope is not None else {}))


@pytest.fixture
async def tokens(endpoint, clock):
    app = OAuthApp("app", lambda: Secret("canary-secret"), (REGION, *WANTED_SCOPES), endpoint.url + "/")
    built = OAuthTokens(app, clock, account="eu", timeout_s=30)
    yield built
    await built.close()


async def failure_of(tokens: OAuthTokens) -> OutsideFailure:
    with pytest.raises(OutsideFailure) as raised:
        await tokens.current()
    assert "canary" not in raised.value.message
    return raised.value


async def test_a_token_is_asked_for_as_pagerduty_wants_it(tokens, endpoint):
    """A form with the app's id, secret and scopes; then it serves every request."""
    endpoint.answers = [issued("one")]
    assert (await tokens.current()).reveal() == "pdus+_one"
    assert (await tokens.current()).reveal() == "pdus+_one"
    assert endpoint.requests[0].path == "/oauth/token"
    assert [parse_qs(body.decode()) for body in endpoint.bodies] == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["app"],
            "client_secret": ["canary-secret"],
            "scope": [ALL],
        }
    ]


async def test_those_who_need_it_at_the_same_time_get_one_token(tokens, endpoint):
    """Four requests in flight ask once."""
    endpoint.answers = [issued("one"), issued("two")]
    got = await asyncio.gather(*(tokens.current() for _ in range(4)))
    assert {one.reveal() for one in got} == {"pdus+_one"}
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(("life_s", "renewed_s"), [(86_400, 86_100), (600, 540), (None, 3300)])
async def test_a_token_is_replaced_before_it_ends(tokens, endpoint, clock, life_s, renewed_s):
    """Five minutes before, or in the last tenth of a short life; an hour where nothing is said."""
    endpoint.answers = [issued("one", expires_in=life_s), issued("two")]
    await tokens.current()
    await clock.sleep(renewed_s - 1)
    assert (await tokens.current()).reveal() == "pdus+_one"
    await clock.sleep(1)
    assert (await tokens.current()).reveal() == "pdus+_two"


async def test_a_token_that_cannot_be_replaced_yet_serves_to_its_end(tokens, endpoint, clock):
    """It is tried again every minute; after the end the failure is told."""
    endpoint.answers = [issued("one"), Said(503, {"error": "down"})]
    await tokens.current()
    await clock.sleep(86_200)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert (await tokens.current()).reveal() == "pdus+_one"
    assert [one["event"] for one in logs] == ["oauth.not-renewed"]
    assert len(endpoint.requests) == 2
    await clock.sleep(60)
    await tokens.current()
    assert len(endpoint.requests) == 3
    await clock.sleep(200)
    failure = await failure_of(tokens)
    assert (failure.reason, failure.retryable, failure.status) == (Reason.SERVER, True, 503)


async def test_scopes_that_were_left_out_are_told(tokens, endpoint, clock):
    """PagerDuty narrows them without a word; each is named with what does not work for want of it."""
    endpoint.answers = [issued("one", scope=f"{REGION} services.read teams.read"), issued("two")]
    assert tokens.shortage() is None
    with structlog.testing.capture_logs() as logs:
        await tokens.current()
    assert tokens.missing == ("oncalls.read", "incidents.read")
    assert "oncalls.read (nobody is shown as on call), incidents.read (what became" in tokens.shortage()
    (line,) = logs
    assert (line["event"], line["account"], line["missing"]) == (
        "oauth.scopes-missing",
        "eu",
        ["oncalls.read", "incidents.read"],
    )
    await clock.sleep(86_400)
    await tokens.current()
    assert tokens.shortage() is None


async def test_an_answer_without_scope_grants_what_was_asked_for(tokens, endpoint):
    """As OAuth has it."""
    endpoint.answers = [issued("one", scope=None)]
    await tokens.current()
    assert tokens.shortage() is None


@pytest.mark.parametrize(
    ("said", "reason", "retryable", "words"),
    [
        (Said(401, {"error": "invalid_client", "error_description": "Client authentication failed"}),
         Reason.TOKEN, False, "invalid_client: Client authentication failed. Check clientId and clientSecret"),
        (Said(400, {"error": "invalid_scope"}), Reason.SCOPE, False, "Check the app's scopes, and the region"),
        (Said(404, "<html>no</html>"), Reason.NOT_FOUND, False, "Check identityUrl"),
        (Said(429, ""), Reason.SERVER, True, "it answered 429. Masthead tries again"),
        (Said(500, {"error": "canary-secret"}), Reason.SERVER, True, "it answered 500"),
        (Said(200, "no JSON"), Reason.ANSWER, False, "its answer has no token in it"),
        (Said(200, {"access_token": 7}), Reason.ANSWER, False, "its answer has no token in it"),
        (Said(trouble="reset"), Reason.NETWORK, True, "Check the network"),
        (Said(302, "", {"Location": "/elsewhere"}), Reason.ANSWER, False, "it answered 302. Check identityUrl"),
    ],
)  # fmt: skip
async def test_why_there_is_no_token_is_told(tokens, endpoint, said, reason, retryable, words):
    """With what to do, and never the secret; the next request asks again."""
    endpoint.answers = [said, issued("one")]
    failure = await failure_of(tokens)
    assert (failure.reason, failure.retryable) == (reason, retryable)
    assert words in failure.message
    assert len(endpoint.requests) == 1
    assert (await tokens.current()).reveal() == "pdus+_one"


async def test_silence_is_told(endpoint, clock):
    """It ends with the time that was given."""
    endpoint.answers = [Said(trouble="hang")]
    app = OAuthApp("app", lambda: Secret("canary-secret"), (REGION,), endpoint.url)
    tokens = OAuthTokens(app, clock, timeout_s=0.5)
    failure = await failure_of(tokens)
    await tokens.close()
    assert (failure.reason, failure.retryable) == (Reason.TIMEOUT, True)
    assert "did not answer in time" in failure.message


async def test_a_secret_that_cannot_be_read_is_told(endpoint, clock):
    """Its file is named, as the configuration says it."""

    def unreadable() -> Secret:
        raise ConfigurationInvalid("/run/secret: the token file is empty")

    failure = await failure_of(OAuthTokens(OAuthApp("app", unreadable, (REGION,), endpoint.url), clock))
    assert failure.reason is Reason.NOT_CONFIGURED
    assert "/run/secret" in failure.message


async def test_a_token_that_pagerduty_forgot_is_replaced_once(tokens, endpoint, clock):
    """The REST client tries again with a new one."""
    rest = RestClient(endpoint.url, tokens, clock)
    endpoint.answers = [issued("one"), LISTED, Said(401, {}), issued("two"), LISTED]
    await rest.get("/services")
    await clock.sleep(3600)
    await rest.get("/services")
    await rest.close()
    headers = [one.headers.get("Authorization", "") for one in endpoint.requests]
    assert headers == ["", "Bearer pdus+_one", "Bearer pdus+_one", "", "Bearer pdus+_two"]


async def test_a_new_token_that_is_refused_is_a_failure(tokens, endpoint, clock):
    """Another one would be refused, too: the region is wrong, or the account is another."""
    rest = RestClient(endpoint.url, tokens, clock)
    endpoint.answers = [issued("one"), Said(401, {"error": {"message": "Authentication failed"}})]
    with pytest.raises(OutsideFailure) as raised:
        await rest.get("/services")
    await rest.close()
    assert (raised.value.reason, raised.value.retryable) == (Reason.TOKEN, False)
    assert len(endpoint.requests) == 2


async def test_a_client_that_is_closed_closes_its_tokens(tokens, endpoint, clock):
    """No connection is left behind; the app's secret hides itself."""
    rest = RestClient(endpoint.url, tokens, clock)
    endpoint.answers = [issued("one"), LISTED]
    await rest.get("/services")
    await rest.close()
    assert tokens._session is None
    assert "canary" not in repr(tokens._app)
