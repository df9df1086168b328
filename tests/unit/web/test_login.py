"""The login page, as a browser sees it, and as an attacker tries it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from masthead.access import Access
from masthead.api import create_app
from masthead.config import AccessSettings
from masthead.web import pages
from masthead.web.login import safe_next
from support.doors import House, client_of, web_services
from support.entering import ANN, BOB, PASSWORDS, SECRET, access_with_users


@pytest.fixture
def access(tmp_path: Path, clock):
    access = access_with_users(tmp_path, clock)
    yield access
    access.close()


@pytest.fixture
def app(house: House, access):
    services = replace(house.services, access=access)
    return create_app(services, mounts=pages(replace(web_services(house), access=access)))


@pytest.fixture
async def browser(app) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


async def log_in(browser, name: str = ANN, password: str | None = None, **fields: str) -> httpx.Response:
    data = {"name": name, "password": PASSWORDS[name] if password is None else password, **fields}
    return await browser.post("/ui/login", data=data)


async def test_the_page_asks_for_name_and_password(browser):
    """A plain form, which works without script and tells a password manager what is what."""
    text = (await browser.get("/ui/login?next=/ui/services")).text
    for part in (
        'autocomplete="username"',
        'autocomplete="current-password"',
        'type="password"',
        '<form class="form" method="post" action="/ui/login">',
        'name="next" value="/ui/services"',
        'name="csrf"',
    ):
        assert part in text
    assert 'aria-label="Main"' not in text


async def test_a_login_leads_to_the_page_that_was_wanted(browser):
    """With a cookie that no script reads and no other site sends; the name and the way out stand on every page."""
    answer = await log_in(browser, next="/ui/services?q=a")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/services?q=a")
    session, visitor, left = answer.headers.get_list("set-cookie")
    assert session.startswith("masthead-session=")
    assert session.endswith("; Path=/; HttpOnly; SameSite=Lax; Max-Age=691200")
    assert visitor.startswith("masthead-visitor=;")
    assert left.startswith("masthead-left=;")
    text = (await browser.get("/ui/services")).text
    assert ANN in text
    assert 'action="/ui/logout"' in text


async def test_over_https_the_cookie_is_for_https_and_this_host_only(app):
    """As the proxy says by X-Forwarded-Proto; a cookie of plain http is not taken then."""
    async with client_of(app) as client:
        client.base_url = httpx.URL("https://masthead")
        answer = await log_in(client)
        session = answer.headers.get_list("set-cookie")[0]
        assert session.startswith("__Host-masthead-session=")
        assert "; Secure" in session
        assert (await client.get("/auth/user")).json()["username"] == ANN
        value = client.cookies["__Host-masthead-session"]
        client.cookies.clear()
        client.cookies["masthead-session"] = value
        assert (await client.get("/auth/user")).status_code == 401


async def test_cookies_are_for_https_when_told(house, tmp_path, clock):
    """Where the proxy does not say what the browser speaks."""
    access = access_with_users(tmp_path, clock, secure_cookies=True)
    app = create_app(
        replace(house.services, access=access), mounts=pages(replace(web_services(house), access=access))
    )
    async with client_of(app) as client:
        assert "; Secure" in (await client.get("/ui/login")).headers["set-cookie"]
    access.close()


@pytest.mark.parametrize(("name", "password"), [(ANN, "wrong"), ("nobody", "correct horse"), ("", ""), (ANN, "x" * 5000)])  # fmt: skip
async def test_what_is_wrong_is_not_told(browser, name, password):
    """Name or password; the name is kept, the password is not; nobody is logged in."""
    answer = await log_in(browser, name, password, next="/ui/pages")
    assert answer.status_code == 403
    assert "The name or the password is wrong." in answer.text
    assert f'value="{name}"' in answer.text
    assert 'name="next" value="/ui/pages"' in answer.text
    assert "correct horse" not in answer.text
    assert "masthead-session" not in str(answer.headers)


async def test_what_was_typed_is_shown_as_text(browser):
    """Nothing of it is markup."""
    text = (await log_in(browser, '"><script>alert(1)</script>', "x")).text
    assert "<script>alert" not in text


async def test_too_many_attempts_are_told_with_the_time_to_wait(browser):
    """429, in a plain sentence."""
    for _ in range(20):
        assert (await log_in(browser, password="wrong")).status_code == 403
    answer = await log_in(browser)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert "Too many attempts. Wait 15 min, then try again." in answer.text


async def test_a_login_that_another_page_posts_is_refused(browser):
    """Nobody is logged in as somebody else's user without noticing (login CSRF)."""
    data = {"name": ANN, "password": PASSWORDS[ANN], "csrf": "0" * 64}
    assert (await browser.post("/ui/login", data=data)).status_code == 403
    page = (await browser.get("/ui/login")).text
    data["csrf"] = page.partition('name="csrf" value="')[2].partition('"')[0]
    evil = {"Origin": "https://evil.example"}
    assert (await browser.post("/ui/login", data=data, headers=evil)).status_code == 403
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert (await browser.post("/ui/login", data=data, headers=cross)).status_code == 403
    browser.cookies.clear()
    assert (await browser.post("/ui/login", data=data)).status_code == 403


