"""Lint and its findings under /v1."""

from __future__ import annotations

import pytest

from masthead.pagerduty.fakes import REJECT
from support.doors import CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY


async def test_findings_say_where_what_and_what_to_do(house):
    """And how much was looked at; no key anywhere."""
    await house.application("shop", pdApiKey=CHECKOUT_KEY)
    await house.application("pay", pdApiKey=PAYMENTS_KEY)
    await house.pipeline(
        "p",
        application="shop",
        stages=[{"type": "pageApplicationOwner", "refId": "1", "keys": [UNKNOWN_KEY]}],
    )
    answer = await house.client.get("/v1/lint")
    found = answer.json()
    assert {key: found[key] for key in found if key != "findings"} == {
        "errors": 3,
        "warnings": 0,
        "applications": 3,
        "pipelines": 1,
        "keysChecked": None,
    }
    first = found["findings"][0]
    assert (first["application"], first["pipeline"], first["stage"]) == ("pay", None, None)
    assert (first["rule"], first["severity"]) == ("service-disabled", "error")
    assert "'Payments' is disabled" in first["sentence"]
    assert first["remedy"]
    assert (found["findings"][2]["pipeline"], found["findings"][2]["stage"]) == ("p", "1")
    assert not [key for key in (CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY) if key in answer.text]


async def test_applications_may_be_named(house):
    """In the query, by commas or repeated; unknown ones are 404."""
    await house.application("shop", pdApiKey=CHECKOUT_KEY)
    await house.application("pay", pdApiKey=PAYMENTS_KEY)
    assert (await house.client.get("/v1/lint?application=shop")).json()["findings"] == []
    both = (await house.client.get("/v1/lint?application=shop&application=pay")).json()
    assert (both["applications"], both["errors"]) == (2, 2)
    assert (await house.client.get("/v1/lint?application=nope")).status_code == 404


async def test_keys_are_checked_only_by_post(house):
    """What sends something to PagerDuty is not done by a page that somebody merely looks at."""
    await house.application("shop", pdApiKey=CHECKOUT_KEY)
    asked = []

    async def check(key, protocol, *, account):
        asked.append((key.reveal(), str(protocol), account))
        return REJECT

    object.__setattr__(house.services, "check_key", check)
    await house.client.get("/v1/lint?application=shop&checkKeys=true")
    assert asked == []
    found = (await house.client.post("/v1/lint", json={"applications": ["shop"]})).json()
    assert asked == [(CHECKOUT_KEY, "v2", "default")]
    assert (found["keysChecked"], found["findings"][0]["rule"]) == (1, "key-refused")
    assert house.sender.sent == []


@pytest.mark.parametrize("body", [{"applications": "shop"}, {"applications": [1]}, {"applications": [" "]}])
async def test_names_that_are_none_are_refused(client, body):
    """With the field's pointer."""
    answer = await client.post("/v1/lint", json=body)
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/applications")
