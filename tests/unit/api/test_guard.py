"""The guard in front of every door: with users, and on this machine alone without them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from starlette.routing import Route

from masthead.access import Access
from masthead.api import create_app
from masthead.api.app import create_door
from masthead.api.guard import PUBLIC
from masthead.config import AccessSettings
from masthead.kernel.clock import ManualClock
from masthead.web import pages
from support.doors import CHECKOUT_KEY, House, client_of, web_services
from support.entering import ANN, BOB, SECRET, access_with_users, basic

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}


@pytest.fixture
def access(tmp_path: Path, clock: ManualClock) -> Iterator[Access]:
    access = access_with_users(tmp_path, clock)
    yield access
    access.close()


@pytest.fixture
def guarded(house: House, access: Access) -> Any:
    """All doors, with Ann and Bob as users."""
    services = replace(house.services, access=access)
    web = replace(web_services(house), access=access)
    return create_app(services, mounts=pages(web), cors_origins=["http://deck.example.com"])


@pytest.fixture
async def visitor(guarded) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(guarded) as client:
        yield client


@pytest.fixture
async def ann(guarded, visitor) -> AsyncIterator[httpx.AsyncClient]:
    """Ann's browser, logged in."""
    async with client_of(guarded) as client:
        answer = await client.post("/ui/login", data={"name": ANN, "password": "correct horse"})
        assert answer.status_code == 303
        yield client


def every_route(app) -> list[tuple[str, str]]:
    routes = [one for one in app.routes if isinstance(one, Route)]
    filled = [(route, route.path.replace("{", "").replace("}", "").replace(":path", "")) for route in routes]
    return [(method, path) for route, path in filled for method in sorted(route.methods or ())]


async def test_every_door_asks_who_it_is(guarded, visitor):
    """Each method of each route but the few that are open; a path that does not exist tells nothing either."""
    asked = [*every_route(guarded), ("GET", "/nowhere"), ("OPTIONS", "/v1/pages"), ("TRACE", "/tasks")]
    assert len(asked) > 150
    entered = []
    for method, path in asked:
        answer = await visitor.request(method, path, headers={"X-SPINNAKER-USER": ANN, "X-CSRF-Token": "x"})
        is_asked = answer.status_code == 401 or answer.headers.get("location", "").startswith("/ui/login?")
        if not is_asked:
            entered.append((method, path, answer.status_code))
    assert {path for _, path, _ in entered if not path.startswith("/ui/static/")} <= PUBLIC


@pytest.mark.parametrize("name", ["gate", "orca", "echo", "front50"])
async def test_a_door_on_a_port_of_its_own_asks_too(house, access, name):
    """There is no login page there, so everything but its health is 401."""
    door = create_door(replace(house.services, access=access), name)
    async with client_of(door) as client:
        for method, path in [*every_route(door), ("GET", "/"), ("GET", "/ui/")]:
            answer = await client.request(method, path, headers=NAVIGATION)
            is_open = path in PUBLIC
            assert (answer.status_code == 401) is not is_open, (method, path)
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/nowhere", headers=basic(ANN))).status_code == 404


async def test_a_program_is_asked_for_basic_in_spinnakers_body(visitor):
    """With no hint at what exists."""
    answer = await visitor.get("/v1/pages")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="Masthead", charset="UTF-8"'
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["status"], body["error"]) == (401, "Unauthorized")
    assert answer.headers["x-spinnaker-request-id"]