async def test_a_form_of_another_login_is_refused(app, browser):
    """The token belongs to one browser and one user."""
    await log_in(browser)
    async with client_of(app) as other:
        await log_in(other, BOB)
        page = (await other.get("/ui/services")).text
    token = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
    assert (await browser.post("/ui/logout", data={"csrf": token})).status_code == 403


async def test_a_session_that_somebody_planted_is_not_taken_over(app, browser):
    """The id is new at each login (session fixation), and so are the tokens of another user."""
    async with client_of(app) as attacker:
        await log_in(attacker, BOB)
        planted = attacker.cookies["masthead-session"]
        browser.cookies.set("masthead-session", planted, domain="masthead.local", path="/")
        page = (await browser.get("/ui/services")).text
        planted_token = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
        await log_in(browser, ANN)
        assert browser.cookies["masthead-session"] != planted
        assert (await browser.get("/auth/user")).json()["username"] == ANN
        assert (await attacker.get("/auth/user")).json()["username"] == BOB
        assert (await browser.post("/ui/logout", data={"csrf": planted_token})).status_code == 403


async def test_what_was_typed_before_the_session_ended_can_be_sent_after_the_next_login(browser, clock):
    """The form's token is good again when the same user logs in again in the same browser."""
    await log_in(browser)
    page = (await browser.get("/ui/services")).text
    token = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
    await clock.advance(43_200)
    ended = await browser.post("/ui/logout", data={"csrf": token})
    assert ended.status_code == 401
    await log_in(browser)
    again = await browser.post("/ui/logout", data={"csrf": token})
    assert again.status_code == 303


