"""Echo's door: who is paged, what is answered, and that no key is."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from masthead.kernel.errors import Reason
from masthead.pagerduty import Answer, Outcome, Protocol, Severity
from masthead.pagerduty.fakes import ACCEPT, REJECT, THROTTLE
from masthead.paging import DeliveryState
from masthead.storage.schema import page as page_table
from support.doors import CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY, running_house

ODD = Answer(Outcome.REJECTED, 200, Reason.ANSWER, None, "status is not success", 1)


def notification(*keys: str, **changes) -> dict:
    return {
        "notificationType": "PAGER_DUTY",
        "to": list(keys),
        "source": {"user": "ann@example.com"},
        "additionalContext": {"message": "db down", "details": {"from": "ann@example.com"}},
        **changes,
    }


@pytest.fixture
def post(client):
    async def send(*keys: str, path: str = "/echo/notifications", **changes):
        return await client.post(path, json=notification(*keys, **changes))

    return send


async def test_a_page_that_pagerduty_took_is_echos_200(post, house):
    """The body is upstream's; the page's id stands in a header."""
    answer = await post(CHECKOUT_KEY, PAYMENTS_KEY, CHECKOUT_KEY)
    assert (answer.status_code, answer.json()) == (200, {"value": None})
    assert answer.headers["x-masthead-pending"] == "0"
    assert [event.routing_key.reveal() for event in house.sender.sent] == [CHECKOUT_KEY, PAYMENTS_KEY]
    assert [event.protocol for event in house.sender.sent] == [Protocol.V2, Protocol.V1]
    assert {event.client for event in house.sender.sent} == {"Spinnaker (ann@example.com)"}
    page = (await house.client.get(f"/v1/pages/{answer.headers['x-masthead-page']}")).json()
    assert [one["service"] for one in page["deliveries"]] == ["Checkout", "Payments"]


async def test_a_partial_failure_names_the_service(post, house):
    """Echo's sentence with its two spaces, the service in the key's place."""
    house.sender.answer(PAYMENTS_KEY, REJECT)
    answer = await post(CHECKOUT_KEY, PAYMENTS_KEY)
    assert answer.status_code == 400
    body = answer.json()
    assert body["exception"] == "com.netflix.spinnaker.echo.pagerduty.PagerDutyException"
    assert body["message"].startswith("Some notifications succeeded, but the following failed:  Payments: ")
    assert body["message"].endswith(".")
    assert PAYMENTS_KEY not in answer.text


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ((CHECKOUT_KEY, UNKNOWN_KEY), "There were issues with the request sent to PagerDuty:  "),
        (
            (CHECKOUT_KEY, UNKNOWN_KEY, PAYMENTS_KEY),
            "Some notifications succeeded, but the following failed:  ",
        ),
    ],
)
async def test_what_is_still_tried_did_not_succeed(database, keys, sentence):
    """Only what PagerDuty took did; what waits is named, after upstream's words for what was refused."""
    async with running_house(database, echo={"wait_s": 0.0}) as house:
        house.sender.answer(CHECKOUT_KEY, THROTTLE)
        house.sender.answer(UNKNOWN_KEY, REJECT)
        first = await house.client.post("/echo/notifications", json=notification(*keys))
        page_id = first.headers["x-masthead-page"]
        while len((await house.services.paging.wait(page_id, 0.01)).in_state(DeliveryState.PENDING)) > 1:
            pass
        answer = await house.client.post("/echo/notifications", json=notification(*keys))
    assert answer.headers["x-masthead-page"] == page_id
    assert (answer.status_code, answer.headers["x-masthead-pending"]) == (400, "1")
    assert answer.json()["message"] == (
        f"{sentence}key …9999: Invalid routing key. "
        "PagerDuty has not yet taken the page for Checkout; Masthead goes on trying."
    )


async def test_the_pages_own_keys_stand_nowhere_in_its_words(client, house):
    """Whoever put one into a text: what is stored, shown and sent has its end in its place."""
    text = f"see x{CHECKOUT_KEY}x"
    body = notification(
        CHECKOUT_KEY,
        source={"user": f"bob {text}", "application": text, "executionId": text},
        additionalContext={"message": text, "details": {text: [{"a": text}], "n": 1}},
    )
    answer = await client.post("/echo/notifications", json=body, headers={"X-SPINNAKER-USER": text})
    page = await client.get(f"/v1/pages/{answer.headers['x-masthead-page']}")
    (event,) = house.sender.sent
    rows = await house.services.audit._database.read(lambda c: c.execute(select(page_table)).all())
    shown = "see xkey …ee01x"
    assert (page.json()["message"], page.json()["user"], page.json()["executionId"]) == (shown,) * 3
    assert (event.summary, event.details) == (shown, {shown: [{"a": shown}], "n": 1})
    for written in (page.text, str(rows), repr(event.details), event.client):
        assert CHECKOUT_KEY not in written


