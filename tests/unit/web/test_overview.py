"""The overview: who pages whom, and what to do where something is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from masthead.api import create_app
from masthead.catalog import Catalog
from masthead.kernel.caller import Caller
from masthead.kernel.clock import ManualClock
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.storage.database import Database
from masthead.web import pages
from masthead.web.services import age_of
from support.doors import CHECKOUT_KEY, House, client_of, web_services


async def overview(house: House, path: str = "/ui/", **changes: Any) -> str:
    """Give the text of the page at *path*, with what is behind it changed."""
    services = house.services
    app = create_app(services, mounts=pages(replace(web_services(house), **changes)))
    async with client_of(app) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["content-security-policy"]
    return str(answer.text)


@pytest.mark.parametrize("attributes", [{}, {"pdApiKey": CHECKOUT_KEY}])
async def test_each_application_shows_its_service_and_who_is_on_call(
    house: House, attributes: dict[str, str]
) -> None:
    """Or that none is chosen; the key is never shown."""
    await house.application("demo", **attributes)
    text = await overview(house)

    assert ("Checkout" in text and "Ada Lovelace" in text) is bool(attributes)
    assert ("none chosen" in text) is not bool(attributes)
    assert CHECKOUT_KEY not in text


async def test_what_is_wrong_with_each_list_stands_on_the_page(house: House) -> None:
    """Services and on-calls apart, with the remedy."""
    house.rest.fails["oncalls"] = OutsideFailure("The token may not read on-calls.", reason=Reason.SCOPE)
    await house.services.catalog.refresh()
    text = await overview(house)
    assert "Who is on call cannot be refreshed.</strong> The token may not read on-calls." in text
    assert "The list of services cannot be refreshed" not in text

    house.rest.failure = OutsideFailure("Wrong token.", reason=Reason.TOKEN)
    await house.services.catalog.refresh()
    text = await overview(house)
    assert "The list of services cannot be refreshed.</strong> Wrong token." in text


async def test_a_catalog_that_has_still_to_come_says_so(house: House, database: Database) -> None:
    """Empty is not the same as none."""
    never = Catalog(house.rest, database, house.services.clock, account="new")
    text = await overview(house, catalog=never)

    assert "services have not been read yet; ask again in a moment." in text.replace("&#39;", "'")
    assert "No services are known" in await overview(house, "/ui/services", catalog=never)


async def test_every_service_says_whether_a_page_wakes_somebody(house: House) -> None:
    """Those that cannot be paged stand there too, with the reason; no key does."""
    text = await overview(house, "/ui/services")

    assert "Ada Lovelace" in text
    assert "it is disabled" in text
    assert "cannot be paged: it has no integration" in text
    assert "3 services, read less than a minute ago" in text
    assert CHECKOUT_KEY not in text


async def test_nobody_on_call_is_not_claimed_before_the_on_calls_were_read(
    house: House, database: Database
) -> None:
    """A token that may not see them says nothing about them."""
    house.rest.fails["oncalls"] = OutsideFailure("The token may not read on-calls.", reason=Reason.SCOPE)
    blind = Catalog(house.rest, database, house.services.clock, account="new")
    await blind.refresh()
    text = await overview(house, "/ui/services", catalog=blind)

    assert "who is on call is not known yet" in text
    assert "nobody is on call" not in text


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "less than a minute ago"),
        (1, "1 min ago"),
        (119, "119 min ago"),
        (120, "2 h ago"),
        (4320, "3 days ago"),
    ],
)
def test_an_age_is_said_in_a_unit_that_people_can_grasp(minutes: int, words: str) -> None:
    """A token that broke on Friday is "3 days ago" on Monday."""
    clock = ManualClock()
    assert age_of(clock.now() - timedelta(minutes=minutes), clock) == words


async def test_services_are_filtered_by_the_address(house: House) -> None:
    """By a name or a person; nothing found is said."""
    assert "Payments" not in await overview(house, "/ui/services?q=lovelace")
    assert "No service matches" in await overview(house, "/ui/services?q=nonsense")
    assert "&lt;b&gt;" in await overview(house, "/ui/services?q=<b>")


async def test_decks_switch_hides_paging_and_refuses_nothing(house: House) -> None:
    """feature.pagerDuty: false."""
    settings = house.services.settings
    hidden = replace(settings, deck=replace(settings.deck, feature_pager_duty=False))
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = await overview(house, settings=hidden)

    assert "demo" in text
    assert "Paging is hidden here" in text
    assert not any(word in text for word in ("Checkout", "/ui/services", "/ui/pages"))
    assert "Checkout" in await overview(house, "/ui/services", settings=hidden)


async def test_the_overview_leads_to_what_is_under_way_and_what_failed(house: House) -> None:
    """Once anything has run."""
    await house.application("demo")
    assert "what failed" not in await overview(house)
    pipeline = await house.pipeline("release")
    execution = await house.services.executions.start_pipeline(pipeline, Caller(user="ann@example.com"))
    await house.services.executions.wait(execution, 20)
    text = await overview(house)
    for status in ("NOT_STARTED%2CBUFFERED%2CRUNNING%2CPAUSED", "WAITING", "TERMINAL%2CSTOPPED"):
        assert f'href="/ui/executions?status={status}"' in text
