"""Applications on pages: the list, the form with its service select, the history, the deletion."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from masthead.api import create_app
from masthead.catalog import Catalog
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.web import pages
from support.doors import CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY, House, client_of, web_services


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(house.services, mounts=pages(web_services(house)))) as client:
        yield client


async def stored(house: House, name: str = "demo") -> dict[str, Any]:
    return await house.services.applications.get(name)


async def version(house: House, name: str = "demo") -> str:
    return str((await stored(house, name))["updateTs"])


async def test_the_list_tells_owner_service_and_who_is_on_call(house, browser):
    """And holds no key."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = (await browser.get("/ui/applications")).text
    assert 'href="/ui/applications/demo"' in text
    assert "team@example.com" in text
    assert "Checkout" in text
    assert "Ada Lovelace" in text
    assert CHECKOUT_KEY not in text


@pytest.mark.parametrize(
    ("words", "is_there"),
    [("demo", True), ("DEMO team@", True), ("checkout", True), ("lovelace", True), ("nothing", False)],
)
async def test_the_list_is_filtered_by_every_word(house, browser, words, is_there):
    """Of the name, the owner, the service or a person on call; what matches is marked."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = (await browser.get("/ui/applications", params={"q": words})).text
    assert ("/ui/applications/demo" in text) is is_there
    assert ("<mark>" in text) is is_there
    assert ("No application matches" in text) is not is_there


async def test_what_htmx_asks_for_is_the_list_alone(house, browser):
    """With the same rows as the page."""
    await house.application("demo")
    text = (await browser.get("/ui/applications", headers={"HX-Request": "true"})).text
    assert "/ui/applications/demo" in text
    assert "<html" not in text


async def test_the_list_sorts_by_what_happened_last(house, browser):
    """Those in which nothing happened come last, whichever way."""
    for name in ("aaa", "bbb"):
        await house.application(name)
    stage = {"refId": "1", "requisiteStageRefIds": [], "type": "wait", "waitTime": 0}
    config = {"application": "bbb", "name": "release", "stages": [stage]}
    saved = await house.services.pipelines.save(config, house.ann)
    await house.services.executions.start_pipeline(saved, house.ann)
    for sort in ("execution", "-execution"):
        text = (await browser.get("/ui/applications", params={"sort": sort})).text
        assert text.index("/ui/applications/bbb") < text.index("/ui/applications/aaa")
    text = (await browser.get("/ui/applications", params={"sort": "-name"})).text
    assert text.index("/ui/applications/bbb") < text.index("/ui/applications/aaa")


async def test_an_application_tells_whom_a_page_wakes_and_what_else_it_has(house, browser):
    """Unknown attributes too; its service's name stands where its document has a key."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY, repoType="github")
    text = (await browser.get("/ui/applications/demo")).text
    for part in ("Ada Lovelace", "Grace Hopper", "Checkout", "repoType", "github"):
        assert part in text
    assert CHECKOUT_KEY not in text


async def test_an_application_leads_to_each_of_its_pipelines(house, browser):
    """Or to where its first one is made."""
    await house.application("demo")
    assert "/ui/applications/demo/pipelines" in (await browser.get("/ui/applications/demo")).text
    given = await house.pipeline("release")
    links = set(re.findall(r'href="([^"]+)"', (await browser.get("/ui/applications/demo")).text))
    assert {f"/ui/applications/demo/pipelines/{given['id']}/edit", "/ui/applications/demo/pipelines"} <= links
    assert not any("/ui/pipelines?" in one for one in links)


