"""Reading the REST API over a real connection."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from aiohttp.test_utils import unused_port

from masthead.kernel.errors import ConfigurationInvalid, OutsideFailure, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import RestClient
from unit.pagerduty.endpoint import TOKEN, Said

GOOD = Said(200, {"services": [{"id": "P1"}], "more": False, "total": 1})


@pytest.fixture
async def rest(endpoint, clock):
    endpoint.answers = [GOOD]
    client = RestClient(endpoint.url + "/", lambda: TOKEN, clock, timeout_s=5)
    yield client
    await client.close()


async def failure_of(rest: RestClient) -> OutsideFailure:
    with pytest.raises(OutsideFailure) as raised:
        await rest.get("/services")
    return raised.value


async def test_a_request_is_as_pagerduty_wants_it(rest, endpoint):
    """The exact headers; repeated parameters stay repeated."""
    await rest.get("/services", [("include[]", "integrations"), ("include[]", "teams")])
    request = endpoint.requests[0]
    assert request.headers["Authorization"] == f"Token token={TOKEN.reveal()}"
    assert request.headers["Accept"] == "application/vnd.pagerduty+json;version=2"
    assert request.query.getall("include[]") == ["integrations", "teams"]
    assert request.path == "/services"


async def test_an_oauth_token_is_a_bearer(endpoint, clock):
    """Told by how it begins."""
    endpoint.answers = [GOOD]
    client = RestClient(endpoint.url, lambda: Secret("pdus+_0XYZ"), clock)
    await client.get("/services")
    await client.close()
    assert endpoint.requests[0].headers["Authorization"] == "Bearer pdus+_0XYZ"


async def test_a_token_that_changes_counts_from_the_next_request(endpoint, clock):
    """A token file is read anew for every request."""
    tokens = iter([Secret("first-token"), Secret("second-token")])
    endpoint.answers = [GOOD]
    client = RestClient(endpoint.url, lambda: next(tokens), clock)
    await client.get("/services")
    await client.get("/services")
    await client.close()
    assert [request.headers["Authorization"][-12:] for request in endpoint.requests] == [
        "=first-token",
        "second-token",
    ]


@pytest.mark.parametrize(
    ("said", "reason", "words"),
    [
        (Said(401, {"error": {"message": "Authentication failed", "code": 2006}}), Reason.TOKEN, "region"),
        (Said(402, {"error": {"message": "Account is missing ability"}}), Reason.SCOPE, "missing ability"),
        (
            Said(403, {"error": {"message": "Access Denied", "errors": "no scope"}}),
            Reason.SCOPE,
            "read access",
        ),
        (Said(404, {"error": {"message": "Not Found"}}), Reason.NOT_FOUND, "base URL"),
        (Said(400, {"error": [{"message": "Bad"}]}), Reason.REJECTED, "400: Bad."),
        (Said(302, b"", {"Location": "http://127.0.0.1/login"}), Reason.ANSWER, "302"),
        (Said(200, "<html>Log in</html>"), Reason.ANSWER, "not JSON"),
        (Said(200, "[]"), Reason.ANSWER, "not JSON"),
    ],
)
async def test_what_would_fail_again_is_asked_once(rest, endpoint, clock, said, reason, words):
    """The failure has its reason, PagerDuty's words and what to do."""
    endpoint.answers = [said]
    failure = await failure_of(rest)
    assert (failure.reason, failure.retryable) == (reason, False)
    assert words in failure.message
    assert len(endpoint.requests) == 1
    assert clock.waits == []


@pytest.mark.parametrize(
    ("said", "reason", "tries"),
    [
        (Said(500, {"error": {"message": "oops"}}), Reason.SERVER, 3),
        (Said(408, b""), Reason.TIMEOUT, 3),
        (Said(200, trouble="half"), Reason.NETWORK, 3),
        (Said(429, b""), Reason.THROTTLED, 6),
    ],
)
async def test_what_may_succeed_later_is_tried_a_few_times(rest, endpoint, said, reason, tries):
    """Throttling is sat out for longer than the minute that PagerDuty counts by."""
    endpoint.answers = [said]
    failure = await failure_of(rest)
    assert failure.reason is reason
    assert len(endpoint.requests) >= tries


async def test_a_request_succeeds_after_failures(rest, endpoint, clock):
    """The waits grow; what the server asks for is honoured."""
    endpoint.answers = [Said(500), Said(503, headers={"Retry-After": "9"}), GOOD]
    assert (await rest.get("/services"))["total"] == 1
    assert clock.waits == [1, 9]


@pytest.mark.parametrize(
    ("headers", "waited"),
    [({}, 2), ({"Retry-After": "11"}, 11), ({"ratelimit-reset": "30", "ratelimit-remaining": "0"}, 30)],
)
async def test_a_429_is_waited_out(rest, endpoint, clock, headers, waited):
    """With its headers and without; afterwards requests go one by one."""
    endpoint.answers = [Said(429, b"", headers), GOOD]
    await rest.get("/services")
    assert clock.monotonic() == waited
    endpoint.most_at_once = 0
    await asyncio.gather(*(rest.get("/services") for _ in range(8)))
    assert endpoint.most_at_once == 1
    await clock.sleep(60)
    endpoint.together = 4
    await asyncio.gather(*(rest.get("/services") for _ in range(8)))
    assert endpoint.most_at_once == 4


