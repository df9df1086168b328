"""Paging by hand: the pager's list, what is chosen, who will be woken, and sending it once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from masthead.api import create_app
from masthead.paging import Door
from masthead.paging.filters import Filters
from masthead.web import pages
from support.commits import commits_lose_their_answer
from support.doors import CHECKOUT_KEY, PAYMENTS_KEY, House, client_of, web_services


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(house.services, mounts=pages(web_services(house)))) as client:
        yield client


async def all_pages(house: House) -> tuple[Any, ...]:
    return (await house.services.audit.find(Filters(), limit=10)).pages


async def form_of(browser: httpx.AsyncClient, query: str = "service=PSVC01") -> dict[str, Any]:
    """Give the fields of the dialog as a browser would post them."""
    text = (await browser.get(f"/ui/page/confirm?{query}")).text
    once = re.search(r'name="once" value="([^"]+)"', text)
    assert once is not None
    return {"once": once[1], "service": "PSVC01", "subject": "Down", "details": "", "severity": "critical"}


async def test_every_service_stands_in_the_list(house, browser):
    """With its applications, who is on call by level, and why one cannot be chosen; without a key."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = (await browser.get("/ui/page")).text
    for part in (
        "Checkout",
        "demo",
        "Ada Lovelace",
        "Grace Hopper",
        "2026-11-01",
        "it has no integration",
        "it is disabled",
    ):
        assert part in text
    assert text.count('type="checkbox" name="service"') == 3
    assert re.search(r'value="PSVC03"[^>]* disabled>', text)
    assert CHECKOUT_KEY not in text
    assert PAYMENTS_KEY not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=lovelace", {"PSVC01"}),
        ("q=demo", {"PSVC01"}),
        ("q=shop+team", {"PSVC01"}),
        ("q=(%5B*", set()),
        ("owned=1", {"PSVC01"}),
        ("", {"PSVC01", "PSVC02", "PSVC03"}),
    ],
)
async def test_the_filter_looks_at_services_people_and_applications(house, browser, query, found):
    """Letters that mean something in patterns are letters."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = (await browser.get(f"/ui/page?{query}")).text
    assert set(re.findall(r'id="s-(\w+)"', text)) == found


async def test_the_list_sorts_by_name_and_by_last_incident(browser):
    """Those without an incident come last."""
    for sort, order in (
        ("-service", ["PSVC02", "PSVC03", "PSVC01"]),
        ("last", ["PSVC01", "PSVC02", "PSVC03"]),
    ):
        text = (await browser.get(f"/ui/page?sort={sort}")).text
        found = re.findall(r'id="s-(\w+)"', text)
        assert found == order if sort == "-service" else found[0] == order[0]


async def test_what_is_chosen_stays_chosen_under_a_filter_that_hides_it(browser):
    """As a hidden field with its chip; the address of the answer says it all."""
    answer = await browser.get("/ui/page?service=PSVC01&q=mail")
    assert '<input type="hidden" name="service" value="PSVC01">' in answer.text
    assert "1 service chosen" in answer.text
    fragment = await browser.get("/ui/page?service=PSVC01&q=mail&owned=", headers={"HX-Request": "true"})
    assert fragment.headers["hx-replace-url"] == "/ui/page?q=mail&service=PSVC01"
    assert "<html" not in fragment.text


async def test_a_link_as_decks_chooses_the_services_of_applications(house, browser):
    """What leads to none is said, with the reason."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    await house.application("bare")
    text = (await browser.get("/ui/page?app=demo,bare,nope&subject=S&details=D")).text
    assert re.search(r'value="PSVC01"[^>]* checked', text)
    assert "Application bare has no PagerDuty service" in text
    assert "There is no application called nope." in text
    assert 'name="subject" value="S"' in text


async def test_what_was_taken_away_again_stays_away(house, browser):
    """Also where a link chose it by its application, when the page is loaded anew, and without script."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    chosen = (await browser.get("/ui/page?app=demo")).text
    assert '<input type="hidden" name="for" value="demo">' in chosen
    assert re.search(r'name="without" value="PSVC01" aria-label="Remove Checkout"', chosen)
    for query in ("for=demo", "for=demo&service=PSVC01&without=PSVC01"):
        assert "Nothing chosen yet" in (await browser.get(f"/ui/page?{query}")).text


async def test_a_page_is_filed_under_an_application_whose_service_it_pages(house, browser):
    """One whose service was taken away again did not ask for it."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    await house.application("other")
    form = await form_of(browser)
    await browser.post("/ui/page/confirm", data=form | {"for": ["demo", "other"]})
    (page,) = await all_pages(house)
    assert page.application == "demo"


