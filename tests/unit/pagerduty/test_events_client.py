"""Sending one event over a real connection."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
import structlog
from aiohttp.test_utils import unused_port

from masthead.kernel.errors import ConfigurationInvalid, InvalidRequest, Reason
from masthead.kernel.secret import Secret
from masthead.pagerduty import EventsClient, Outcome, Protocol, Withheld
from masthead.pagerduty.pool import PooledPoster
from unit.pagerduty.endpoint import KEY, TOKEN, Said, event


@pytest.fixture(autouse=True, params=["straight", "as through a proxy"])
def _way(request, monkeypatch):
    """Everything here holds on both ways to PagerDuty."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if request.param != "straight":
        monkeypatch.setattr(PooledPoster, "can_reach", staticmethod(lambda _: False))


@pytest.fixture
async def client(endpoint):
    built = EventsClient(endpoint.url + "/", token=lambda: TOKEN, timeout_s=5)
    yield built
    await built.close()


@pytest.mark.parametrize(
    ("protocol", "path", "status", "name"),
    [
        (Protocol.V1, "/generic/2010-04-15/create_event.json", 200, "incident_key"),
        (Protocol.V2, "/v2/enqueue", 202, "dedup_key"),
    ],
)
async def test_an_accepted_event_brings_its_key(client, endpoint, protocol, path, status, name):
    """One POST of JSON to the protocol's path, with Echo's Authorization header."""
    endpoint.answers = [Said(status, {"status": "success", "message": "Event processed", name: "k"})]
    answer = await client.send(event(protocol))
    assert (answer.outcome, answer.status, answer.reason, answer.text) == (
        Outcome.ACCEPTED,
        status,
        None,
        "Event processed",
    )
    assert answer.dedup_key == "k"
    request = endpoint.requests[0]
    assert (request.method, request.path) == ("POST", path)
    assert request.headers["Authorization"] == f"Token token={TOKEN.reveal()}"
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(endpoint.bodies[0])


async def test_what_may_not_be_sent_any_more_is_not(client, endpoint):
    """And is no answer of PagerDuty's."""
    with pytest.raises(Withheld):
        await client.send(event(), lambda: False)
    await client.send(event(), lambda: True)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_a_change_event_goes_to_its_own_path(client, endpoint, protocol):
    """And is throttled as v2 is, whatever the protocol of its key."""
    endpoint.answers = [
        Said(202, {"status": "success", "message": "Change event processed"}),
        Said(429, b""),
        Said(403, {"message": "no"}),
    ]
    answers = [await client.send(event(protocol, action="change")) for _ in range(3)]
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED, Outcome.RETRY, Outcome.REJECTED]
    assert {request.path for request in endpoint.requests} == {"/v2/change/enqueue"}


@pytest.mark.parametrize(("protocol", "name"), [(Protocol.V1, "service_key"), (Protocol.V2, "routing_key")])
async def test_a_key_is_checked_without_paging(client, endpoint, protocol, name):
    """By a resolve under a dedup key that nobody else can have."""
    endpoint.answers = [
        Said(202, {"status": "success"}),
        Said(400, {"message": "Event object is invalid", "errors": ["Invalid routing key"]}),
    ]
    assert (await client.check_key(KEY, protocol)).outcome is Outcome.ACCEPTED
    assert (await client.check_key(KEY, protocol)).reason is Reason.KEY
    sent = [json.loads(body) for body in endpoint.bodies]
    assert {body[name] for body in sent} == {KEY.reveal()}
    assert {body.get("event_action", body.get("event_type")) for body in sent} == {"resolve"}
    assert len({body.get("dedup_key", body.get("incident_key")) for body in sent}) == 2