@pytest.mark.parametrize("said", [Said(429), Said(503)])
async def test_what_is_waited_out_can_be_seen_meanwhile(rest, endpoint, clock, said, monkeypatch):
    """And is gone with the next good answer."""
    seen, sleep = [], clock.sleep

    async def watched(seconds):
        seen.append(rest.obstacle)
        await sleep(seconds)

    monkeypatch.setattr(clock, "sleep", watched)
    endpoint.answers = [said, said, GOOD]
    await rest.get("/services")
    assert [one.status for one in seen] == [said.status, said.status]
    assert rest.obstacle is None


async def test_throttling_is_logged_once_while_it_lasts(rest, endpoint, clock):
    """Everybody waits, so somebody must be able to see why."""
    endpoint.answers = [Said(429, b"", {"Retry-After": "9"}), Said(429), GOOD]
    with structlog.testing.capture_logs() as logs:
        await rest.get("/services")
        await clock.sleep(120)
        endpoint.answers = [Said(429), GOOD]
        await rest.get("/services")
    told = [line for line in logs if line["event"] == "rest.throttled"]
    assert [line["wait_s"] for line in told] == [9, 2]
    assert all(line["url"] == endpoint.url for line in told)


async def test_a_budget_that_is_used_up_is_waited_for(rest, endpoint, clock):
    """PagerDuty tells it along with a good answer, before it has to refuse."""
    endpoint.answers = [Said(200, {}, {"ratelimit-remaining": "0", "ratelimit-reset": "12"}), GOOD]
    await rest.get("/services")
    assert clock.monotonic() == 0
    await rest.get("/services")
    assert clock.monotonic() == 12


async def test_a_long_wait_is_told_and_kept(rest, endpoint):
    """Nothing is sent before PagerDuty wants it."""
    endpoint.answers = [Said(429, b"", {"Retry-After": "600"}), GOOD]
    assert (await failure_of(rest)).retry_after == pytest.approx(600)
    assert (await failure_of(rest)).reason is Reason.THROTTLED
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_nobody_at_the_address_is_a_network_failure(clock, scheme):
    """Tried again, as networks pass."""
    client = RestClient(f"{scheme}://127.0.0.1:{unused_port()}", lambda: TOKEN, clock)
    failure = await failure_of(client)
    await client.close()
    assert (failure.reason, failure.retryable) == (Reason.NETWORK, True)
    assert len(clock.waits) == 2


async def test_no_answer_in_time_is_a_failure(endpoint, clock):
    """Tried again too."""
    endpoint.answers = [Said(trouble="hang")]
    client = RestClient(endpoint.url, lambda: TOKEN, clock, timeout_s=0.05)
    failure = await failure_of(client)
    await client.close()
    assert failure.reason is Reason.TIMEOUT


@pytest.mark.parametrize("error", [OSError(2, "No such file"), ConfigurationInvalid("The file is gone")])
async def test_a_token_that_cannot_be_read_is_a_failure_with_its_cause(endpoint, clock, error):
    """Nothing is sent."""

    def unreadable() -> Secret:
        raise error

    failure = await failure_of(RestClient(endpoint.url, unreadable, clock))
    assert failure.reason is Reason.NOT_CONFIGURED
    assert str(error.args[-1]) in failure.message
    assert endpoint.requests == []


async def test_a_list_is_collected(rest):
    """See test_pages for everything about lists."""
    assert (await rest.collect("/services", "services")).items == [{"id": "P1"}]


@pytest.mark.parametrize("status", [302, 400, 401, 402, 403, 404, 408, 429, 500, 503])
async def test_no_failure_shows_the_token(rest, endpoint, status):
    """Though PagerDuty echo it, and also not in the errors behind the error."""
    echo = f"{TOKEN.reveal()} {TOKEN.reveal().upper()}"
    for body in ({"error": {"message": echo, "errors": [echo]}}, echo):
        endpoint.answers = [Said(status, body, {"ratelimit-reset": TOKEN.reveal()})]
        with structlog.testing.capture_logs() as logs:
            failure = await failure_of(rest)
        assert TOKEN.reveal().lower() not in f"{all_of(failure)} {logs}".lower()


async def test_no_lost_request_shows_the_token(clock):
    """The HTTP client's own errors know the request's headers; none hangs on ours."""
    client = RestClient(f"http://127.0.0.1:{unused_port()}", lambda: TOKEN, clock)
    failure = await failure_of(client)
    await client.close()
    assert TOKEN.reveal() not in all_of(failure)
    assert failure.__context__ is None


def all_of(error: BaseException | None) -> str:
    """Everything that a careless log could show of an error."""
    texts = []
    while error is not None:
        texts.append(f"{error} {error!r} {error.args} {vars(error)}")
        error = error.__cause__ or error.__context__
    return " ".join(texts)
