"""The overview: who pages whom, and what to do where something is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from masthead.api import create_app
from masthead.catalog import Catalog
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.storage.database import Database
from masthead.web import WebServices, pages
from support.doors import CHECKOUT_KEY, House, client_of


async def overview(house: House, **changes: Any) -> str:
    """Give the page's text, with what is behind it changed."""
    services = house.services
    web = WebServices(
        services.applications,
        services.catalog,
        services.ownership,
        services.settings,
        services.clock,
        "1.2.3",
        services.audit,
        services.paging,
    )
    app = create_app(services, mounts=pages(replace(web, **changes)))
    async with client_of(app) as client:
        answer = await client.get("/ui/")
    assert answer.status_code == 200
    assert "script" not in answer.headers["content-security-policy"]
    return str(answer.text)


@pytest.mark.parametrize("attributes", [{}, {"pdApiKey": CHECKOUT_KEY}])
async def test_each_application_shows_its_service_and_who_is_on_call(
    house: House, attributes: dict[str, str]
) -> None:
    """Or that none is chosen; the key is never shown."""
    await house.application("demo", **attributes)
    text = await overview(house)

    assert ("Checkout" in text and "Ada Lovelace" in text) is bool(attributes)
    assert "none chosen" in text
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