@pytest.mark.parametrize(
    ("said", "outcome", "reason", "may_have_arrived"),
    [
        (
            Said(400, {"message": "Event object is invalid", "errors": ["Invalid routing key"]}),
            Outcome.REJECTED,
            Reason.KEY,
            False,
        ),
        (Said(404, "no such page"), Outcome.REJECTED, Reason.NOT_FOUND, False),
        (Said(429, b""), Outcome.RETRY, Reason.THROTTLED, False),
        (Said(500, "oops"), Outcome.RETRY, Reason.SERVER, True),
        (Said(202, '{"status":"succ'), Outcome.RETRY, Reason.ANSWER, True),
        (Said(202, b""), Outcome.RETRY, Reason.ANSWER, True),
        (Said(202, {"status": "invalid", "message": "no"}), Outcome.REJECTED, Reason.REJECTED, False),
        (Said(302, b"", {"Location": "/elsewhere"}), Outcome.RETRY, Reason.ANSWER, True),
        (Said(202, trouble="half"), Outcome.RETRY, Reason.NETWORK, True),
        (Said(202, trouble="reset"), Outcome.RETRY, Reason.NETWORK, True),
    ],
)
async def test_every_failure_is_an_answer(client, endpoint, said, outcome, reason, may_have_arrived):
    """With what it means, why, and whether PagerDuty may have taken the event; it is sent once."""
    endpoint.answers = [said]
    answer = await client.send(event())
    assert (answer.outcome, answer.reason, answer.may_have_arrived) == (outcome, reason, may_have_arrived)
    assert answer.text
    assert answer.duration_ms >= 0
    assert len(endpoint.requests) == 1


async def test_pagerdutys_words_come_with_what_to_do(client, endpoint):
    """An operator reads both."""
    endpoint.answers = [Said(400, {"message": "Event object is invalid", "errors": ["Invalid routing key"]})]
    text = (await client.send(event())).text
    assert text.startswith("Event object is invalid: Invalid routing key. Check that the integration")


async def test_v1_throttles_with_403_and_tells_when(client, endpoint):
    """Its body is plain text, and a Retry-After is honoured where one comes."""
    endpoint.answers = [Said(403, "Requests are arriving too quickly", {"Retry-After": "3"})]
    answer = await client.send(event(Protocol.V1))
    assert (answer.outcome, answer.reason, answer.retry_after) == (Outcome.RETRY, Reason.THROTTLED, 3)


async def test_no_answer_in_time_is_to_be_tried_again(endpoint):
    """It may have arrived."""
    endpoint.answers = [Said(trouble="hang")]
    client = EventsClient(endpoint.url, timeout_s=2)
    answer = await client.send(event())
    await client.close()
    assert (answer.outcome, answer.reason, answer.may_have_arrived) == (Outcome.RETRY, Reason.TIMEOUT, True)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:{port}", "127.0.0.1:{port} refused the connection. Check the network"),
        (
            "http://no-such-host.invalid",
            "no-such-host.invalid is a name that no name server here knows. Check",
        ),
        ("https://127.0.0.1:{port}", "127.0.0.1:{port} refused the connection. Check the network"),
    ],
)
async def test_no_connection_is_to_be_tried_again(url, words):
    """It cannot have arrived; a sentence names the host, and what to check."""
    port = unused_port()
    client = EventsClient(url.format(port=port), timeout_s=5)
    answer = await client.send(event())
    await client.close()
    assert (answer.outcome, answer.reason, answer.may_have_arrived) == (Outcome.RETRY, Reason.NETWORK, False)
    assert answer.text.startswith(words.format(port=port))


async def test_a_plain_port_behind_https_is_to_be_tried_again(endpoint):
    """TLS that fails is a connection that did not come about."""
    client = EventsClient(endpoint.url.replace("http:", "https:"), timeout_s=5)
    answer = await client.send(event())
    await client.close()
    assert (answer.outcome, answer.reason) == (Outcome.RETRY, Reason.NETWORK)


async def test_all_are_sent_at_once_up_to_the_limit(endpoint):
    """What waits its turn is sent later, over the same connections."""
    endpoint.together = 3
    client = EventsClient(endpoint.url, in_flight=3)
    answers = await asyncio.gather(*(client.send(event(dedup_key=str(number))) for number in range(20)))
    await client.close()
    assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
    assert endpoint.most_at_once == 3
    assert (
        len(
            {
                request.transport.get_extra_info("peername")
                for request in endpoint.requests
                if request.transport
            }
        )
        <= 3
    )


