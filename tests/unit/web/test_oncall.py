"""Who is on call for which application, until when, and when nobody will be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from masthead.api import create_app
from masthead.catalog import Roster
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty import Collected
from masthead.pagerduty.fakes import ScriptedReader
from masthead.web import pages
from masthead.web.oncall import hour
from support.doors import CHECKOUT_KEY, House, client_of, web_services


def shift(
    house: House, begin: float, end: float, *, level: int = 1, name: str = "Ada Lovelace"
) -> dict[str, Any]:
    """Somebody's turn for Checkout's policy, in hours from now."""
    now = house.services.clock.now().replace(minute=0, second=0, microsecond=0)
    (service,) = house.services.catalog.search_services("Checkout")
    return {
        "escalation_policy": {"id": service.policy_id, "summary": service.policy_name},
        "escalation_level": level,
        "user": {"id": f"P{name}", "summary": name},
        "schedule": {"id": "PS", "summary": "Days"},
        "start": (now + timedelta(hours=begin)).isoformat(),
        "end": (now + timedelta(hours=end)).isoformat(),
    }


async def oncall(
    house: House, *shifts: dict[str, Any] | OutsideFailure, path: str = "/ui/oncall", **headers: str
) -> str:
    """Give the page, while PagerDuty has *shifts*, or fails."""
    reader = ScriptedReader()
    failure = next((one for one in shifts if isinstance(one, OutsideFailure)), None)
    reader.answer(
        "/oncalls", failure or Collected([one for one in shifts if isinstance(one, dict)], total=len(shifts))
    )
    roster = Roster({house.services.catalog.default_account: reader}, house.services.clock)
    app = create_app(house.services, mounts=pages(replace(web_services(house), roster=roster)))
    async with client_of(app, headers=headers) as client:
        answer = await client.get(path)
    await roster.close()
    assert answer.status_code == 200
    return str(answer.text)


async def test_a_gap_is_shown_with_its_hours_and_who_is_next(house: House) -> None:
    """And an application that pages nobody is only counted."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    await house.application("nothing")
    text = await oncall(
        house, shift(house, -1, 2), shift(house, 12, 30), shift(house, -9, 99, level=2, name="Bob")
    )
    assert "Nobody at level 1 in the next 24 hours" in text
    assert "level 2 has Bob." in text
    assert text.count("<rect class=") == 3
    assert 'href="/ui/applications/nothing"' not in text
    assert CHECKOUT_KEY not in text


async def test_a_day_without_a_gap_says_so(house: House) -> None:
    """And who takes over."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = await oncall(house, shift(house, -1, 2), shift(house, 2, 30, name="Bob"))
    assert "no gaps" in text
    assert "Bob from" in text


async def test_a_day_that_cannot_be_read_claims_nothing(house: House) -> None:
    """It says why and where to look, and neither a gap nor that there is none."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = await oncall(house, OutsideFailure("The token may not read on-calls.", reason=Reason.SCOPE))
    assert "The next 24 hours are not known.</strong> The token may not read on-calls." in text
    assert "no gaps" not in text
    assert "Nobody at level 1" not in text
    assert "Ada Lovelace" in text


@pytest.mark.parametrize(
    ("query", "shows"), [("whose=mine", False), ("whose=all", True), ("q=ada", True), ("q=zzz", False)]
)
async def test_the_address_filters(house: House, query: str, *, shows: bool) -> None:
    """By owner and by words; somebody without a name owns nothing."""
    await house.application("demo", pdApiKey=CHECKOUT_KEY)
    text = await oncall(house, path=f"/ui/oncall?{query}")
    assert ('href="/ui/applications/demo"' in text) is shows


async def test_a_user_sees_the_applications_that_are_theirs(house: House) -> None:
    """Those whose e-mail is the user's name, or begins with it."""
    await house.application("mine", pdApiKey=CHECKOUT_KEY, email="ann@example.com")
    await house.application("theirs", pdApiKey=CHECKOUT_KEY)
    for user in ("ann@example.com", "ANN"):
        text = await oncall(house, **{"X-SPINNAKER-USER": user})
        assert 'href="/ui/applications/mine"' in text
        assert 'href="/ui/applications/theirs"' not in text


async def test_where_no_application_pages_anybody_the_next_step_is_told(house: House) -> None:
    """An empty page teaches."""
    assert "Choose a service for an application" in await oncall(house)


def test_hours_are_said_as_people_say_them() -> None:
    """Today's without a day, tomorrow's as such, this week's by the day's name."""
    now = datetime(2026, 11, 24, 15, tzinfo=UTC)
    said = [hour(now + timedelta(days=days), now) for days in (0, 1, 3, 10)]
    assert said == ["15:00", "tomorrow 15:00", "Fri 15:00", "4 Dec 15:00"]