async def test_many_that_are_chosen_do_not_make_the_page_grow_by_their_square(house, browser):
    """The chip of each says its own id, not those of all the others."""
    text = (await browser.get("/ui/page?service=PSVC01&subject=Down")).text
    assert "service=PSVC01" not in text.partition('class="chips"')[2].partition("</ul>")[0]


async def test_the_dialog_names_everybody_who_will_be_woken(house, browser):
    """Before the button, which says how many services; levels that follow are named too."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = (await browser.get("/ui/page/confirm?app=demo")).text
    assert "1 person will be woken:" in text
    assert "wakes Ada Lovelace, then Grace Hopper" in text
    assert "Page 1 service</button>" in text
    assert 'value="Urgent Issue"' in text
    assert CHECKOUT_KEY not in text
    assert await all_pages(house) == ()


async def test_the_dialog_starts_with_what_the_settings_and_the_link_say(house):
    """The link wins."""
    settings = house.services.settings
    deck = replace(settings.deck, default_subject="Ours", default_details="Runbook")
    web = replace(web_services(house), settings=replace(settings, deck=deck))
    async with client_of(create_app(house.services, mounts=pages(web))) as client:
        text = (await client.get("/ui/page/confirm?service=PSVC01&subject=Theirs")).text
    assert 'value="Theirs"' in text
    assert "Runbook</textarea>" in text


async def test_sending_leads_to_the_page_that_was_stored(house, browser):
    """Asked by the caller, with the details as Deck sends them."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    form = await form_of(browser) | {"details": "see runbook", "for": "demo"}
    answer = await browser.post("/ui/page/confirm", data=form)
    (page,) = await all_pages(house)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/pages/{page.id}")
    assert (page.message, page.details, page.door, page.application) == (
        "Down",
        {"details": "see runbook", "from": "anonymous"},
        Door.WEB,
        "demo",
    )
    assert [one.label for one in page.deliveries] == ["Checkout"]


async def test_a_form_posted_twice_pages_once(house, browser):
    """Both answers lead to the same page."""
    form = await form_of(browser)
    answers = [await browser.post("/ui/page/confirm", data=form) for _ in range(2)]
    assert len(await all_pages(house)) == 1
    assert answers[0].headers["location"] == answers[1].headers["location"]


async def test_a_form_sent_again_with_other_words_pages_nobody_and_says_so(house, browser):
    """What was typed is kept."""
    form = await form_of(browser)
    await browser.post("/ui/page/confirm", data=form)
    answer = await browser.post("/ui/page/confirm", data=form | {"subject": "Other words"})
    assert answer.status_code == 422
    assert "This form was sent before" in answer.text
    assert "Other words" in answer.text
    assert len(await all_pages(house)) == 1


async def test_a_page_that_may_be_stored_is_not_called_unsent(house, browser, database):
    """Sent again it is the same page."""
    form = await form_of(browser)
    with commits_lose_their_answer(database):
        answer = await browser.post("/ui/page/confirm", data=form)
    assert "Whether they are paged is not known." in answer.text
    assert "Nobody was paged" not in answer.text
    await browser.post("/ui/page/confirm", data=form)
    assert len(await all_pages(house)) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"subject": " "}, "Write a subject"),
        ({"service": []}, "No service is chosen"),
        ({"service": "PSVC03"}, "cannot be paged"),
        ({"service": "PNONE"}, "No PagerDuty service"),
        ({"once": ""}, "not complete"),
    ],
)
async def test_what_keeps_a_page_from_going_out_is_said(house, browser, changes, sentence):
    """Nobody is paged, what was typed stays."""
    form = await form_of(browser) | {"details": "typed"} | changes
    answer = await browser.post("/ui/page/confirm", data=form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert await all_pages(house) == ()


async def test_who_is_in_doubt_is_said_in_the_dialog(house, browser):
    """A service that is in maintenance wakes nobody, as far as is known."""
    from support.doors import SERVICES

    before = SERVICES[0]["status"]
    SERVICES[0]["status"] = "maintenance"
    try:
        await house.services.catalog.refresh()
        text = (await browser.get("/ui/page/confirm?service=PSVC01")).text
    finally:
        SERVICES[0]["status"] = before
    assert "Nobody would be woken" in text
    assert "maintenance" in text


async def test_nothing_chosen_leads_back(browser):
    """Instead of an empty dialog."""
    text = (await browser.get("/ui/page/confirm")).text
    assert "Nobody to page" in text
    assert "Choose services first" in text
