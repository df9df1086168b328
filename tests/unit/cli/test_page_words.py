"""What people read about a page, in the middle of the night."""

from __future__ import annotations

import httpx
import pytest

from masthead.cli.page_words import DeliveryNews, has_woken_nobody, in_short, incident_line, page_lines

UNKNOWN = {
    "state": "unknown",
    "reason": None,
    "isInferred": False,
    "number": None,
    "url": None,
    "assignee": None,
}
TRIGGERED = UNKNOWN | {
    "state": "triggered",
    "number": 12,
    "url": "https://acme.pagerduty.com/incidents/Q1",
    "assignee": "Ann Lee",
}


def delivery(**changes) -> dict:
    return {
        "id": "D1",
        "service": "Checkout",
        "serviceId": "P1",
        "action": "trigger",
        "state": "accepted",
        "text": "Event processed",
        "incident": UNKNOWN,
        **changes,
    }


def page(*deliveries: dict, **changes) -> dict:
    return {
        "id": "01J",
        "kind": "trigger",
        "message": "db down",
        "severity": "critical",
        "user": "ann@example.com",
        "address": "10.0.0.7",
        "door": "v1",
        "application": "demo",
        "executionId": None,
        "stageId": None,
        "details": {},
        "links": [],
        "createdAt": "2026-11-24T03:04:05.678+00:00",
        "deliveries": list(deliveries),
        "followUps": [],
        **changes,
    }


def text(shown: dict) -> str:
    return "\n".join(page_lines(shown))


def test_a_page_begins_with_what_was_said_and_who_asked_from_where():
    """Message, severity, user, address, door, application, time; then what came along."""
    shown = page(
        happenedAt="2026-11-24T03:00:00.000+00:00",
        executionId="E1",
        stageId="S1",
        details={"from": "Ann", "run": 7, "deep": {"ü": 1}},
        links=[{"href": "https://a", "text": "Runbook"}, {"href": "https://b", "text": ""}],
    )
    assert text(shown).splitlines() == [
        "db down",
        "  critical, page 01J",
        "  asked by ann@example.com from 10.0.0.7, through POST /v1/pages, for application demo, 2026-11-24 03:04:05 UTC",
        "  happened 2026-11-24 03:00:00 UTC",
        "  execution E1, stage S1",
        "  from: Ann",
        "  run: 7",
        '  deep: {"ü": 1}',
        "  https://a (Runbook)",
        "  https://b",
    ]


@pytest.mark.parametrize(
    ("incident", "says"),
    [
        (
            TRIGGERED,
            "  incident #12 is triggered, assigned to Ann Lee\n  https://acme.pagerduty.com/incidents/Q1",
        ),
        (TRIGGERED | {"state": "resolved", "assignee": None, "url": None}, "  incident #12 is resolved"),
        (UNKNOWN, "  whether an incident was opened is not known"),
        (
            UNKNOWN | {"state": "not-opened", "reason": "maintenance"},
            "  no incident was opened: the service is in maintenance",
        ),
        (
            UNKNOWN | {"state": "not-opened", "reason": "nobody-on-call", "isInferred": True},
            "  no incident was opened: nobody is on call (most likely)",
        ),
        (UNKNOWN | {"state": "not-opened"}, "  no incident was opened: nobody knows why"),
    ],
)
def test_an_accepted_delivery_tells_what_became_of_it(incident, says):
    """The incident with its number and who has it, or why there is none."""
    shown = text(page(delivery(incident=incident)))
    assert shown.endswith(f"\nCheckout: PagerDuty accepted the page\n{says}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"state": "rejected", "text": "Invalid routing key"},
            "Checkout: PagerDuty refused the page: Invalid routing key",
        ),
        ({"state": "pending", "text": ""}, "Checkout: still being tried"),
        (
            {"state": "expired", "text": "Given up after 60 minutes."},
            "Checkout: nobody was reached in time, and Masthead gave up: Given up after 60 minutes.",
        ),
    ],
)
def test_a_delivery_that_is_not_accepted_tells_why(change, says):
    """In PagerDuty's own words."""
    assert says in text(page(delivery(incident=None, **change))).splitlines()