async def test_a_refusal_is_not_repeated_from_memory(post, house):
    """PagerDuty is asked again, and whoever it takes is paged; then the same notification is the same page."""
    house.sender.answer(CHECKOUT_KEY, REJECT, ACCEPT)
    answers = [await post(CHECKOUT_KEY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 200, 200]
    assert len(house.sender.sent) == 2


async def test_who_asks_is_part_of_what_is_recognised(post, house):
    """Two people who page with the same words are two pages."""
    await post(CHECKOUT_KEY)
    await post(CHECKOUT_KEY, source={"user": "bob@example.com"})
    assert [event.client for event in house.sender.sent] == [
        "Spinnaker (ann@example.com)",
        "Spinnaker (bob@example.com)",
    ]


@pytest.mark.parametrize("keys", [("tooshort",), (PAYMENTS_KEY + "0", "x"), (PAYMENTS_KEY[:-1] + "-",)])
async def test_keys_that_can_be_none_are_refused(post, house, keys):
    """Upstream answers 400 too, in PagerDuty's words; here nothing is stored and nothing sent."""
    answer = await post(*keys)
    body = answer.json()
    assert (answer.status_code, body["pointer"], len(body.get("errors", [0]))) == (400, "/to/0", len(keys))
    assert keys[0] not in answer.text
    assert house.sender.sent == []
    assert (await house.client.get("/v1/pages")).json()["pages"] == []


async def test_a_key_that_can_be_none_keeps_nobody_else_asleep(post, house):
    """Beside one that can be it is told as upstream tells it: the others are woken."""
    house.sender.answer("tooshort", REJECT)
    answer = await post(CHECKOUT_KEY, "tooshort")
    assert answer.json()["message"].startswith(
        "Some notifications succeeded, but the following failed:  key …: "
    )
    assert house.sender.sent[0].routing_key.reveal() == CHECKOUT_KEY


async def test_a_key_that_nobody_knows_is_shown_by_its_end(post, house):
    """Enough to recognise it, too little to use it."""
    house.sender.answer(UNKNOWN_KEY, REJECT)
    answer = await post(UNKNOWN_KEY)
    assert answer.json()["message"].startswith(
        "There were issues with the request sent to PagerDuty:  key …9999: "
    )
    assert UNKNOWN_KEY not in answer.text


async def test_an_odd_success_is_pagerdutys_problem(post, house):
    """A 2xx that does not say success is told apart from a failed request, as upstream does."""
    house.sender.answer(CHECKOUT_KEY, ODD)
    answer = await post(CHECKOUT_KEY)
    assert answer.json()["message"].startswith("There were problems with PagerDuty:  Checkout: ")


async def test_what_is_still_tried_is_a_202(database):
    """The caller's patience ends, the page does not."""
    async with running_house(database, echo={"wait_s": 0.0}) as house:
        house.sender.answer(CHECKOUT_KEY, THROTTLE)
        answer = await house.client.post("/echo/notifications", json=notification(CHECKOUT_KEY, PAYMENTS_KEY))
        pending = int(answer.headers["x-masthead-pending"])
        assert (answer.status_code, answer.json()["pending"]) == (202, pending)
        page = await house.client.get(f"/v1/pages/{answer.json()['page']}")
        assert len(page.json()["deliveries"]) == 2


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, Severity.CRITICAL),
        ({"severity": "HIGH"}, Severity.CRITICAL),
        ({"severity": "NORMAL"}, Severity.ERROR),
        ({"severity": "NORMAL", "additionalContext": {"message": "m", "severity": "info"}}, Severity.INFO),
    ],
)
async def test_severity(post, house, changes, severity):
    """HIGH is critical, NORMAL is error, the context wins, and silence is the default."""
    assert (await post(CHECKOUT_KEY, **changes)).status_code == 200
    assert house.sender.sent[0].severity is severity


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"severity": "high"}, "/severity"),
        ({"additionalContext": {"message": "m", "severity": "urgent"}}, "/additionalContext/severity"),
        ({"additionalContext": {"message": " "}}, "/additionalContext/message"),
        ({"additionalContext": {}}, "/additionalContext/message"),
        ({"additionalContext": {"message": ["m"]}}, "/additionalContext/message"),
        ({"additionalContext": {"message": "m", "details": "text"}}, "/additionalContext/details"),
        ({"additionalContext": []}, "/additionalContext"),
        ({"source": "ann"}, "/source"),
        ({"source": {"user": 1}}, "/source/user"),
        ({"to": "KEY"}, "/to"),
        ({"to": [CHECKOUT_KEY, " "]}, "/to/1"),
        ({"to": [1]}, "/to/0"),
        ({"to": []}, "/to"),
        ({"to": None}, "/to"),
        ({"notificationType": None}, "/notificationType"),
        ({"notificationType": "SLACK"}, "/notificationType"),
        ({"useInteractiveBot": True}, "/useInteractiveBot"),
        ({"interactiveActions": {"actions": [{"type": "button"}]}}, "/interactiveActions"),
    ],
)
async def test_what_cannot_be_sent_is_refused_and_nobody_is_woken(post, house, changes, pointer):
    """400 with the field's place; where upstream drops in silence, what is sent here is named."""
    answer = await post(CHECKOUT_KEY, **changes)
    assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)
    assert house.sender.sent == []
    if "nteractive" in pointer or pointer == "/notificationType":
        assert "PAGER_DUTY" in answer.json()["message"]