async def test_without_a_token_no_header_goes_out(endpoint):
    """The key in the body is all that PagerDuty asks for."""
    client = EventsClient(endpoint.url)
    await client.send(event())
    await client.close()
    assert "Authorization" not in endpoint.requests[0].headers


@pytest.mark.parametrize("error", [OSError(2, "No such file"), ConfigurationInvalid("gone")])
async def test_a_page_goes_out_though_its_token_cannot_be_read(endpoint, error):
    """The Events APIs need none; the loss is logged once."""

    def unreadable() -> Secret:
        raise error

    client = EventsClient(endpoint.url, token=unreadable)
    with structlog.testing.capture_logs() as logs:
        outcomes = {(await client.send(event())).outcome for _ in range(2)}
    await client.close()
    assert outcomes == {Outcome.ACCEPTED}
    assert [line["event"] for line in logs] == ["events.token-unreadable"]


async def test_a_token_that_no_header_can_carry_is_an_answer(endpoint):
    """A line break in it is refused before anything is sent."""
    client = EventsClient(endpoint.url, token=lambda: Secret("line\nbreak"))
    answer = await client.send(event())
    await client.close()
    assert (answer.outcome, answer.may_have_arrived) == (Outcome.RETRY, False)
    assert "break" not in answer.text
    assert endpoint.requests == []


async def test_details_that_are_not_json_are_raised(client):
    """That is the caller's mistake, not PagerDuty's."""
    with pytest.raises(InvalidRequest):
        await client.send(event(details={"a": object()}))


@pytest.mark.parametrize(
    ("status", "words"),
    [(429, "HTTP 429 Too Many Requests"), (503, "HTTP 503 Service Unavailable"), (599, "HTTP 599")],
)
async def test_a_status_without_words_is_told_as_http_calls_it(client, endpoint, status, words):
    """A number alone says nothing to who waits for a page to go out."""
    endpoint.answers = [Said(status, b"")]
    assert (await client.send(event())).text == words


async def test_a_redirect_carries_no_key_elsewhere(client, endpoint):
    """The other address is never asked."""
    endpoint.answers = [Said(307, b"", {"Location": endpoint.url + "/elsewhere"})]
    await client.send(event())
    assert [request.path for request in endpoint.requests] == ["/v2/enqueue"]


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 408, 429, 500, 503])
async def test_no_answer_shows_a_secret(client, endpoint, protocol, status):
    """Though PagerDuty echo key and token in every way, neither text, representation nor log holds them."""
    echo = f"{KEY.reveal()} {KEY.reveal().upper()} Token token={TOKEN.reveal()}"
    for body in ({"status": echo, "message": echo, "errors": [echo]}, echo, f"<p>{echo}</p>"):
        endpoint.answers = [Said(status, body, {"Retry-After": TOKEN.reveal()})]
        with structlog.testing.capture_logs() as logs:
            answer = await client.send(event(protocol))
        seen = f"{answer!r} {msgspec.structs.astuple(answer)} {event(protocol)!r} {logs}".lower()
        assert KEY.reveal() not in seen
        assert TOKEN.reveal().lower() not in seen


async def test_an_answer_that_is_no_http_shows_no_secret():
    """The HTTP client quotes what it could not read."""

    async def babble(_reader, writer):
        writer.write(f"HTTP/1.1 200 OK\r\n{KEY.reveal()} {TOKEN.reveal()}\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    client = EventsClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", token=lambda: TOKEN)
    answer = await client.send(event())
    await client.close()
    server.close()
    assert (answer.outcome, answer.reason) == (Outcome.RETRY, Reason.NETWORK)
    assert KEY.reveal() not in answer.text
    assert TOKEN.reveal() not in answer.text


async def test_closing_twice_is_harmless(client):
    """And so is closing what never connected."""
    await client.close()
    await client.close()