async def test_the_theme_of_a_page_can_be_changed_after_its_session_ended(browser, clock):
    """It is this browser's affair alone; another site may not do it all the same."""
    await log_in(browser)
    page = (await browser.get("/ui/services")).text
    token = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
    await clock.advance(43_200)
    form = {"csrf": token, "theme": "dark", "back": "/ui/services"}
    answer = await browser.post("/ui/theme", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/services")
    assert "masthead_theme=dark" in answer.headers["set-cookie"]
    elsewhere = await browser.post("/ui/theme", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403


@pytest.mark.parametrize("door", ["/ui/logout", "/auth/logout"])
@pytest.mark.parametrize(("name", "status"), [(ANN, 303), (BOB, 403)])
async def test_what_was_typed_before_a_logout_can_be_sent_after_the_next_login(
    house, browser, door, name, status
):
    """By the same user in the same browser; what the logout leaves there opens nothing, and goes with that login."""
    await house.application("demo")
    form = "/ui/applications/demo/pipelines/new"
    await log_in(browser)
    page = (await browser.get("/ui/services")).text
    token = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
    await (browser.post if door == "/ui/logout" else browser.get)(door)
    assert browser.cookies["masthead-left"]
    assert (await browser.get("/auth/user")).status_code == 401
    ended = await browser.post(form, data={"csrf": token, "name": "release"})
    assert ended.status_code == 401
    assert "Your session has ended, so nothing was done." in ended.text
    await log_in(browser, name)
    assert "masthead-left" not in browser.cookies
    again = await browser.post(form, data={"csrf": token, "name": "release"})
    assert again.status_code == status
    assert len(await house.services.pipelines.of_application("demo")) == (1 if status == 303 else 0)


@pytest.mark.parametrize(
    "cookie",
    ["x", "x" * 100_000, "a.b.c", ";;;", "\xff\xfe", ".eJw.x", "=", '"quoted"', "a,b", "null", "[]", "."],
)
async def test_a_cookie_that_is_none_of_ours_is_nobodys(browser, cookie):
    """However odd or long; no error, no session."""
    header = {"Cookie": b"masthead-session=" + cookie.encode("latin-1")}
    assert (await browser.get("/auth/user", headers=header)).status_code == 401


async def test_of_several_cookies_the_good_one_counts(app, browser):
    """A neighbour of the domain may have set another of the same name."""
    await log_in(browser)
    good = browser.cookies["masthead-session"]
    async with client_of(app) as client:
        header = {"Cookie": f"a=b; masthead-session=forged; masthead-session={good}; c"}
        assert (await client.get("/auth/user", headers=header)).json()["username"] == ANN


async def test_a_logged_in_user_is_not_asked_again(browser):
    """The page leads on."""
    await log_in(browser)
    answer = await browser.get("/ui/login?next=/ui/pages")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/pages")


async def test_logging_out_ends_the_session_everywhere(app, browser):
    """The cookie goes, and a copy of it is worth nothing."""
    await log_in(browser)
    copy = browser.cookies["masthead-session"]
    answer = await browser.post("/ui/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/login?out=1")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert "You are logged out." in (await browser.get("/ui/login?out=1")).text
    async with client_of(app) as thief:
        thief.cookies["masthead-session"] = copy
        assert (await thief.get("/auth/user")).status_code == 401


async def test_logging_out_needs_the_forms_token(browser):
    """Another page cannot do it."""
    await log_in(browser)
    assert (await browser.post("/ui/logout", data={"csrf": "x"})).status_code == 403
    assert (await browser.get("/auth/user")).status_code == 200


@pytest.mark.parametrize(
    ("insecure", "said"),
    [
        (False, "You are anonymous on this machine, and nobody else is answered."),
        (True, "everybody may page, in any name."),
    ],
)
async def test_without_users_the_page_says_who_one_is(house, insecure, said):
    """And who can change that, without a command; every page leads there."""
    settings = AccessSettings(insecure=insecure, hosts=("masthead",))
    access = Access(settings, house.services.clock, SECRET)
    services = replace(house.services, access=access)
    app = create_app(services, mounts=pages(replace(web_services(house), access=access)))
    async with client_of(app) as client:
        text = (await client.get("/ui/login")).text
        assert said in text
        assert "whoever runs Masthead has set up users" in text
        assert "masthead user" not in text
        assert "--insecure" not in text
        assert '<a href="/ui/login">anonymous</a>' in (await client.get("/ui/services")).text
        given = {"name": ANN, "password": PASSWORDS[ANN]}
        assert (await client.post("/ui/login", data=given)).headers["location"] == "/ui/"
    access.close()


LOCAL = [
    "/ui/",
    "/ui/pages?q=a&b=%2F",
    "/v1/pages.csv",
    "/auth/redirect?to=http://localhost:9000/",
    "/ui/a#b",
]
ELSEWHERE = [
    "", "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "javascript:alert(1)", "evil.example", "/ui\r\nSet-Cookie: x=y", "http:evil.example", "/ui/login", "/ui/login/", "\x00/ui/",
    "/" + "a" * 5000, "/ui/login?next=/ui/login", "data:text/html,x", " /ui/", "http://masthead/ui/",
]  # fmt: skip


@pytest.mark.parametrize("path", LOCAL)
def test_paths_of_this_host_are_led_to(path):
    """Also those of the API."""
    assert safe_next(path) == path


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_nobody_is_led_elsewhere(path):
    """Nor in a circle (open redirect)."""
    assert safe_next(path) == "/ui/"


async def test_the_redirect_after_the_login_holds_no_second_header(browser):
    """Whatever next says."""
    answer = await log_in(browser, next="/ui/\r\nX-Evil: 1")
    assert (answer.headers["location"], "x-evil" in answer.headers) == ("/ui/", False)