def test_what_is_still_tried_says_until_when():
    """Its deadline, so that people know how long to wait for it."""
    waiting = delivery(
        state="pending", text="HTTP 503", incident=None, deadlineAt="2026-11-24T04:04:05.678+00:00"
    )
    assert text(page(waiting)).endswith(
        "\nCheckout: still being tried until 2026-11-24 04:04:05 UTC: HTTP 503"
    )


def test_that_an_earlier_attempt_had_arrived_is_told():
    """No attempt says so: its answer was lost, and the incident was found."""
    lost = {
        "at": "2026-11-24T03:04:05.700+00:00",
        "protocol": "v2",
        "status": None,
        "durationMs": 5000,
        "text": "no answer in time",
    }
    found = "An earlier attempt had arrived although its answer was lost: it opened incident #12."
    shown = text(page(delivery(attemptLog=[lost], isUncertain=True, text=found, incident=TRIGGERED)))
    assert f"\nCheckout: PagerDuty accepted the page\n  {found}\n  incident #12" in shown
    again = [lost, lost | {"status": 202, "text": "Event processed"}]
    assert text(page(delivery(attemptLog=again, isUncertain=True))).count("Event processed") == 1


def test_services_of_several_accounts_are_told_apart():
    """Two accounts may have one of the same name; where there is only one account nobody reads its name."""
    both = page(delivery(account="default", incident=None), delivery(account="eu", incident=None))
    assert in_short(both) == "Checkout: accepted; Checkout (eu): accepted"
    assert text(both).splitlines()[-3:] == [
        "Checkout: PagerDuty accepted the page",
        "",
        "Checkout (eu): PagerDuty accepted the page",
    ]
    assert incident_line(delivery(account="eu")) == "Checkout (eu): PagerDuty shows no incident so far"


@pytest.mark.parametrize(
    ("kind", "state", "asked", "says"),
    [
        ("change", "accepted", "as a change event", "PagerDuty accepted the change event"),
        (
            "change",
            "expired",
            "as a change event",
            "PagerDuty was not reached in time, and Masthead gave up: T",
        ),
        ("resolve", "rejected", "to resolve a page", "PagerDuty refused the resolve: T"),
        ("acknowledge", "accepted", "to acknowledge a page", "PagerDuty accepted the acknowledge"),
    ],
)
def test_what_is_no_page_is_not_called_one(kind, state, asked, says):
    """A change event wakes nobody; a resolve is none."""
    shown = text(page(delivery(action=kind, state=state, text="T", incident=None), kind=kind))
    assert f", {asked}, for application demo" in shown
    assert shown.endswith(f"\nCheckout: {says}")


def test_every_attempt_is_told():
    """When, over which protocol, what PagerDuty answered, after how long."""
    log = [
        {
            "at": "2026-11-24T03:04:05.700+00:00",
            "protocol": "v2",
            "status": None,
            "durationMs": 5000,
            "text": "no answer in time",
        },
        {
            "at": "2026-11-24T03:04:12.000+00:00",
            "protocol": "v2",
            "status": 202,
            "durationMs": 85,
            "text": "Event processed",
        },
    ]
    assert text(page(delivery(attemptLog=log))).splitlines()[-2:] == [
        "  2026-11-24 03:04:05 UTC  Events v2  no answer  5000 ms  no answer in time",
        "  2026-11-24 03:04:12 UTC  Events v2  202  85 ms  Event processed",
    ]


def test_what_was_told_together_says_so():
    """Of the one that was folded, and of the one that spoke for it."""
    assert "told together with page 01X" in text(page(delivery(toldBy="01X")))
    assert "spoke for 1 other page that" in text(page(delivery(speaksFor=1)))
    assert "spoke for 2 other pages that" in text(page(delivery(speaksFor=2)))


