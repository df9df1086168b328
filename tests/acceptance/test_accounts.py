"""Two PagerDuty accounts, US and EU, as two simulators: one list, and each page lands where its key belongs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from support.processes import masthead, running, simulator, wait_until

US_KEY = "c0ffee000000000000000000search02"
EU_KEY = "c0ffee00000000000000000eusearch2"
EU_DATA = {
    "account": {"subdomain": "acme"},
    "users": [{"id": "PEUSER1", "name": "Ingrid Vos", "email": "ingrid@example.com"}],
    "escalation_policies": [{"id": "PEUPOL1", "name": "EU Platform", "levels": [["PEUSER1"]]}],
    "services": [
        {
            "id": "PEUSRV1",
            "name": "Search",
            "policy": "PEUPOL1",
            "integrations": [
                {
                    "id": "PEUINT1",
                    "name": "Events API v2",
                    "type": "events_api_v2_inbound_integration",
                    "key": EU_KEY,
                }
            ],
        }
    ],
    # Only tokens of the list are taken, so none but the app's own will do.
    "tokens": [{"token": "somebody-elses-token"}],
    "oauth_clients": [
        {"client_id": "eu-app", "client_secret": "eu-canary", "scopes": ["services.read", "oncalls.read"]}
    ],
}
CONFIG = """\
accounts:
  us:
    token: us-token
    endpoint: {us}
    base-url: {us}
  eu:
    region: eu
    endpoint: {eu}
    base-url: {eu}
    identity-url: {eu}
    account-name: acme.eu
    client-id: eu-app
    client-secret: eu-canary
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    (folder / "eu.json").write_text(json.dumps(EU_DATA))
    with running(simulator()) as us, running(simulator(data=folder / "eu.json")) as eu:
        (folder / "masthead.yml").write_text(CONFIG.format(us=us.url, eu=eu.url))
        more = ["--config", str(folder / "masthead.yml")]
        environ = {"PAGERDUTY_TOKEN": "", "MASTHEAD_REST_ENABLED": "false"}
        with running(masthead(us.url, str(folder / "m.db"), environ=environ, more=more)) as server:
            wait_until(
                lambda: all(
                    one["servicesFetchedAt"] for one in server.get("/v1/catalog")["accounts"].values()
                )
            )
            yield us, eu, server


def incidents(pagerduty) -> list[str]:
    return [one["title"] for one in pagerduty.get("/simulator/incidents")]


def test_one_list_shows_the_services_of_both_accounts(house):
    """Each with its account; Deck reads the same list as ever."""
    _, _, server = house
    shown = server.get("/pagerDuty/services")
    assert {one["account"] for one in shown} == {"us", "eu"}
    assert [one["integration_key"] for one in shown if one["account"] == "eu"] == [EU_KEY]
    assert US_KEY in [one["integration_key"] for one in shown if one["account"] == "us"]
    searches = server.get("/v1/services", q="search")["services"]
    assert [(one["account"], one["name"], one["onCall"][0]["user"]) for one in searches][-1] == (
        "eu", "Search", "Ingrid Vos",
    )  # fmt: skip


@pytest.mark.parametrize(("key", "where"), [(US_KEY, "us"), (EU_KEY, "eu")])
def test_a_page_lands_in_the_account_of_its_key(house, key, where):
    """And in no other."""
    us, eu, server = house
    message = f"page to {where}"
    server.ask("POST", "/v1/pages", params={"wait": 10}, json={"keys": [key], "message": message})
    assert (message in incidents(us), message in incidents(eu)) == (where == "us", where == "eu")


def test_what_waits_while_its_account_is_renamed_lands_there_all_the_same(house, tmp_path):
    """The new account's catalog is read first, and has the key."""
    us, eu, _ = house
    config = tmp_path / "masthead.yml"
    config.write_text(CONFIG.format(us=us.url, eu=eu.url))
    environ = {"PAGERDUTY_TOKEN": "", "MASTHEAD_REST_ENABLED": "false"}
    more = ["--config", str(config)]
    with running(masthead(us.url, str(tmp_path / "m.db"), environ=environ, more=more)) as server:
        wait_until(lambda: server.get("/v1/catalog")["accounts"]["eu"]["servicesFetchedAt"])
        eu.post("/simulator/faults", {"status": 503})
        page = server.ask("POST", "/v1/pages", json={"keys": [EU_KEY], "message": "renamed"})
        server.kill()
        config.write_text(config.read_text().replace("  eu:", "  europe:"))
        eu.ask("DELETE", "/simulator/faults")
        server.start()
        wait_until(lambda: server.get(f"/v1/pages/{page['id']}")["deliveries"][0]["state"] == "accepted")
    assert "renamed" in incidents(eu)


def test_a_key_that_nobody_knows_is_the_default_accounts(house):
    """Which is the first: it is asked, and the other is not."""
    us, eu, server = house
    key = "c0ffee0000000000000000000nowhere"
    before = len(eu.get("/simulator/events"))
    page = server.ask("POST", "/v1/pages", params={"wait": 10}, json={"keys": [key], "message": "who?"})
    assert page["deliveries"][0]["state"] == "rejected"
    assert us.get("/simulator/events")[-1]["key"] == key
    assert len(eu.get("/simulator/events")) == before


def test_a_service_of_both_accounts_is_named_with_its_account(house):
    """The pages of an application follow."""
    us, eu, server = house
    server.ask("PATCH", "/v1/applications/shop", json={"email": "s@example.com", "service": "eu/Search"})
    server.ask(
        "POST", "/v1/pages", params={"wait": 10}, json={"applications": ["shop"], "message": "the shop"}
    )
    assert "the shop" in incidents(eu)
    assert "the shop" not in incidents(us)


def test_the_table_of_services_has_a_column_for_the_account(house):
    """Two of one name are two lines."""
    _, _, server = house
    arguments = [sys.executable, "-m", "masthead", "--server", server.url, "services", "search"]
    said = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True).stdout
    head, us, eu = (line.split() for line in said.strip().split("\n")[:3])
    assert (head[0], us[:2], eu[:2]) == ("ACCOUNT", ["us", "Search"], ["eu", "Search"])


def test_a_scope_that_the_app_was_not_given_is_told(house):
    """In the catalog's state, in health and in the log; the app's secret never."""
    _, _, server = house
    state = server.get("/v1/catalog")
    assert state["trouble"]["text"].startswith("Account eu: PagerDuty did not give the OAuth app all scopes")
    assert "incidents.read" in state["accounts"]["eu"]["trouble"]["text"]
    assert state["accounts"]["us"]["trouble"] is None
    health = server.get("/health")["components"]["catalog"]["details"]["accounts"]
    assert "incidents.read" in health["eu"]["error"]
    assert "error" not in health["us"]
    said = server.output()
    assert "oauth.scopes-missing" in said
    assert "eu-canary" not in said
    assert "pdus+" not in said
