"""The pages under /ui/pages: what was paged, what became of it, and what can still be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest
from msgspec.structs import replace

from masthead.api import create_app
from masthead.kernel.caller import Caller
from masthead.kernel.secret import Secret
from masthead.pagerduty import Severity
from masthead.paging import DeliveryState, Door, Draft, Incident, IncidentState, Kind, NotOpened, Page
from masthead.web import pages
from masthead.web.audit import deeds_of, fate_of
from support.doors import CHECKOUT_KEY, House, client_of, web_services

ANN = Caller(user="ann@example.com")


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    services = house.services
    async with client_of(create_app(services, mounts=pages(web_services(house)))) as client:
        yield client


async def paged(house: House, message: str = "The <b>checkout</b> is down", **changes) -> Page:
    values = {"door": Door.V1, "application": "demo", "severity": Severity.CRITICAL}
    draft = Draft(keys=(Secret(CHECKOUT_KEY),), message=message, **values | changes)
    asked = await house.services.paging.request(draft, ANN)
    return await house.services.paging.wait(asked.id, 20)


async def test_without_a_page_the_list_says_how_to_begin(browser):
    """In words for somebody who has a browser: the pager says who would be woken before anybody is."""
    text = (await browser.get("/ui/pages")).text
    assert "Nobody has been paged yet." in text
    assert "names everybody who would be woken" in text
    assert "masthead page" not in text


async def test_the_list_tells_what_was_said_and_what_became_of_it(house, browser):
    """Escaped, with the service's name and never the key."""
    page = await paged(house)
    answer = await browser.get("/ui/pages")
    assert "The &lt;b&gt;checkout&lt;/b&gt; is down" in answer.text
    assert f'href="/ui/pages/{page.id}"' in answer.text
    assert "accepted by PagerDuty" in answer.text
    assert CHECKOUT_KEY not in answer.text
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("application=demo", True),
        ("application=other", False),
        ("text=checkout", True),
        ("text=nothing", False),
        ("state=accepted", True),
        ("state=expired", False),
        ("service=Checkout&application=&text=", True),
        ("user=ann@example.com", True),
        ("user=bob", False),
        ("severity=critical", True),
        ("severity=info", False),
        ("since=1h", True),
        ("until=2020-01-01T00:00", False),
    ],
)
async def test_filters_stand_in_the_address_and_in_the_form(house, browser, query, is_there):
    """An empty field filters nothing; the exports have the same filters."""
    await paged(house)
    text = (await browser.get(f"/ui/pages?{query}")).text
    assert ("is down" in text) is is_there
    name, _, value = query.partition("&")[0].partition("=")
    assert f"/v1/pages.csv?{urlencode({name: value})}" in text
    assert ("No page matches" in text) is not is_there


async def test_a_state_that_is_none_is_said(browser):
    """What was typed is kept."""
    answer = await browser.get("/ui/pages?state=odd&text=db")
    assert answer.status_code == 400
    assert "there are pending, accepted, rejected, expired." in answer.text
    assert 'value="db"' in answer.text


async def test_more_than_one_screen_goes_on(house, browser):
    """With the filters kept."""
    for number in range(51):
        await paged(house, f"page {number}")
    first = (await browser.get("/ui/pages?application=demo")).text
    assert first.count('<th scope="row">') == 50
    older = first.partition('href="?application=demo&amp;cursor=')[2].partition('"')[0]
    second = (await browser.get(f"/ui/pages?application=demo&cursor={older}")).text
    assert second.count('<th scope="row">') == 1
    assert ">page 0</a>" in second
    assert "Newest" in second


async def test_of_very_many_details_the_first_are_shown(house, browser):
    """A page of hundreds of thousands took seconds in which nobody else was answered; all of them are at the API."""
    page = await paged(house, details={f"k{n:03}": "<v>" for n in range(300)} | {"k000": "y" * 30_000})
    text = (await browser.get(f"/ui/pages/{page.id}")).text
    assert text.count('<dd class="said-in-full">') == 200
    assert "y" * 19_999 + "…</dd>" in text
    assert "The first 200 of 300 entries." in text
    assert f'<a href="/v1/pages/{page.id}">All of it as JSON</a>' in text
    few = await paged(house, details={"a": {"b": "<c>"}})
    text = (await browser.get(f"/ui/pages/{few.id}")).text
    assert '<code>{"b": "\\u003cc\\u003e"}</code>' in text
    assert "All of it as JSON" not in text