async def test_source_and_details_may_be_missing(client, house):
    """Upstream fails with 500; the caller's name stands in."""
    body = {"notificationType": "pager_duty", "to": [CHECKOUT_KEY], "additionalContext": {"message": "m"}}
    answer = await client.post("/echo/notifications", json=body, headers={"X-SPINNAKER-USER": "bob"})
    assert answer.status_code == 200
    assert house.sender.sent[0].client == "Spinnaker (bob)"


@pytest.mark.parametrize(
    ("header", "user", "expected"),
    [
        (None, " ann@example.com\n", "ann@example.com"),
        ("bob", "ann@example.com", "bob"),
        ("anonymous", "ann@example.com", "ann@example.com"),
        (None, None, "anonymous"),
        (None, " \t", "anonymous"),
        (None, "x" * 300, "x" * 255),
    ],
)
async def test_who_the_body_names_stands_in_the_audit(client, header, user, expected):
    """Orca fills source.user, and not always the header; the header goes before it."""
    headers = {"X-SPINNAKER-USER": header} if header else {}
    answer = await client.post(
        "/echo/notifications", json=notification(CHECKOUT_KEY, source={"user": user}), headers=headers
    )
    page = (await client.get(f"/v1/pages/{answer.headers['x-masthead-page']}")).json()
    assert page["user"] == expected


async def test_switched_off_is_refused_with_the_remedy(database):
    """Nobody should think that somebody was woken."""
    async with running_house(database, events={"enabled": False}) as house:
        answer = await house.client.post("/echo/notifications", json=notification(CHECKOUT_KEY))
        assert answer.status_code == 400
        assert "pager-duty.enabled" in answer.json()["message"]
        assert house.sender.sent == []


@pytest.mark.parametrize("changes", [{"notificationType": "SLACK"}, {"to": []}, {"useInteractiveBot": True}])
async def test_the_setting_brings_upstreams_silence_back(database, changes):
    """echo.unhandled: drop answers an empty 200."""
    async with running_house(database, echo={"unhandled": "drop"}) as house:
        answer = await house.client.post("/echo/notifications", json=notification(CHECKOUT_KEY, **changes))
        assert (answer.status_code, answer.content) == (200, b"")
        assert house.sender.sent == []


async def test_events_are_taken_and_forgotten(client):
    """An Orca that sends its events here goes on undisturbed."""
    for path in ("/echo", "/echo/"):
        answer = await client.post(path, json={"details": {"type": "orca:pipeline:complete"}, "content": {}})
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("prefix", ["/echo", ""])
async def test_there_is_no_interactive_service(client, prefix):
    """Echo's own words, relayed by Gate."""
    answer = await client.post(f"{prefix}/notifications/callbacks/slack")
    assert (answer.status_code, answer.json()["message"]) == (
        404,
        "NotificationService for SLACK not registered",
    )
