"""Several accounts: which of them an event goes to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from masthead.pagerduty import AccountSenders, EventsClient, Outcome, Protocol
from unit.pagerduty.endpoint import KEY, Endpoint, Said, event


@pytest.fixture
async def other() -> AsyncIterator[Endpoint]:
    kept = Endpoint()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", kept.answer)
    async with TestServer(application, host="127.0.0.1") as server:
        kept.url = str(server.make_url("")).rstrip("/")
        yield kept


@pytest.fixture
async def senders(endpoint, other):
    clients = {"us": EventsClient(endpoint.url), "eu": EventsClient(other.url)}
    built = AccountSenders(clients, default="us")
    yield built
    await built.close()


@pytest.mark.parametrize(
    ("account", "came"), [("us", (1, 0)), ("eu", (0, 1)), ("gone", (1, 0)), ("default", (1, 0))]
)
async def test_an_event_goes_to_its_account(senders, endpoint, other, account, came):
    """One whose account is not configured any more goes to the default account."""
    answer = await senders.send(event(account=account))
    assert answer.status == 202
    assert (len(endpoint.requests), len(other.requests)) == came
    assert b"account" not in (endpoint.bodies + other.bodies)[0]


async def test_an_event_whose_account_was_renamed_goes_to_where_its_key_is(endpoint, other):
    """It waited while the configuration was changed; where PagerDuty refuses it, that is said."""
    asked = []

    async def home_of(key):
        asked.append(key)
        return "europe"

    clients = {"us": EventsClient(endpoint.url), "europe": EventsClient(other.url)}
    built = AccountSenders(clients, default="us", home_of=home_of)
    other.answers = [Said(400, {"status": "invalid event", "message": "Invalid routing key"})]
    await built.send(event(account="us"))
    answer = await built.send(event(account="eu"))
    await built.close()
    assert (len(endpoint.requests), len(other.requests), asked) == (1, 1, [KEY])
    assert answer.text.endswith(". The account eu is not configured any more; europe was asked.")


@pytest.mark.parametrize(
    ("unread", "said", "outcome", "came"),
    [
        (["us", "eu"], 202, Outcome.ACCEPTED, (1, 1)),
        (["eu"], 503, Outcome.RETRY, (1, 1)),
        (["eu"], 400, Outcome.REJECTED, (1, 1)),
        ([], 202, Outcome.REJECTED, (1, 0)),
    ],
)
async def test_a_key_that_the_default_account_refuses_may_be_of_one_that_was_never_read(
    endpoint, other, unread, said, outcome, came
):
    """Its REST API was away since the start, or it has no token: its events must not be lost for that."""
    clients = {"us": EventsClient(endpoint.url), "eu": EventsClient(other.url)}
    built = AccountSenders(clients, default="us", unread=lambda: unread)
    refusal = {"status": "invalid event", "message": "Invalid routing key"}
    endpoint.answers = [Said(400, refusal)]
    other.answers = [Said(said, {"status": "success"} if said == 202 else refusal)]
    answer = await built.send(event(account="us"))
    await built.close()
    assert (answer.outcome, len(endpoint.requests), len(other.requests)) == (outcome, *came)


@pytest.mark.parametrize("told", [["us", "eu"], ["us", "us"]], ids=["read meanwhile", "not read"])
@pytest.mark.parametrize("account", ["us", "gone"])
async def test_a_refused_key_whose_catalog_came_late_is_not_lost(endpoint, other, account, told):
    """It was read while the default account was asked, or could not be read at all."""
    answers = iter(told if account == "gone" else told[1:])

    async def home_of(_key):
        return next(answers)

    clients = {"us": EventsClient(endpoint.url), "eu": EventsClient(other.url)}
    built = AccountSenders(clients, default="us", home_of=home_of, unread=lambda: ["eu"])
    endpoint.answers = [Said(400, {"status": "invalid event", "message": "Invalid routing key"})]
    answer = await built.send(event(account=account))
    await built.close()
    assert (answer.outcome, len(endpoint.requests), len(other.requests)) == (Outcome.ACCEPTED, 1, 1)


async def test_a_key_is_checked_with_its_account(senders, endpoint, other):
    """Nobody else knows it."""
    await senders.check_key(KEY, Protocol.V2, account="eu")
    await senders.check_key(KEY, Protocol.V2)
    assert (len(endpoint.requests), len(other.requests)) == (1, 1)
