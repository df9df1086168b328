"""Getting all of a list though an offset reaches only its first 10,000."""

from __future__ import annotations

from typing import Any

import pytest

from masthead.catalog.lists import oncall_identity, read_oncalls, read_services
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty import Collected
from masthead.pagerduty.pages import OFFSET_CEILING, Params
from unit.catalog.documents import oncall


class Account:
    """An account that filters and sorts as PagerDuty does, with a ceiling that tests can afford."""

    def __init__(self, *, ceiling: int = 10, sorts: bool = True, tells_total: bool = True) -> None:
        self.ceiling, self.sorts, self.tells_total = ceiling, sorts, tells_total
        self.services: list[dict[str, Any]] = []
        self.oncalls: list[dict[str, Any]] = []
        self.teams: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.failing: set[str] = set()

    def add(self, *names: str, team: str | None = None) -> None:
        if team and team not in self.teams:
            self.teams.append(team)
        self.services += [{"id": name, "name": name, "team": team} for name in names]
        self.services.sort(key=lambda one: one["name"].casefold())

    async def collect(self, path: str, item_key: str, params: Params = ()) -> Collected:
        asked = dict(params)
        self.asked.append({"path": path, **asked})
        if self.failing & {path, *asked}:
            raise OutsideFailure(f"no {path}", reason=Reason.SCOPE)
        items = self._items(path, params, asked)
        return self._cut(items) if path in ("/services", "/oncalls") else Collected(items, total=len(items))

    def _items(self, path: str, params: Params, asked: dict[str, str]) -> list[dict[str, Any]]:
        if path == "/teams":
            return [{"id": team} for team in self.teams]
        if path == "/escalation_policies":
            return [{"id": id_} for id_ in {one["escalation_policy"]["id"]: None for one in self.oncalls}]
        if path == "/oncalls":
            wanted = {value for name, value in params if name == "escalation_policy_ids[]"}
            return [one for one in self.oncalls if not wanted or one["escalation_policy"]["id"] in wanted]
        found = [
            one
            for one in self.services
            if asked.get("query", "").casefold() in one["name"].casefold()
            and asked.get("team_ids[]") in (None, one["team"])
        ]
        return found[::-1] if self.sorts and asked.get("sort_by") == "name:desc" else found

    def _cut(self, items: list[dict[str, Any]]) -> Collected:
        total = len(items) if self.tells_total else None
        return Collected(items[: self.ceiling], is_cut=len(items) > self.ceiling, total=total)

    async def close(self) -> None:
        """Nothing is open."""


def names(collected: Collected) -> set[str]:
    return {item["name"] for item in collected.items}


async def test_a_list_that_is_whole_is_asked_for_once():
    """With the integrations, whose keys are the point of it."""
    account = Account()
    account.add("a", "b")
    collected = await read_services(account)
    assert names(collected) == {"a", "b"}
    assert collected.is_complete
    assert account.asked == [{"path": "/services", "include[]": "integrations"}]


async def test_twice_the_ceiling_is_certain():
    """The list is read from both ends, whatever teams and names there are."""
    account = Account()
    account.add(*(f"服务{number:02}" for number in range(20)))
    collected = await read_services(account)
    assert len(collected.items) == 20
    assert collected.is_complete
    assert len(account.asked) == 2


async def test_what_lies_between_is_asked_for_by_team():
    """Until PagerDuty's own total is reached, and no further."""
    account = Account()
    for team in ("x", "y", "z"):
        account.add(*(f"{number:02} {team}" for number in range(10)), team=team)
    account.teams.append("never asked for")
    collected = await read_services(account)
    assert len(collected.items) == 30
    assert collected.is_complete
    assert not any(asked.get("team_ids[]") == "never asked for" for asked in account.asked)
    assert not any("query" in asked for asked in account.asked)


