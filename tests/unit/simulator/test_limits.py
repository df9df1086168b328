"""Budgets: 120 events a minute and key, 960 REST calls a minute and token."""

from __future__ import annotations

import pytest

THROTTLED = (
    '{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly. '
    'Please retry later."}'
)


async def test_v1_is_throttled_with_403_in_plain_text(desk):
    """The 121st event of a key within a minute gets v1's 403, as text and without Retry-After."""
    statuses = [(await desk.v1()).status_code for _ in range(120)]
    answer = await desk.v1()
    assert set(statuses) == {200}
    assert (answer.status_code, answer.text) == (403, THROTTLED)
    assert answer.headers["content-type"].startswith("text/plain")
    assert "retry-after" not in answer.headers


async def test_v2_is_throttled_with_an_empty_429(desk):
    """The 121st event of a key within a minute gets v2's 429, empty and without any header about limits."""
    for _ in range(120):
        await desk.v2()
    answer = await desk.v2()
    assert (answer.status_code, answer.content) == (429, b"")
    assert not [name for name in answer.headers if name.startswith(("ratelimit", "retry", "content-type"))]
    assert (await desk.change()).status_code == 429


async def test_the_window_slides(desk, clock):
    """Each event makes room again sixty seconds after it was accepted, not at the turn of a minute."""
    await desk.settings(events_per_key=2)
    await desk.v2()
    clock.elapsed += 30
    await desk.v2()
    clock.elapsed += 29
    assert (await desk.v2()).status_code == 429
    clock.elapsed += 1
    assert (await desk.v2()).status_code == 202
    assert (await desk.v2()).status_code == 429


async def test_refused_events_use_no_budget(desk, clock):
    """What was throttled or invalid does not count."""
    await desk.settings(events_per_key=1)
    await desk.v2(payload=None)
    await desk.v2()
    for _ in range(5):
        assert (await desk.v2()).status_code == 429
    clock.elapsed += 60
    assert (await desk.v2()).status_code == 202


async def test_each_key_has_a_budget_of_its_own(desk):
    """One key's storm does not touch another's; single keys may have other budgets; null is without limit."""
    await desk.settings(events_per_key=1, key_budgets={desk.search_key: 3})
    statuses = [(await desk.v2(routing_key=desk.search_key)).status_code for _ in range(4)]
    assert statuses == [202, 202, 202, 429]
    assert [(await desk.v2()).status_code for _ in range(2)] == [202, 429]
    used = (await desk.http.get("/simulator")).json()["keys_used"]
    assert used == {desk.search_key: 3, desk.v2_key: 1}
    await desk.settings(events_per_key=None)
    assert {(await desk.v2()).status_code for _ in range(200)} == {202}


async def test_rest_tells_where_a_token_stands(desk, clock):
    """Every REST answer says limit, remaining calls and the seconds until the minute ends."""
    first = await desk.get("/abilities")
    clock.elapsed += 12.5
    second = await desk.get("/nowhere/at/all")
    third = await desk.get("/services/NOSUCH")
    assert [first.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset")] == [
        "960",
        "959",
        "60",
    ]
    assert second.status_code == 404
    assert [third.headers[f"ratelimit-{name}"] for name in ("remaining", "reset")] == ["958", "48"]


async def test_rest_is_throttled_with_429(desk, clock):
    """Beyond the limit: 429, code 2020 and the headers; the next minute is a new one; tokens are apart."""
    await desk.settings(rest_per_minute=2)
    for _ in range(2):
        assert (await desk.get("/abilities")).status_code == 200
    answer = await desk.get("/abilities")
    assert (answer.status_code, answer.json()) == (
        429,
        {"error": {"message": "Rate Limit Exceeded", "code": 2020}},
    )
    assert (answer.headers["ratelimit-remaining"], answer.headers["ratelimit-reset"]) == ("0", "60")
    assert (await desk.get("/abilities", token="another")).status_code == 200
    clock.elapsed += 60
    assert (await desk.get("/abilities")).status_code == 200


async def test_a_429_may_come_bare(desk):
    """A setting takes body and headers from the 429, as PagerDuty sometimes does."""
    await desk.settings(rest_per_minute=0, rest_429="bare")
    answer = await desk.get("/abilities")
    assert (answer.status_code, answer.content) == (429, b"")
    assert "ratelimit-reset" not in answer.headers


@pytest.mark.parametrize("path", ["/oncalls", "/services"])
async def test_oncalls_have_a_lower_limit(desk, path):
    """GET /oncalls has a limit of its own, below the general one."""
    await desk.settings(rest_limited_per_minute=1)
    statuses = [(await desk.get(path)).status_code for _ in range(2)]
    assert statuses == ([200, 429] if path == "/oncalls" else [200, 200])