async def test_nobody_on_call_is_not_claimed_of_an_application_before_it_is_known(house, database):
    """The list says how old its names are, or that nobody knows them."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    house.rest.fails["oncalls"] = OutsideFailure("The token may not read on-calls.", reason=Reason.SCOPE)
    blind = Catalog(house.rest, database, house.services.clock, account="new")
    await blind.refresh()
    for catalog, wanted, other in (
        (blind, "not known", "nobody"),
        (None, "On call as of less than a", "not known"),
    ):
        web = web_services(house)
        web = replace(web, catalog=catalog) if catalog else web
        async with client_of(create_app(house.services, mounts=pages(web))) as client:
            text = (await client.get("/ui/applications")).text
        assert wanted in text
        assert other not in text


async def test_an_application_that_is_not_there_is_said(browser):
    """As a page for people."""
    answer = await browser.get("/ui/applications/nope")
    assert answer.status_code == 404
    assert "<h1>There is no such thing here</h1>" in answer.text


async def test_creating_one_stores_the_key_of_the_chosen_service(house, browser):
    """The form holds the service's id; the page that follows says that it is done."""
    form = {"name": "Shop", "email": "a@example.com", "description": "x", "service": "PSVC01"}
    answer = await browser.post("/ui/new/application", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/applications/shop")
    assert (await stored(house, "shop"))["pdApiKey"] == CHECKOUT_KEY
    assert "Application shop was created." in (await browser.get("/ui/applications/shop")).text


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"name": ""}, "name", "non-empty name"),
        ({"email": ""}, "email", "non-empty email"),
        ({"name": "demo"}, "name", "already"),
        ({"name": "a/b"}, "name", "slash"),
        ({"service": "PSVC03"}, "service", "cannot be paged"),
        ({"service": "gone"}, "service", "No PagerDuty service"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(house, browser, changes, field, sentence):
    """What was typed is kept and nothing is stored."""
    await house.application("demo")
    form = {"name": "shop", "email": "a@example.com", "description": "typed text"} | changes
    answer = await browser.post("/ui/new/application", data=form)
    assert answer.status_code == 422
    error = answer.text.partition(f'id="e-{field}"')[2].partition("</p>")[0]
    assert sentence in error
    assert "typed text" in answer.text
    assert await house.services.applications.find("shop") is None


async def test_the_operators_rule_for_names_stands_beside_the_name(database):
    """Front50's validation regex, in the operator's words."""
    from masthead.applications import Applications, NameRule
    from support.doors import running_house

    async with running_house(database) as house:
        applications = Applications(
            database, house.services.clock, name_rule=NameRule("[A-Z]+", "Letters only")
        )
        ownership = type(house.services.ownership)(applications, house.services.catalog)
        web = replace(web_services(house), applications=applications, ownership=ownership)
        async with client_of(create_app(house.services, mounts=pages(web))) as client:
            answer = await client.post("/ui/new/application", data={"name": "a1", "email": "a@example.com"})
    assert answer.status_code == 422
    assert "Letters only" in answer.text.partition('id="e-name"')[2].partition("</p>")[0]


async def test_a_save_changes_what_was_changed_and_keeps_the_rest(house, browser):
    """Attributes that the form does not know, and the key of the service that was left as it is."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY, repoType="github", description="old")
    form = {"email": "new@example.com", "description": "old", "service": "PSVC01"}
    answer = await browser.post("/ui/applications/demo/edit", data=form | {"version": await version(house)})
    assert answer.status_code == 303
    document = await stored(house)
    assert (document["email"], document["repoType"], document["pdApiKey"]) == (
        "new@example.com",
        "github",
        CHECKOUT_KEY,
    )


async def test_a_key_that_pagerduty_does_not_list_stays_until_somebody_chooses(house, browser):
    """The form shows only its last digits."""
    await house.application("demo", pdApiKey=UNKNOWN_KEY)
    text = (await browser.get("/ui/applications/demo/edit")).text
    assert "key …9999" in text
    assert UNKNOWN_KEY not in text
    form = {"email": "team@example.com", "service": "keep", "version": await version(house)}
    assert (await browser.post("/ui/applications/demo/edit", data=form)).status_code == 303
    assert (await stored(house))["pdApiKey"] == UNKNOWN_KEY


async def test_a_service_can_be_taken_away(house, browser):
    """Unless pagerDuty.required says otherwise."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    form = {"email": "team@example.com", "service": ""}
    required = replace(house.services.settings, deck=replace(house.services.settings.deck, required=True))
    web = replace(web_services(house), settings=required)
    async with client_of(create_app(house.services, mounts=pages(web))) as client:
        answer = await client.post(
            "/ui/applications/demo/edit", data=form | {"version": await version(house)}
        )
    assert answer.status_code == 422
    assert "pagerDuty.required" in answer.text
    assert (await stored(house))["pdApiKey"] == CHECKOUT_KEY
    await browser.post("/ui/applications/demo/edit", data=form | {"version": await version(house)})
    assert not (await stored(house))["pdApiKey"]


async def test_two_who_change_different_things_do_not_overwrite_each_other(house, browser):
    """The second form was filled before the first was saved."""
    await house.application("demo", description="old")
    seen = await version(house)
    first = {"email": "first@example.com", "description": "old", "version": seen}
    second = {"email": "team@example.com", "description": "second", "version": seen}
    for form in (first, second):
        assert (await browser.post("/ui/applications/demo/edit", data=form)).status_code == 303
    document = await stored(house)
    assert (document["email"], document["description"]) == ("first@example.com", "second")


async def test_two_who_change_the_same_are_told(house, browser):
    """Nothing is overwritten unseen; a second save, after having seen it, goes through."""
    await house.application("demo", description="old")
    seen = await version(house)
    await browser.post(
        "/ui/applications/demo/edit",
        data={"email": "team@example.com", "description": "theirs", "version": seen},
    )
    mine = {"email": "team@example.com", "description": "mine", "version": seen}
    answer = await browser.post("/ui/applications/demo/edit", data=mine)
    assert answer.status_code == 422
    for part in ("theirs", "mine", "changed meanwhile"):
        assert part in answer.text
    assert (await stored(house))["description"] == "theirs"
    again = await browser.post("/ui/applications/demo/edit", data=mine | {"version": await version(house)})
    assert again.status_code == 303
    assert (await stored(house))["description"] == "mine"


async def test_without_script_a_search_shows_radio_buttons(house, browser):
    """What was typed elsewhere in the form is kept, and nothing is stored."""
    form = {"name": "shop", "email": "kept@example.com", "service_q": "lovelace", "look": "service"}
    answer = await browser.post("/ui/new/application", data=form)
    assert answer.status_code == 200
    assert 'type="radio" name="service" value="PSVC01"' in answer.text
    assert "kept@example.com" in answer.text
    assert "PSVC03" not in answer.text
    assert await house.services.applications.find("shop") is None


@pytest.mark.parametrize("words", ["checkout", "shop team", "lovelace", "shop ada"])
async def test_options_are_found_by_service_policy_team_and_person(browser, words):
    """Each says who would be woken, and in which order."""
    text = (await browser.get("/ui/services/options", params={"q": words})).text
    assert 'data-id="PSVC01"' in text
    assert "wakes Ada Lovelace, then Grace Hopper" in text


async def test_options_that_cannot_be_paged_say_why(browser):
    """They come last and cannot be chosen; none has a key."""
    text = (await browser.get("/ui/services/options")).text
    mail = text.partition('data-id="PSVC03"')[2].partition("</div>")[0]
    assert 'aria-disabled="true"' in mail
    assert "cannot be paged: it has no integration" in mail
    assert text.index("PSVC01") < text.index("PSVC03")
    assert "it is disabled" in text
    assert CHECKOUT_KEY not in text
    assert PAYMENTS_KEY not in text


async def test_an_empty_list_of_services_says_why_in_the_form(house, browser, database):
    """And leads to where its state is shown."""
    house.rest.failure = OutsideFailure("Wrong token.", reason=Reason.TOKEN)
    blind = Catalog(house.rest, database, house.services.clock, account="new")
    await blind.refresh()
    web = replace(web_services(house), catalog=blind)
    async with client_of(create_app(house.services, mounts=pages(web))) as client:
        text = (await client.get("/ui/new/application")).text
    assert "The list of services is empty.</strong>" in text
    assert "Wrong token." in text
    assert re.search(r"So since <time [^>]+>2\d\d\d-.*Last read: never", text)
    assert '<a href="/ui/settings">' in text


async def test_the_history_says_who_changed_what(house, browser):
    """By attribute, with the service's name in the key's place; a deletion is part of it."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY, description="old")
    await house.services.applications.merge(
        "demo", {"name": "demo", "description": "new"}, replace(house.ann, user="bob")
    )
    await house.services.applications.delete("demo", house.ann)
    text = (await browser.get("/ui/applications/demo/history")).text
    for part in (
        "<del>old</del>",
        "<ins>new</ins>",
        "<strong>bob</strong> changed it",
        "deleted it",
        "Checkout",
    ):
        assert part in text
    assert CHECKOUT_KEY not in text
    assert (await browser.get("/ui/applications/never/history")).status_code == 404


async def test_the_history_leaves_out_what_says_nothing(house, browser):
    """An empty list, and the name, which never changes."""
    await house.application("demo", trafficGuards=[], repoType="github")
    text = (await browser.get("/ui/applications/demo/history")).text
    assert "repoType" in text
    assert "trafficGuards" not in text
    assert "<dt>name</dt>" not in text


async def test_a_deletion_is_asked_for_and_names_what_goes_with_it(house, browser):
    """Nothing happens before the answer."""
    await house.application("demo")
    await house.pipeline("release")
    assert "release" in (await browser.get("/ui/applications/demo/delete")).text
    assert await house.services.applications.find("demo") is not None
    answer = await browser.post("/ui/applications/demo/delete")
    assert answer.status_code == 303
    assert await house.services.applications.find("demo") is None


async def test_the_application_of_masthead_itself_cannot_be_deleted(browser):
    """The page says why."""
    answer = await browser.post("/ui/applications/spinnaker/delete")
    assert answer.status_code == 409
    assert "cannot be deleted" in answer.text