async def test_services_without_a_team_are_asked_for_by_letter():
    """A letter that finds too much is read from both ends too."""
    account = Account(sorts=True)
    account.add(*(f"{letter}{number}" for letter in "abcde" for number in range(9)))
    collected = await read_services(account)
    assert len(collected.items) == 45
    assert collected.is_complete


async def test_an_account_that_does_not_sort_is_read_by_parts():
    """What does not help does no harm."""
    account = Account(sorts=False)
    account.add(*(f"{letter}{number}" for letter in "abc" for number in range(9)))
    collected = await read_services(account)
    assert len(collected.items) == 27
    assert collected.is_complete


async def test_what_is_out_of_reach_is_told():
    """By how many; and that its key still pages."""
    account = Account()
    account.add(*(f"服{chr(0x4E00 + number)}" for number in range(25)))
    collected = await read_services(account)
    assert len(collected.items) == 20
    assert not collected.is_complete
    assert "20 of 25" in collected.failures[-1].message


async def test_without_a_total_nothing_is_called_complete():
    """There is nothing to count against."""
    account = Account(tells_total=False)
    account.add(*(f"{number:02}" for number in range(15)))
    collected = await read_services(account)
    assert len(collected.items) == 15
    assert not collected.is_complete


async def test_a_token_that_may_not_see_teams_goes_on_by_letter():
    """What failed on the way does not matter when everything came."""
    account = Account()
    account.failing = {"/teams"}
    account.add(*(f"{letter}{number}" for letter in "abcde" for number in range(9)))
    collected = await read_services(account)
    assert len(collected.items) == 45
    assert collected.is_complete


async def test_when_parts_keep_failing_the_others_are_left():
    """The next refresh begins again."""
    account = Account()
    account.failing = {"query", "/teams", "sort_by"}
    account.add(*(f"{letter}{number}" for letter in "abcde" for number in range(9)))
    collected = await read_services(account)
    assert len(collected.items) == 10
    assert not collected.is_complete
    assert len([asked for asked in account.asked if "query" in asked]) == 2


async def test_a_list_of_which_nothing_comes_is_a_failure():
    """The catalog keeps what it has."""
    account = Account()
    account.failing = {"/services", "/oncalls"}
    with pytest.raises(OutsideFailure):
        await read_services(account)
    with pytest.raises(OutsideFailure):
        await read_oncalls(account)


async def test_oncalls_are_those_of_now():
    """Each once, though one moved while the pages were read."""
    account = Account()
    account.oncalls = [oncall("db", "Ann"), oncall("db", "Ann"), oncall("db", "Bo", level=2)]
    collected = await read_oncalls(account)
    assert len(collected.items) == 2
    assert collected.is_complete
    assert account.asked == [{"path": "/oncalls", "earliest": "true"}]


async def test_too_many_oncalls_are_asked_for_by_policy():
    """Of policies that are listed, or known from the services when the list is forbidden."""
    account = Account(ceiling=60)
    account.oncalls = [oncall(f"p{number}", "Ann") for number in range(110)]
    assert len((await read_oncalls(account)).items) == 110
    account.failing = {"/escalation_policies"}
    collected = await read_oncalls(account, [f"EPP{number}" for number in range(110)])
    assert len(collected.items) == 110
    assert collected.is_complete
    part = await read_oncalls(account, ["EPP100"])
    assert (len(part.items), part.is_complete) == (61, False)


def test_the_same_place_is_the_same_entry():
    """Whoever fills it: policy, level, person and schedule count, times do not."""
    assert oncall_identity(oncall("db", "Ann", end="x")) == oncall_identity(oncall("db", "Ann", end="y"))
    assert oncall_identity(oncall("db", "Ann")) != oncall_identity(oncall("db", "Ann", level=2))
    assert oncall_identity(oncall("db", "Ann")) != oncall_identity(oncall("db", "Bo"))
    oncall_identity({"user": ["odd"], "escalation_level": {}})


def test_the_ceiling_is_pagerdutys():
    """The tests above use a smaller one."""
    assert OFFSET_CEILING == 10_000
