"""People, policies, schedules and on-calls over REST."""

from __future__ import annotations

import pytest


async def _oncalls(desk, **params):
    return (await desk.get("/oncalls", limit=100, **params)).json()["oncalls"]


async def test_abilities_check_a_token(desk):
    """GET /abilities works with account-level tokens."""
    assert "sso" in (await desk.get("/abilities")).json()["abilities"]


async def test_me_needs_a_user_token(make_desk):
    """GET /users/me is 400 with an account-level token and works with a user's."""
    desk = make_desk({"extends": "example", "tokens": [{"token": "t"}, {"token": "u", "user": "PUANNA1"}]})
    assert (await desk.get("/users/me")).status_code == 400
    assert (await desk.get("/users/me", token="u")).json()["user"]["name"] == "Anna Lindqvist"


async def test_oncalls_now(desk):
    """By default everybody on call now: turns with start and end, permanent ones with null, nobody for a gap."""
    found = await _oncalls(desk, **{"escalation_policy_ids[]": "PPSTORE"})
    assert [one["escalation_level"] for one in found] == [1, 2, 3]
    assert [one["schedule"] and one["schedule"]["id"] for one in found] == ["PSSTORE", "PSPLATF", None]
    assert found[0]["start"] <= "2026-11-24T03:00:00Z" < found[0]["end"]
    assert (found[2]["start"], found[2]["end"]) == (None, None)
    assert found[0]["user"]["type"] == "user_reference"
    assert await _oncalls(desk, **{"escalation_policy_ids[]": "PPEMPTY"}) == []


async def test_earliest_leaves_out_repetitions(desk):
    """Over a span the same person repeats; ``earliest`` keeps the first per policy, level and person."""
    span = {"until": "2026-12-24T03:00:00Z", "escalation_policy_ids[]": "PPPLATF"}
    all_turns = [one for one in await _oncalls(desk, **span) if one["escalation_level"] == 1]
    first_turns = [
        one for one in await _oncalls(desk, earliest="true", **span) if one["escalation_level"] == 1
    ]
    assert len(all_turns) == 31
    assert first_turns == all_turns[:3]


async def test_oncalls_can_be_filtered(desk):
    """By user, by schedule, and by ``null`` for those without one."""
    (first,) = await _oncalls(desk, **{"schedule_ids[]": "PSMONEY"})
    permanent = await _oncalls(desk, **{"schedule_ids[]": "null"})
    assert {one["schedule"] for one in permanent} == {None}
    user = first["user"]["id"]
    assert {one["user"]["id"] for one in await _oncalls(desk, **{"user_ids[]": user})} == {user}


async def test_oncalls_can_include_whole_things(desk):
    """include[] puts whole users, policies and schedules in place of references."""
    params = {"include[]": ["users", "escalation_policies", "schedules"]}
    first = (await _oncalls(desk, **params))[0]
    assert first["user"]["email"].endswith("@example.com")
    assert first["escalation_policy"]["type"] == "escalation_policy"
    assert first["schedule"]["type"] == "schedule"


@pytest.mark.parametrize(
    "params",
    [{"until": "2027-06-01T00:00:00Z"}, {"since": "soon"}, {"since": "2026-12-01", "until": "2026-11-30"}],
)
async def test_oncalls_within_ninety_days(desk, params):
    """More than ninety days ahead, an end before the start or no date is 400."""
    assert (await desk.get("/oncalls", **params)).status_code == 400


async def test_policies(desk):
    """Policies have levels, services and teams; targets are references unless included."""
    answer = await desk.get("/escalation_policies", query="pay", **{"include[]": ["targets", "services"]})
    (policy,) = answer.json()["escalation_policies"]
    assert [rule["escalation_delay_in_minutes"] for rule in policy["escalation_rules"]] == [10, 10, 10]
    assert policy["escalation_rules"][1]["targets"][0]["email"] == "devika.rao@example.com"
    assert {service["name"] for service in policy["services"]} == {"Payments API", "Reporting"}
    one = (await desk.get("/escalation_policies/PPMONEY")).json()["escalation_policy"]
    assert one["escalation_rules"][0]["targets"][0]["type"] == "schedule_reference"
    mine = await desk.get("/escalation_policies", **{"user_ids[]": "PUGRAC7", "team_ids[]": "PTPLATF"})
    assert [one["id"] for one in mine.json()["escalation_policies"]] == ["PPPLATF"]


async def test_people_and_schedules(desk):
    """Users are found by name and e-mail; schedules list their people."""
    found = (await desk.get("/users", query="ruiz@")).json()["users"]
    assert [user["name"] for user in found] == ["Carmen Ruiz"]
    assert (await desk.get("/users/PUCARM3")).json()["user"]["time_zone"] == "Europe/Madrid"
    schedules = {one["id"]: one for one in (await desk.get("/schedules")).json()["schedules"]}
    assert len(schedules["PSPLATF"]["users"]) == 3
    assert schedules["PSEMPTY"]["users"] == []
