"""Tokens, scopes, error bodies and pages of the REST API."""

from __future__ import annotations

import pytest

FAILED = {"error": {"message": "Authentication failed", "code": 2006}}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "abc",
        "Token abc",
        "token token=abc",
        "Token token=",
        "Basic YTpi",
        "Token token=invalid-1",
        "Bearer ",
    ],
)
async def test_401_for_a_wrong_form_or_token(desk, header):
    """No header, another form or a token that begins with ``invalid`` get 401 and code 2006."""
    headers = {} if header is None else {"Authorization": header}
    answer = await desk.http.get("/services", headers=headers)
    assert (answer.status_code, answer.json()) == (401, FAILED)


@pytest.mark.parametrize("header", ["Token token=abc", "Bearer abc"])
async def test_both_forms_are_taken(desk, header):
    """Both documented forms are taken, with any token."""
    assert (await desk.http.get("/services", headers={"Authorization": header})).status_code == 200


async def test_listed_tokens_only(make_desk):
    """Where the data lists tokens, no others are taken, and a missing scope is 403 with code 2010."""
    tokens = [{"token": "reader", "scopes": ["services.read"]}, {"token": "all"}]
    desk = make_desk({"extends": "example", "tokens": tokens})
    assert (await desk.get("/services", token="other")).json() == FAILED
    assert (await desk.get("/services", token="reader")).status_code == 200
    assert (await desk.get("/oncalls", token="all")).status_code == 200
    answer = await desk.get("/oncalls", token="reader")
    assert (answer.status_code, answer.json()) == (
        403,
        {"error": {"message": "Access Denied", "code": 2010, "errors": ["Missing scope oncalls.read"]}},
    )


@pytest.mark.parametrize("path", ["/", "/nothing", "/services/", "/v2/enqueue/x"])
async def test_what_does_not_exist_is_404(desk, path):
    """An unknown path gets PagerDuty's 404 body."""
    answer = await desk.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": {"message": "Not Found", "code": 2100}})


@pytest.mark.parametrize(
    ("path", "code"),
    [("/services/X", 5002), ("/incidents/X", 2100), ("/users/X", 2100), ("/escalation_policies/X", 2100)],
)
async def test_unknown_ids_are_404(desk, path, code):
    """An unknown id gets 404 with the code of its kind."""
    answer = await desk.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


@pytest.fixture
def many(make_desk):
    """An account with 10,200 services."""
    return make_desk({"generate": {"services": 10_200}})


async def test_pages(many):
    """A page has 25 things, at most 100; ``more`` tells whether there are others, ``total`` when asked."""
    page = (await many.get("/services")).json()
    assert (len(page["services"]), page["limit"], page["offset"], page["more"], page["total"]) == (
        25,
        25,
        0,
        True,
        None,
    )
    page = (await many.get("/services", limit=500, offset=200, total="true")).json()
    assert (len(page["services"]), page["limit"], page["offset"], page["total"]) == (100, 100, 200, 10_200)
    assert page["services"][0]["name"] == "Service 00201"


async def test_nothing_beyond_ten_thousand(many):
    """Offset and limit together may reach 10,000 and not further."""
    page = await many.get("/services", offset=9900, limit=100)
    assert (page.status_code, page.json()["more"]) == (200, True)
    answer = await many.get("/services", offset=9901, limit=100)
    assert answer.status_code == 400
    assert (answer.json()["error"]["message"], answer.json()["error"]["code"]) == (
        "Invalid Input Provided",
        2001,
    )


async def test_partition_by_name_and_team_reaches_all(many):
    """Behind the ceiling, parts chosen by name or team can still be reached."""
    assert (await many.get("/services", query="Service 102", total="true")).json()["total"] == 1
    teams = [team["id"] for team in (await many.get("/teams")).json()["teams"]]
    totals = [
        (await many.get("/services", **{"team_ids[]": t, "total": "true"})).json()["total"] for t in teams
    ]
    assert sum(totals) == 10_200


@pytest.mark.parametrize("params", [{"limit": "-1"}, {"limit": "x"}, {"offset": "-5"}, {"offset": "²"}])
async def test_page_numbers_must_be_numbers(desk, params):
    """Anything but a whole number is 400."""
    assert (await desk.get("/services", **params)).status_code == 400


async def test_the_last_page_and_beyond(desk):
    """The last page says so; beyond it there is nothing."""
    page = (await desk.get("/services", limit=10, offset=10)).json()
    assert (len(page["services"]), page["more"]) == (2, False)
    assert (await desk.get("/services", offset=100)).json()["services"] == []