async def test_a_page_shows_every_attempt_and_what_can_be_done(house, browser):
    """Who asked, what PagerDuty said, the details, whose addresses are links."""
    details = {
        "build": "42",
        "runbook": "see https://wiki.example.com/a?b=1&c=2.",
        "odd": "javascript:alert(1) <b>",
    }
    page = await paged(house, details=details)
    text = (await browser.get(f"/ui/pages/{page.id}")).text
    for part in (
        "ann@example.com",
        "Event processed",
        "Checkout",
        '<dt>build</dt><dd class="said-in-full">42</dd>',
        'see <a href="https://wiki.example.com/a?b=1&amp;c=2" rel="noreferrer">https://wiki.example.com/a?b=1&amp;c=2</a>.',
        "javascript:alert(1) &lt;b&gt;</dd>",
        "Acknowledge",
        "Resolve",
    ):
        assert part in text
    assert "again</button>" not in text
    assert CHECKOUT_KEY not in text
    assert text.partition('id="deliveries"')[2].partition("<table")[2].count("accepted by PagerDuty") == 1


@pytest.mark.parametrize(
    ("state", "deeds"),
    [
        (IncidentState.UNKNOWN, {"acknowledge", "resolve"}),
        (IncidentState.TRIGGERED, {"acknowledge", "resolve"}),
        (IncidentState.ACKNOWLEDGED, {"resolve"}),
        (IncidentState.RESOLVED, set()),
        (IncidentState.NOT_OPENED, set()),
    ],
)
async def test_only_what_still_changes_something_is_offered(house, state, deeds):
    """Nobody is offered to acknowledge what somebody has acknowledged."""
    page = await paged(house)
    told = tuple(replace(one, incident=Incident(state)) for one in page.deliveries)
    assert deeds_of(replace(page, deliveries=told)) == deeds


async def test_a_page_is_resolved_by_a_button(house, browser):
    """The answer leads back, so that loading it again resolves nothing twice."""
    page = await paged(house)
    answer = await browser.post(f"/ui/pages/{page.id}/resolve", headers={"X-SPINNAKER-USER": "bob"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/pages/{page.id}")
    text = (await browser.get(f"/ui/pages/{page.id}")).text
    assert "bob: <a" in text
    assert ">resolve</a>" in text


async def test_what_cannot_be_done_is_said_on_the_page(house, browser):
    """Nothing failed, so nothing is sent again."""
    page = await paged(house)
    answer = await browser.post(f"/ui/pages/{page.id}/resend")
    assert answer.status_code == 409
    assert "Nothing was done." in answer.text
    assert "page anew" in answer.text


async def test_another_origin_may_not_press_a_button(house, browser):
    """A web page of elsewhere cannot wake or silence anybody."""
    page = await paged(house)
    answer = await browser.post(
        f"/ui/pages/{page.id}/resolve", headers={"Origin": "https://evil.example", "Host": "masthead"}
    )
    assert answer.status_code == 403


async def test_a_page_that_is_not_there_is_said(browser):
    """As a page for people."""
    answer = await browser.get("/ui/pages/nope")
    assert answer.status_code == 404
    assert "There is no such" in answer.text


@pytest.mark.parametrize(
    ("changes", "word", "kind"),
    [
        ({"state": DeliveryState.PENDING}, "being sent", "running"),
        ({"state": DeliveryState.REJECTED}, "refused", "failed"),
        ({"state": DeliveryState.EXPIRED}, "given up", "failed"),
        ({}, "accepted by PagerDuty", "neutral"),
        ({"incident": Incident(IncidentState.TRIGGERED, number=7)}, "incident #7 triggered", "warning"),
        (
            {"incident": Incident(IncidentState.ACKNOWLEDGED, number=7, assignee="Ann")},
            "incident #7 acknowledged by Ann",
            "succeeded",
        ),
        ({"incident": Incident(IncidentState.RESOLVED, number=7)}, "incident #7 resolved", "succeeded"),
        ({"incident": Incident(IncidentState.NOT_OPENED, NotOpened.DISABLED)}, "no incident", "failed"),
    ],
)
async def test_nothing_is_called_done_that_is_not_known(house, changes, word, kind):
    """Four states, four words; a tick only for what somebody has in hand."""
    page = await paged(house)
    assert page.kind is Kind.TRIGGER
    fate = fate_of(replace(page.deliveries[0], **changes))
    assert (fate.word, fate.kind) == (word, kind)