def test_follow_ups_are_told_with_who_asked():
    """Oldest first, as the server gives them; what failed of them says why."""
    resolve = page(
        delivery(action="resolve", state="rejected", text="no", incident=None), kind="resolve", user="bob"
    )
    resend = page(kind="resend", address="")
    shown = text(page(delivery(), followUps=[resend, resolve])).splitlines()
    assert shown[-4:] == [
        "Sent again by ann@example.com, 2026-11-24 03:04:05 UTC",
        "",
        "Resolved by bob from 10.0.0.7, 2026-11-24 03:04:05 UTC",
        "  Checkout: rejected: no",
    ]


def test_in_a_table_a_page_is_a_few_words():
    """The first deliveries, each with its incident if there is one."""
    none = UNKNOWN | {"state": "not-opened"}
    deliveries = [
        delivery(incident=TRIGGERED),
        delivery(service="Mail", incident=none),
        delivery(service="Search", state="pending", incident=None),
        delivery(service="Pay"),
        delivery(service="Cart"),
    ]
    assert in_short(page(*deliveries)) == (
        "Checkout: #12 triggered; Mail: no incident was opened; Search: pending; and 2 more"
    )
    assert in_short(page(delivery())) == "Checkout: accepted"
    assert in_short(page(kind="resend", parentId="01X")) == "sent again what had failed of page 01X"


def test_news_name_who_is_on_call(client, scripted):
    """Asked for once; nobody's name where the catalog knows none."""
    scripted.answers["GET", "/v1/services/P1"] = {"onCall": [{"user": "Ann Lee", "level": 1}]}
    scripted.answers["GET", "/v1/services/P2"] = httpx.Response(404, json={"message": "gone"})
    news = DeliveryNews(client)
    assert news.line(delivery()) == "Checkout: PagerDuty accepted the page; on call: Ann Lee"
    assert news.line(delivery()) == news.line(delivery())
    assert news.line(delivery(serviceId="P2")) == "Checkout: PagerDuty accepted the page"
    assert news.line(delivery(serviceId=None)) == "Checkout: PagerDuty accepted the page"
    assert news.line(delivery(state="pending", text="")) == ""
    assert news.line(delivery(state="pending", text="HTTP 429")) == "Checkout: still being tried (HTTP 429)"
    assert len(scripted.asked) == 2


@pytest.mark.parametrize(
    ("service", "read_at", "end"),
    [
        ({"onCall": [], "warning": "it is disabled"}, "2026", ", but it is disabled"),
        ({"onCall": []}, "2026", ", but nobody is on call for it, and then it opens no incident"),
        ({"onCall": []}, None, ""),
        (
            {"onCall": [{"user": "Bob", "level": 2}]},
            "2026",
            "; nobody is on call at level 1, PagerDuty tells the next level",
        ),
    ],
)
def test_news_say_why_nobody_may_be_woken(client, scripted, service, read_at, end):
    """What the catalog knows is said at once; where the on-calls were never read, nothing is."""
    scripted.answers["GET", "/v1/services/P1"] = service
    scripted.answers["GET", "/v1/catalog"] = {"oncallsFetchedAt": read_at}
    assert DeliveryNews(client).line(delivery()) == f"Checkout: PagerDuty accepted the page{end}"


def test_a_page_that_woke_nobody_is_told_apart():
    """An incident that was open already has somebody; none at all has nobody."""
    gone = UNKNOWN | {"state": "not-opened", "reason": "disabled"}
    assert (
        incident_line(delivery(incident=gone)) == "Checkout: no incident was opened: the service is disabled"
    )
    assert incident_line(delivery()) == "Checkout: PagerDuty shows no incident so far"
    told = [
        has_woken_nobody(delivery(incident=one)) for one in (gone, gone | {"reason": "already-open"}, UNKNOWN)
    ]
    assert told == [True, False, False]
