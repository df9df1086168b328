"""Search everywhere."""

from __future__ import annotations

import httpx
import pytest

from masthead.api import create_app
from masthead.web import pages
from support.doors import CHECKOUT_KEY, ONCALLS, House, client_of, web_services


async def search(house: House, text: str, **headers: str) -> httpx.Response:
    app = create_app(house.services, mounts=pages(web_services(house)))
    async with client_of(app, headers=headers) as client:
        return await client.get("/ui/search", params={"q": text})


@pytest.mark.parametrize(
    ("text", "title", "path"),
    [
        ("DEM team@", "Applications", "/ui/applications/demo"),
        ("check", "PagerDuty services", "/ui/services?q=Checkout"),
        ("lovelace", "People on call", "/ui/oncall?whose=all&amp;q=Ada+Lovelace"),
        ("rele demo", "Pipelines", "/ui/applications/demo/pipelines/"),
    ],
)
async def test_things_are_found_by_words(house: House, text: str, title: str, path: str) -> None:
    """Every word, in any case; no key is shown."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    await house.pipeline("release")
    answer = await search(house, text)
    assert f">{title}</h2>" in answer.text
    assert f'href="{path}' in answer.text
    assert CHECKOUT_KEY not in answer.text


async def test_somebody_whose_shift_is_over_is_not_found_as_on_call(house: House) -> None:
    """Neither as a person nor beside a service."""
    ONCALLS[1]["end"] = "2020-01-02T00:00:00Z"
    try:
        await house.services.catalog.refresh()
        assert "People on call" not in (await search(house, "lovelace")).text
        assert "on call: Grace Hopper" in (await search(house, "check")).text
    finally:
        ONCALLS[1]["end"] = None


async def test_a_page_is_found_by_its_text_and_its_id(house: House) -> None:
    """The id leads straight to it."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    body = {"applications": ["demo"], "message": "the basket is empty"}
    id_ = (await house.client.post("/v1/pages?wait=5", json=body)).json()["id"]
    assert f"/ui/pages/{id_}" in (await search(house, "BASKET")).text
    answer = await search(house, id_.lower())
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/pages/{id_}")


async def test_what_is_typed_gets_a_part_of_the_page(house: House) -> None:
    """And is not led away while typing."""
    answer = await search(house, "01KAVV0000000000000000000", **{"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "Nothing is called that" in answer.text


async def test_without_words_it_says_what_can_be_found(house: House) -> None:
    """An empty page teaches."""
    assert "What can be found" in (await search(house, "")).text
