"""Which web pages may call."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from masthead.api.cors import Cors
from masthead.kernel.errors import AccessDenied

PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-ratelimit-app"}


async def _hello(_):
    return PlainTextResponse("hello")


@pytest.fixture
def app():
    inner = Starlette(routes=[Route("/", _hello, methods=["GET", "POST", "OPTIONS"])])
    return Cors(inner, origins=["http://localhost:*", "https://deck.example.com", "https://*.example.org"])


async def ask(app, method: str, origin: str | None, **headers: str):
    from support.doors import client_of

    given = headers if origin is None else {"Origin": origin, **headers}
    async with client_of(_denied_as_403(app)) as client:
        return await client.request(method, "/", headers=given)


def _denied_as_403(app):
    async def guarded(scope, receive, send):
        try:
            await app(scope, receive, send)
        except AccessDenied as error:
            await PlainTextResponse(error.message, 403)(scope, receive, send)

    return guarded


ALLOWED = ["http://localhost:9000", "http://localhost", "https://deck.example.com", "https://a.example.org"]
OTHERS = [
    "https://evil.example",
    "null",
    "https://localhost:9000",
    "http://localhost:9000.evil.example",
    "http://localhost:evil",
    "https://deck.example.com.evil.example",
    "https://evil.example/https://deck.example.com",
    "https://deckXexample.com",
    "http://[",
    "http://[::1",
    "\\",
]


@pytest.mark.parametrize("origin", ALLOWED)
async def test_an_allowed_page_gets_leave_by_name(app, origin):
    """The preflight has the values of Gate's filter; the origin is named, because cookies go along."""
    answer = await ask(app, "OPTIONS", origin, **PREFLIGHT)
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "X-RateLimit-App" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-methods"] == "POST, GET, OPTIONS, DELETE, PUT, PATCH"
    assert answer.headers["access-control-max-age"] == "3600"


@pytest.mark.parametrize("origin", ALLOWED)
async def test_an_allowed_page_may_read_the_answer(app, origin):
    """The answer is marked for this origin only."""
    answer = await ask(app, "POST", origin)
    assert answer.text == "hello"
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", OTHERS)
async def test_another_page_may_not_act(app, origin):
    """Neither asked for leave nor without asking: a page in some tab wakes nobody."""
    assert (await ask(app, "POST", origin)).status_code == 403
    assert (await ask(app, "OPTIONS", origin, **PREFLIGHT)).status_code == 403


@pytest.mark.parametrize("origin", OTHERS)
async def test_another_page_cannot_read_what_it_gets(app, origin):
    """Reading does no harm, and the browser keeps the answer from the page."""
    answer = await ask(app, "GET", origin)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


async def test_pages_of_the_same_host_may_act(app):
    """Our own pages need no entry, also behind a proxy that ends TLS."""
    assert (await ask(app, "POST", "https://masthead")).status_code == 200


async def test_programs_that_are_no_browser_are_not_asked(app):
    """Without an Origin there is nothing to decide."""
    answer = await ask(app, "POST", None)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
