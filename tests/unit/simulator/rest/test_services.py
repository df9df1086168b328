"""Services and integrations over REST."""

from __future__ import annotations

import pytest


async def _services(desk, **params):
    answer = await desk.get("/services", limit=100, **params)
    return {service["name"]: service for service in answer.json()["services"]}


async def test_integrations_are_references_unless_included(desk):
    """Without include[] integrations are references without a key, with it they are whole."""
    (reference,) = (await _services(desk))["Checkout"]["integrations"]
    assert reference["type"] == "generic_events_api_inbound_integration_reference"
    assert "integration_key" not in reference
    (whole,) = (await _services(desk, **{"include[]": "integrations"}))["Checkout"]["integrations"]
    assert whole["type"] == "generic_events_api_inbound_integration"
    assert whole["integration_key"] == desk.v1_key


async def test_every_awkward_service_is_there(desk):
    """E-mail only, no integration, disabled, in maintenance, several integrations in their order."""
    services = await _services(desk, **{"include[]": "integrations"})
    (mail,) = services["Facilities"]["integrations"]
    assert (mail["type"], mail["integration_key"], "@" in mail["integration_email"]) == (
        "generic_email_inbound_integration",
        None,
        True,
    )
    assert services["Wiki"]["integrations"] == []
    assert services["Coupon Engine"]["status"] == "disabled"
    assert services["Warehouse"]["status"] == "maintenance"
    assert [one["integration_key"] and one["type"] for one in services["Payments API"]["integrations"]] == [
        None,
        "events_api_v2_inbound_integration",
        "generic_events_api_inbound_integration",
        "generic_events_api_inbound_integration",
    ]
    assert services["Payments API"]["integrations"][3]["vendor"]["summary"] == "Prometheus"


@pytest.mark.parametrize(("keys", "shown"), [("shown", True), ("null", False), ("absent", False)])
async def test_some_tokens_may_not_see_keys(make_desk, keys, shown):
    """A token may see keys, null in their place, or nothing at all."""
    desk = make_desk({"extends": "example", "tokens": [{"token": "t", "keys": keys}]})
    (whole,) = (await _services(desk, **{"include[]": "integrations"}))["Checkout"]["integrations"]
    assert ("integration_key" in whole) == (keys != "absent")
    assert bool(whole.get("integration_key")) is shown


async def test_open_incidents_show_in_the_status(desk):
    """A service with open incidents is critical, with acknowledged ones only warning, else active."""
    await desk.v2(dedup_key="k")
    payments = (await _services(desk))["Payments API"]
    assert (payments["status"], payments["last_incident_timestamp"]) == ("critical", "2026-11-24T03:00:00Z")
    await desk.http.post("/simulator/incidents/1/acknowledge")
    assert (await _services(desk))["Payments API"]["status"] == "warning"
    await desk.http.post("/simulator/incidents/1/resolve")
    assert (await _services(desk))["Payments API"]["status"] == "active"
    assert (await _services(desk))["Search"]["last_incident_timestamp"] is None


async def test_looking_for_services(desk):
    """By part of a name, by the whole name, by team, by integration key (undocumented)."""
    assert set(await _services(desk, query="pay")) == {"Payments API"}
    assert set(await _services(desk, name="Search")) == {"Search"}
    assert set(await _services(desk, name="search")) == set()
    assert set(await _services(desk, **{"team_ids[]": "PTMONEY"})) == {"Payments API", "Reporting"}
    assert set(await _services(desk, query=desk.v1_key)) == {"Checkout"}
    names = list(await _services(desk, sort_by="name:desc"))
    assert names == sorted(names, reverse=True)


async def test_policy_and_teams_can_be_included(desk):
    """include[] puts whole policies and teams in place of references."""
    plain = (await _services(desk))["Checkout"]
    assert plain["escalation_policy"]["type"] == "escalation_policy_reference"
    assert plain["html_url"] == "https://masthead-example.pagerduty.com/service-directory/PCHKOUT"
    answer = await desk.get("/services/PCHKOUT", **{"include[]": ["escalation_policies", "teams"]})
    service = answer.json()["service"]
    assert len(service["escalation_policy"]["escalation_rules"]) == 3
    assert service["teams"][0]["type"] == "team"


async def test_one_integration(desk):
    """GET of one integration shows its key."""
    answer = await desk.get("/services/PCHKOUT/integrations/PICHKO1")
    assert answer.json()["integration"]["integration_key"] == desk.v1_key
    assert (await desk.get("/services/PCHKOUT/integrations/NONE")).status_code == 404


async def test_an_integration_can_be_made(desk):
    """POST makes an integration whose new key works at once."""
    body = {"integration": {"type": "events_api_v2_inbound_integration", "name": "Masthead"}}
    answer = await desk.rest("POST", "/services/PWIKI01/integrations", json=body)
    assert answer.status_code == 201
    key = answer.json()["integration"]["integration_key"]
    assert (await desk.v2(routing_key=key)).status_code == 202
    assert [one["service"] for one in await desk.incidents()] == ["Wiki"]
    refused = await desk.rest("POST", "/services/PWIKI01/integrations", json={"integration": {"type": "fax"}})
    assert refused.status_code == 400


async def test_change_events_are_read_back(desk):
    """Change events come newest first; since and until must end in Z."""
    await desk.change(payload={"summary": "one", "source": "x"})
    desk.clock.elapsed += 60
    await desk.change(payload={"summary": "two"}, links=[{"href": "https://x"}])
    changes = (await desk.get("/change_events")).json()["change_events"]
    assert [change["summary"] for change in changes] == ["two", "one"]
    assert changes[0]["links"] == [{"href": "https://x"}]
    late = (await desk.get("/change_events", since="2026-11-24T03:00:30Z")).json()["change_events"]
    assert [change["summary"] for change in late] == ["two"]
    assert (await desk.get("/change_events", since="2026-11-24T03:00:30+01:00")).status_code == 400
    assert (await desk.get("/services/PCHKOUT/change_events")).json()["change_events"] == []