async def test_a_script_in_a_browser_opens_no_password_window(visitor):
    """Deck asks /auth/user by fetch and goes to the login itself; Orca's door tells the time as Orca does."""
    answer = await visitor.get("/auth/user", headers={"Sec-Fetch-Mode": "cors"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Session realm="Masthead"')
    assert isinstance((await visitor.get("/orca/tasks/1")).json()["timestamp"], int)


async def test_deck_may_read_that_it_has_to_log_in(visitor):
    """A refusal without CORS headers would be a network error to it; its preflight needs no login."""
    origin = {"Origin": "http://deck.example.com"}
    answer = await visitor.get("/auth/user", headers=origin)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, origin["Origin"])
    preflight = {**origin, "Access-Control-Request-Method": "POST"}
    assert (await visitor.options("/tasks", headers=preflight)).status_code == 200


@pytest.mark.parametrize("name", [ANN, BOB])
async def test_basic_names_the_caller(visitor, name):
    """Whatever the X-SPINNAKER headers say; passwords may hold colons and spaces."""
    headers = {**basic(name), "X-SPINNAKER-USER": "mallory", "X-SPINNAKER-ACCOUNTS": "prod"}
    for _ in range(2):
        user = (await visitor.get("/auth/user", headers=headers)).json()
        assert (user["username"], user["allowedAccounts"]) == (name, [])


async def test_no_body_names_the_caller(visitor):
    """A program that logged in cannot page in another's name."""
    body = {"notificationType": "PAGER_DUTY", "to": [CHECKOUT_KEY], "source": {"user": "mallory"}}
    answer = await visitor.post(
        "/echo/notifications", json={**body, "additionalContext": {"message": "m"}}, headers=basic(BOB)
    )
    page = await visitor.get(f"/v1/pages/{answer.headers['x-masthead-page']}", headers=basic(BOB))
    assert page.json()["user"] == BOB


@pytest.mark.parametrize(
    "header",
    [
        "", "Basic", "Basic ", "Basic !!!", "Basic YW5u", "Basic /////w==", "Bearer abc", "Negotiate x", "Basic " + "A" * 5000,
        basic(ANN, "wrong")["Authorization"], basic("nobody", "wrong")["Authorization"], basic(ANN, "")["Authorization"],
        basic("", "")["Authorization"], basic(ANN, "x" * 1100)["Authorization"],
        basic("anonymous", "x")["Authorization"], basic(ANN.upper(), "correct horse")["Authorization"],
    ],
)  # fmt: skip
async def test_what_is_no_users_basic_is_refused(visitor, header):
    """As one and the same: nothing tells the name from the password."""
    answer = await visitor.get("/auth/user", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "correct" not in answer.text


async def test_an_unknown_user_and_a_wrong_password_are_told_the_same(visitor):
    """Nothing in the answer tells them apart."""
    answers = [await visitor.get("/v1/pages", headers=basic(name, "wrong")) for name in (ANN, "nobody")]
    said = [{**answer.json(), "timestamp": ""} for answer in answers]
    assert said[0] == said[1]


async def test_a_password_is_verified_once_for_many_requests(visitor, access, monkeypatch):
    """Argon2 is slow on purpose; a page is not. Another password is verified by itself."""
    verified = []
    is_right = access._passwords.is_right

    async def counted(password_hash: str, password: str) -> bool:
        verified.append(password)
        return await is_right(password_hash, password)

    monkeypatch.setattr(access._passwords, "is_right", counted)
    import asyncio

    answers = await asyncio.gather(*(visitor.get("/auth/user", headers=basic(ANN)) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await visitor.get("/auth/user", headers=basic(ANN, "wrong"))).status_code == 401
    assert verified == ["correct horse", "wrong"]


async def test_what_was_verified_is_forgotten_after_a_while(visitor, access, clock):
    """And with the user's removal at once."""
    await visitor.get("/auth/user", headers=basic(ANN))
    header = basic(ANN)["Authorization"].encode()
    assert access.by_remembered(header).name == ANN
    await clock.advance(299)
    assert access.by_remembered(header).name == ANN
    await clock.advance(1)
    assert access.by_remembered(header) is None


async def test_a_removed_user_and_a_changed_password_count_at_once(visitor, ann, access, clock):
    """For Basic and for sessions, within the second in which the file is looked at."""
    from support.entering import CHEAP, USERS, write_users

    assert (await ann.get("/auth/user", headers=basic(BOB))).json()["username"] == ANN
    assert (await visitor.get("/auth/user", headers=basic(BOB))).status_code == 200
    changed = replace(USERS[ANN], password_hash=CHEAP.hash("another one"))
    write_users(access.users.path, {ANN: changed})
    await clock.advance(1)
    assert (await visitor.get("/auth/user", headers=basic(BOB))).status_code == 401
    assert (await visitor.get("/auth/user", headers=basic(ANN))).status_code == 401
    assert (await ann.get("/auth/user")).status_code == 401
    assert (await visitor.get("/auth/user", headers=basic(ANN, "another one"))).status_code == 200


async def test_too_many_wrong_passwords_are_not_even_looked_at(visitor, access, clock):
    """429 with the time to wait, also for the right one; what was verified before goes on."""
    assert (await visitor.get("/auth/user", headers=basic(BOB))).status_code == 200
    for number in range(20):
        assert (await visitor.get("/auth/user", headers=basic(ANN, f"wrong {number}"))).status_code == 401
    for given in (basic(ANN, "wrong"), basic(ANN), basic("nobody", "x")):
        answer = await visitor.get("/auth/user", headers=given)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert (await visitor.get("/auth/user", headers=basic(BOB))).status_code == 200
    await clock.advance(900)
    assert (await visitor.get("/auth/user", headers=basic(ANN))).status_code == 200


ODD_PATHS = [
    "//ui/login", "/ui/login/", "/ui//login", "/ui/./login", "/ui/login/../../v1/pages", "/ui/login/..;/v1/pages", "/UI/login",
    "/ui/login%2f", "/ui/static/../../v1/pages", "/ui/static/%2e%2e/%2e%2e/v1/pages", "/ui/static/..%2f..%2fv1/pages",
    "/health/../v1/pages", "/health/v1", "/health%00", "/ui/login;x", "/ui/login\\..\\v1\\pages", "/v1/pages?/ui/login", "/v1/pages#/health",
    "/auth/loggedOut/../user", "/orca/health/x", "/HEALTH", "*", "", "http://masthead/health", "health", "/v1/pages/%2e%2e/%2e%2e/health",
]  # fmt: skip


async def raw_answer(app: Any, method: str, target: str) -> tuple[int, dict[bytes, bytes]]:
    """Ask for *target* as uvicorn hands it on: the path decoded once, nothing folded."""
    raw_path, _, query = target.partition("?")
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
        "path": unquote(raw_path), "raw_path": raw_path.encode(), "query_string": query.encode(), "client": ("10.0.0.1", 1),
        "server": ("masthead", 80), "headers": [(b"host", b"masthead"), (b"x-csrf-token", b"x")],
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


async def test_no_path_leads_around_the_guard(guarded):
    """A path is open as a whole or not at all; nothing is folded, cut or decoded twice."""
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "TRACE", "get", "X"):
        for target in ODD_PATHS:
            status, headers = await raw_answer(guarded, method, target)
            is_led = headers.get(b"location", b"").startswith(b"/ui/login?next=")
            assert status in (400, 401) or is_led, (method, target, status)


async def test_a_websocket_is_refused(guarded):
    """There is none behind the guard, and it says no more than that."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/ui/login", "headers": [], "query_string": b"", "subprotocols": []}
    await guarded(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("path", "headers", "wanted"),
    [
        ("/ui/", {}, "%2Fui%2F"),
        ("/", NAVIGATION, "%2F"),
        ("/ui/pages?state=failed&q=a%20b", NAVIGATION, "%2Fui%2Fpages%3Fstate%3Dfailed%26q%3Da%2520b"),
        ("/v1/pages.csv", NAVIGATION, "%2Fv1%2Fpages.csv"),
        ("/ui/a%0d%0aSet-Cookie:x=1", {}, "%2Fui%2Fa%250D%250ASet-Cookie%3Ax%3D1"),
    ],
)
async def test_a_person_is_led_to_the_login_and_back(visitor, path, headers, wanted):
    """With the whole address; nothing in it becomes a header."""
    answer = await visitor.get(path, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/ui/login?next={wanted}")
    assert "set-cookie" not in answer.headers


async def test_a_fragment_of_a_page_is_401(visitor):
    """Else the login page would stand in the middle of another."""
    answer = await visitor.get("/ui/pages", headers={"HX-Request": "true", "Sec-Fetch-Mode": "cors"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Session realm="Masthead"')


async def test_a_form_without_a_session_is_answered_with_the_login(visitor):
    """It says that nothing was done, and leads back to the page on which the form stands."""
    headers = {"Referer": "http://masthead/ui/applications/demo/edit?x=1", "X-CSRF-Token": "old"}
    answer = await visitor.post("/ui/applications/demo", data={"email": "typed"}, headers=headers)
    assert answer.status_code == 401
    assert "nothing was done" in answer.text
    assert 'name="next" value="/ui/applications/demo/edit?x=1"' in answer.text


@pytest.mark.parametrize(
    "referer",
    ["http://evil.example/ui/", "http://masthead/auth/logout", "\x01", "//x", "http://[", "x" * 9000],
)
async def test_a_form_from_elsewhere_leads_to_the_overview(visitor, referer):
    """A stranger does not choose where the login leads."""
    headers = {"Referer": referer, "X-CSRF-Token": "old"}
    answer = await visitor.post("/ui/applications/demo", headers=headers)
    assert 'name="next" value="/ui/"' in answer.text


async def test_a_form_of_htmx_without_a_session_says_so_on_its_page(visitor):
    """Nothing is swapped or loaded anew, so what was typed stays."""
    headers = {"HX-Request": "true", "X-CSRF-Token": "old"}
    answer = await visitor.post("/ui/applications/demo", headers=headers)
    assert (answer.status_code, answer.headers["hx-reswap"]) == (403, "none")
    assert "nothing was done" in json.loads(answer.headers["hx-trigger"])["masthead:say"]["text"]


async def test_a_session_alone_changes_nothing_at_the_api(ann):
    """A browser sends its cookie with what any page posts: an origin that Cors judged, or the form's token, must be there."""
    body = {"application": "demo", "description": "d", "job": []}
    refused = await ann.post("/tasks", json=body)
    assert (refused.status_code, "X-CSRF-Token" in refused.json()["message"]) == (403, True)
    assert (await ann.post("/tasks", json=body, headers={"X-CSRF-Token": "x"})).status_code == 403
    assert (
        await ann.post("/tasks", json=body, headers={"Origin": "https://evil.example"})
    ).status_code == 403
    page = (await ann.get("/ui/services")).text
    token = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
    assert (await ann.post("/tasks", json=body, headers={"X-CSRF-Token": token})).status_code == 400
    assert (await ann.post("/tasks", json=body, headers={"Origin": "http://masthead"})).status_code == 400
    assert (
        await ann.post("/tasks", json=body, headers={"Origin": "http://deck.example.com"})
    ).status_code == 400


async def test_health_and_metrics(visitor, house, access):
    """Health is open to everybody, metrics only when told."""
    assert (await visitor.get("/health")).status_code == 200
    assert (await visitor.get("/metrics")).status_code == 401
    told = access_with_users(access.users.path.parent, open_metrics=True)
    async with client_of(create_app(replace(house.services, access=told))) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/metrics/")).status_code == 401
    told.close()


@pytest.mark.parametrize(("is_open", "status"), [(False, 401), (True, 200)])
@pytest.mark.parametrize("path", ["/webhooks/webhook/ci", "/echo/webhooks/webhook/ci"])
async def test_webhooks_need_a_login_unless_told(house, tmp_path, clock, is_open, status, path):
    """Gate takes them from everybody; what starts pipelines is closed here until an operator opens it, for POST only."""
    access = access_with_users(tmp_path, clock, open_webhooks=is_open)
    async with client_of(create_app(replace(house.services, access=access))) as client:
        assert (await client.post(path, json={})).status_code == status
        assert (await client.post(path, json={}, headers=basic(ANN))).status_code == 200
        assert (await client.get(path)).status_code == 401
        assert (await client.post("/webhooks", json={})).status_code == 401
    access.close()


def alone(house: House, **settings: Any) -> Any:
    access = Access(AccessSettings(**settings), house.services.clock, SECRET, host="127.0.0.1")
    return create_app(
        replace(house.services, access=access), mounts=pages(replace(web_services(house), access=access))
    )


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8084", 200), ("[::1]", 200), ("evil.example:8084", 403), ("10.0.0.1", 403)],
)
@pytest.mark.parametrize("path", ["/health", "/v1/pages", "/ui/", "/echo/health"])
async def test_without_users_only_requests_for_this_machine_are_taken(house, host, status, path):
    """A stranger's page whose name leads to 127.0.0.1 is refused at every path, with the remedy."""
    async with client_of(alone(house)) as client:
        answer = await client.get(path, headers={"Host": host})
        assert answer.status_code == status
        assert status == 200 or "--insecure" in answer.json()["message"]


async def test_without_users_a_stranger_behind_a_proxy_is_refused(house):
    """The proxy says for whom it asks; uvicorn puts that into the request."""
    app = alone(house)
    transport = httpx.ASGITransport(app=app, client=("10.1.2.3", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/v1/pages")).status_code == 403


async def test_insecure_takes_everything_and_says_who_asks(house):
    """As it was told; names of headers are believed then."""
    async with client_of(alone(house, insecure=True)) as client:
        answer = await client.get("/auth/user", headers={"Host": "evil.example", "X-SPINNAKER-USER": "ann"})
        assert answer.json()["username"] == "ann"


async def test_without_users_forms_have_a_token_all_the_same(house):
    """Bound to a cookie of the browser's own, which says nothing about anybody."""
    async with client_of(alone(house)) as client:
        client.base_url = httpx.URL("http://localhost")
        first = await client.get("/ui/services")
        assert "HttpOnly; SameSite=Lax" in first.headers["set-cookie"]
        second = await client.get("/ui/services")
        assert "set-cookie" not in second.headers
        token = first.text.partition('<meta name="csrf" content="')[2].partition('"')[0]
        assert len(token) == 64
        assert token in second.text
        refused = await client.post("/ui/logout", headers={"X-CSRF-Token": token[::-1]})
        assert refused.status_code == 403
        assert (await client.post("/ui/logout", data={"csrf": token})).status_code == 303


async def test_gate_tells_who_is_logged_in_with_roles(ann):
    """As Deck and spin ask."""
    user = (await ann.get("/auth/user")).json()
    assert (user["username"], user["roles"]) == (ANN, ["sre", "leads"])


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_gates_logout_ends_the_session(ann, visitor, method):
    """For whoever has the cookie, and leads to where nobody has to be logged in."""
    cookie = ann.cookies["masthead-session"]
    answer = await ann.request(method, "/auth/logout", headers={"Origin": "http://deck.example.com"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/auth/loggedOut")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    visitor.cookies["masthead-session"] = cookie
    assert (await visitor.get("/auth/user")).status_code == 401
    assert (await visitor.get("/auth/loggedOut")).text == "You are logged out of Masthead."


async def test_another_site_cannot_log_anybody_out(ann):
    """Not by leading the browser there either."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await ann.get("/auth/logout", headers=headers)).status_code == 403
    assert (await ann.get("/auth/user")).status_code == 200


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("http://localhost:9000/#/applications", 302),
        ("http://localhost:9000@evil.example/", 400),
        ("https://evil.example/", 400),
        ("//evil.example", 400),
        ("http://localhost:9000\\@evil.example", 400),
        ("javascript:alert(1)", 400),
        ("http://[", 400),
        ("http://localhost:9000\r\nX: y", 400),
        ("", 400),
    ],
)
async def test_deck_is_led_back_to_and_nobody_else(ann, to, status):
    """Only addresses of allowed origins are led to after the login."""
    answer = await ann.get("/auth/redirect", params={"to": to})
    assert answer.status_code == status
    assert status == 400 or answer.headers["location"] == to


async def test_the_way_back_to_deck_leads_through_the_login(visitor):
    """As Deck sends people there who are not logged in."""
    answer = await visitor.get("/auth/redirect", params={"to": "http://localhost:9000/"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/ui/login?next=%2Fauth%2Fredirect%3Fto%3Dhttp%253A")


async def test_health_tells_strangers_no_details(house, visitor):
    """What is up and what is down, and to users why."""
    house.health["database"] = {"status": "DOWN", "details": {"error": "canary"}}
    for path in ("/health", "/health/readiness", "/echo/health/readiness"):
        assert (await visitor.get(path)).json()["components"] == {"database": {"status": "DOWN"}}
    assert (await visitor.get("/front50/health/liveness")).json() == {"status": "UP"}
    for headers in ({"X-SPINNAKER-USER": ANN}, basic(ANN, "wrong")):
        assert "canary" not in (await visitor.get("/health", headers=headers)).text
    assert "canary" in (await visitor.get("/health", headers=basic(ANN))).text
