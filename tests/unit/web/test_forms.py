"""What every page stands on: forms that only our own pages send, files that browsers keep, errors as pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from masthead.api import create_app
from masthead.kernel.errors import AccessDenied, InvalidRequest
from masthead.web import pages
from masthead.web.files import Assets
from masthead.web.forms import Errors, read_form
from masthead.web.rendering import duration
from masthead.web.theme import local_path
from support.doors import House, client_of, web_services

SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def browser(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(house.services, mounts=pages(web_services(house)))) as client:
        yield client


class _Session:
    """Says the token of a session, as the login does."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app, self.token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["masthead.csrf"] = self.token
        await self.app(scope, receive, send)


async def post(body: str, token: str = "", **headers: str) -> str:
    """Read a form and give its fields, or what is wrong with it."""

    async def read(request: Request) -> PlainTextResponse:
        try:
            form = await read_form(request, most_bytes=100)
        except (AccessDenied, InvalidRequest) as error:
            return PlainTextResponse(f"{type(error).__name__}: {error.message}")
        return PlainTextResponse(f"{form.text('a')}|{form.all('b')}|{form.is_on('c')}")

    app = _Session(Starlette(routes=[Route("/", read, methods=["POST"])]), token)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with client_of(app) as client:
        return (await client.post("/", content=body, headers=kind | headers)).text


async def test_a_form_gives_its_fields():
    """Blanks around a value go, several values of a name stay, each once."""
    assert await post("a=+x+&b=1&b=2&b=1&c=on") == "x|['1', '2']|True"
    assert await post("") == "|[]|False"


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://masthead"}, True),
        ({"Origin": "http://localhost:9000"}, False),
        ({"Origin": "null"}, False),
    ],
)
async def test_a_form_of_another_origin_is_refused(headers, is_taken):
    """A program sends neither header and has no cookie that could be abused."""
    assert (await post("a=1", **headers) == "1|[]|False") is is_taken


@pytest.mark.parametrize(
    ("body", "headers", "is_taken"),
    [
        ("a=1&csrf=right", {}, True),
        ("a=1", {"X-CSRF-Token": "right"}, True),
        ("a=1&csrf=wrong", {}, False),
        ("a=1&csrf=", {}, False),
        ("a=1&csrf=%C3%A4", {}, False),
    ],
)
async def test_a_session_wants_its_token(body, headers, is_taken):
    """In a field or a header."""
    assert (await post(body, "right", **SAME, **headers) == "1|[]|False") is is_taken


async def test_what_is_no_form_is_said():
    """Too large, of another type, or not readable."""
    assert "larger than 100 bytes" in await post("a=" + "x" * 200)
    assert "A form comes as" in await post("{}", **{"Content-Type": "application/json"})
    assert "cannot be read" in await post("a=\u00e4")


def test_errors_know_their_fields():
    """In the order in which they were found; without any, there are none."""
    errors = Errors()
    assert not errors
    errors.add("name", "Too long.")
    errors.add("", "Somebody was faster.")
    assert list(errors) == [("name", "Too long."), ("", "Somebody was faster.")]
    assert errors.of("name") == ["Too long."]
    assert errors.of("email") == ()


async def test_files_are_kept_for_good_under_an_address_of_their_content(browser):
    """An older address gives the present file, to be asked for again."""
    page = (await browser.get("/ui/")).text
    for name in ("ui.css", "ui.js"):
        found = re.search(rf'"(/ui/static/\w+/{name})"', page)
        assert found is not None
        answer = await browser.get(found[1])
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        old = await browser.get(f"/ui/static/0000/{name}")
        assert (old.headers["cache-control"], old.text) == ("no-cache", answer.text)
    assert (await browser.get("/ui/static/0000/none.js")).status_code == 404


def test_pages_weigh_what_they_may():
    """60 KB of script outside the editor and 25 KB of style, on any one page."""
    files = {name: len(file.body) for name, file in Assets.of_package()._files.items()}
    assert files["ui.css"] <= 25_000
    own = [
        size for name, size in files.items() if name.endswith(".js") and name not in ("ui.js", "editor.js")
    ]
    assert files["ui.js"] + max(own) <= 60_000


def test_nothing_is_written_into_a_page_that_the_policy_forbids():
    """No style, no handler, no script in any template, and none of htmx's attributes that need eval."""
    forbidden = re.compile(
        r"""\sstyle=|\son\w+=|<script(?! src=)|<style|hx-on|js:|javascript:|hx-trigger="[^"]*\["""
    )
    templates = Path(__file__).parents[3] / "src/masthead/web/templates"
    assert {one.name: forbidden.findall(one.read_text()) for one in templates.rglob("*.html")} == {
        one.name: [] for one in templates.rglob("*.html")
    }


async def test_the_policy_stands_on_every_page(browser):
    """Also on one that says that there is none."""
    for path in ("/ui/", "/ui/nowhere"):
        policy = (await browser.get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


async def test_errors_are_pages_for_people_and_messages_for_htmx(browser):
    """The latter change nothing of what is shown."""
    answer = await browser.get("/ui/nowhere")
    assert answer.status_code == 404
    assert "No page has this address." in answer.text
    told = await browser.get("/ui/nowhere", headers={"HX-Request": "true"})
    assert told.text == ""
    assert "No page has this address." in told.headers["hx-trigger"]
    assert told.headers["hx-reswap"] == "none"


async def test_what_nobody_foresaw_is_a_page_with_the_requests_id(house):
    """And nothing of what went wrong inside."""

    class Broken:
        async def history(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError("inside")

    web = replace(web_services(house), applications=Broken())
    async with client_of(create_app(house.services, mounts=pages(web))) as client:
        answer = await client.get("/ui/applications/demo/history", headers={"X-SPINNAKER-REQUEST-ID": "abc"})
    assert answer.status_code == 500
    assert "abc" in answer.text
    assert "inside" not in answer.text


async def test_the_theme_is_kept_and_painted_at_once(browser):
    """The switch works without script and leads back to where it was."""
    answer = await browser.post("/ui/theme", data={"theme": "dark", "back": "/ui/page?q=a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/page?q=a")
    assert 'data-theme="dark"' in (await browser.get("/ui/")).text
    await browser.post("/ui/theme", data={"theme": "purple", "back": "/ui/"})
    assert 'data-theme="dark"' in (await browser.get("/ui/")).text


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/ui/\\evil", "/ui/\nx", "", "ui/"]
)
def test_no_form_leads_elsewhere(wanted):
    """But to the overview."""
    assert local_path(wanted) == "/ui/"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.85, "850 ms"),
        (12, "12 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (3600, "1 h"),
        (273_600, "3 d 4 h"),
    ],
)
def test_spans_are_said_in_two_units(seconds, words):
    """As people say them."""
    assert duration(seconds) == words
