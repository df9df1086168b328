"""Gate's door: applications, tasks, the catalog, and what Deck needs to hear."""

from __future__ import annotations

import pytest

from masthead.catalog import Catalog
from masthead.kernel.errors import OutsideFailure, Reason
from support.doors import CHECKOUT_KEY, PAYMENTS_KEY

PAGE = {"type": "pageApplicationOwner", "message": "db down", "applications": ["demo"]}


async def test_services_have_gates_shape(client):
    """Every service is there; the key is that of the first integration that takes events."""
    services = (await client.get("/pagerDuty/services")).json()
    assert services[0] == {
        "id": "PSVC01",
        "integration_key": CHECKOUT_KEY,
        "lastIncidentTimestamp": "2026-11-01T10:00:00Z",
        "name": "Checkout",
        "policy": "PPOL01",
        "status": "active",
    }
    assert [one["integration_key"] for one in services] == [CHECKOUT_KEY, PAYMENTS_KEY, None]


async def test_oncalls_are_grouped_by_policy_and_sorted_by_level(client):
    """As PagerDuty gave them; entries without a policy stand under null."""
    oncalls = (await client.get("/pagerDuty/oncalls")).json()
    assert set(oncalls) == {"PPOL01", "PPOL02", "null"}
    assert [one["user"]["summary"] for one in oncalls["PPOL01"]] == ["Ada Lovelace", "Grace Hopper"]
    assert oncalls["PPOL02"][0]["user"] is None


async def test_a_catalog_in_trouble_is_still_answered(house):
    """The last good snapshot with 200; the trouble, in one line, in a header."""
    house.rest.failure = OutsideFailure("Wrong\ntoken — 401", reason=Reason.TOKEN)
    await house.services.catalog.refresh()
    answer = await house.client.get("/pagerDuty/services")
    assert (answer.status_code, len(answer.json())) == (200, 3)
    assert answer.headers["x-masthead-catalog-error"] == "token: Wrong token ? 401"
    assert int(answer.headers["x-masthead-catalog-age"]) >= 0


async def test_a_catalog_that_never_came_says_that_it_has_still_to_come(house, database):
    """An empty list and why, for services and on-calls apart."""
    never = Catalog(house.rest, database, house.services.clock, account="new")
    object.__setattr__(house.services, "catalog", never)
    for path, what in (("/pagerDuty/services", "services"), ("/pagerDuty/oncalls", "on-calls")):
        answer = await house.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-masthead-catalog-error"] == (
            f"PagerDuty's {what} have not been read yet; ask again in a moment."
        )
        assert "x-masthead-catalog-age" not in answer.headers


async def test_each_list_tells_of_its_own_trouble(house):
    """A token that may not see on-calls makes no services stale."""
    house.rest.fails["oncalls"] = OutsideFailure("The token may not read on-calls.", reason=Reason.SCOPE)
    await house.services.catalog.refresh()
    assert "x-masthead-catalog-error" not in (await house.client.get("/pagerDuty/services")).headers
    answer = await house.client.get("/pagerDuty/oncalls")
    assert answer.headers["x-masthead-catalog-error"] == "scope: The token may not read on-calls."
    state = (await house.client.get("/v1/catalog")).json()
    assert (state["servicesExplanation"], state["oncallsExplanation"]) == (
        None,
        "The token may not read on-calls.",
    )


async def test_without_a_token_there_are_no_pagerduty_routes(house, database):
    """404 as upstream, with the remedy in the message."""
    object.__setattr__(house.services, "catalog", Catalog(None, database, house.services.clock))
    for path in ("/pagerDuty/services", "/pagerDuty/oncalls"):
        answer = await house.client.get(path)
        assert answer.status_code == 404
        assert "token" in answer.json()["message"]


async def test_an_application_is_made_by_a_task_and_read_at_once(client, house):
    """Deck's way: POST /tasks, GET /tasks/{id} the moment it answers, then the application."""
    job = {"type": "createApplication", "application": {"name": "demo", "email": "a@b.c", "x": {"y": 1}}}
    body = {"application": "demo", "description": "Create Application: demo", "job": [job]}
    answer = await client.post("/tasks", json=body, headers={"X-SPINNAKER-USER": "ann@example.com"})
    assert answer.status_code == 200
    ref = answer.json()["ref"]
    assert (await client.get(ref)).json()["name"] == "Create Application: demo"
    assert (await house.ended(ref))["status"] == "SUCCEEDED"
    found = (await client.get("/applications/DEMO")).json()
    assert (found["name"], found["clusters"]) == ("demo", {})
    assert found["attributes"]["x"] == {"y": 1}
    assert found["attributes"]["lastModifiedBy"] == "ann@example.com"


async def test_an_unknown_application_is_gates_404(client):
    """In Gate's words."""
    answer = await client.get("/applications/nope")
    assert (answer.status_code, answer.json()["message"]) == (404, "Application not found (id: nope)")


async def test_applications_are_attribute_maps(house):
    """Names in lower case; account and owner filter."""
    await house.application("one", accounts="prod, test")
    await house.application("two", email="Bob@example.com")
    names = [one["name"] for one in (await house.client.get("/applications")).json()]
    assert names == ["one", "spinnaker", "two"]
    by_account = (await house.client.get("/applications?account=test")).json()
    by_owner = (await house.client.get("/applications?owner=bob@EXAMPLE.com")).json()
    assert [one["name"] for one in (*by_account, *by_owner)] == ["one", "two"]


async def test_history_has_the_newest_first(house):
    """What was changed by whom."""
    await house.application()
    await house.services.applications.merge("demo", {"name": "demo", "description": "new"}, house.ann)
    versions = (await house.client.get("/applications/demo/history?limit=1")).json()
    assert [one.get("description") for one in versions] == ["new"]


async def test_the_paths_application_wins(client, house):
    """POST /applications/{app}/tasks files the task under the path's application."""
    await house.application()
    answer = await client.post("/applications/demo/tasks", json={"application": "other", "job": [PAGE]})
    task = await house.ended(answer.json()["ref"])
    assert task["application"] == "demo"
    listed = (await client.get("/applications/demo/tasks?statuses=")).json()
    assert [one["id"] for one in listed] == [task["id"]]
    assert (await client.get("/applications/demo/tasks?statuses=RUNNING")).json() == []
    assert (await client.get(f"/applications/demo/tasks/{task['id']}")).json()["id"] == task["id"]


async def test_a_task_pages_and_shows_no_key(demo):
    """The seed's sentence through Gate; the key stays where it belongs."""
    answer = await demo.client.post("/tasks", json={"application": "demo", "job": [PAGE]})
    task = await demo.ended(answer.json()["ref"])
    assert task["status"] == "SUCCEEDED"
    assert CHECKOUT_KEY not in str(task)
    assert [event.summary for event in demo.sender.sent] == ["db down"]


async def test_a_task_that_runs_is_cancelled_and_then_deleted(client, house):
    """200 and empty; a running one cannot be deleted."""
    body = {"application": "demo", "job": [{"type": "wait", "waitTime": 3600}]}
    ref = (await client.post("/tasks", json=body)).json()["ref"]
    refused = await client.delete(ref)
    assert refused.status_code == 409
    assert refused.json()["message"] == "Cannot delete a running orchestration, please cancel it first."
    cancelled = await client.put(f"{ref}/cancel")
    assert (cancelled.status_code, cancelled.content) == (200, b"")
    assert (await house.ended(ref))["status"] == "CANCELED"
    assert (await client.put("/tasks/cancel?ids=" + ref.rpartition("/")[2])).status_code == 200
    assert (await client.delete(ref)).status_code == 200
    assert (await client.get(ref)).status_code == 404


async def test_who_is_logged_in(client):
    """Nobody in particular is an empty 200; a name is Gate's user."""
    nobody = await client.get("/auth/user")
    assert (nobody.status_code, nobody.content) == (200, b"")
    somebody = (await client.get("/auth/user", headers={"X-SPINNAKER-USER": "ann@example.com"})).json()
    assert (somebody["username"], somebody["email"], somebody["roles"]) == (
        "ann@example.com",
        "ann@example.com",
        [],
    )


async def test_one_account_lets_deck_offer_stages(client):
    """It is of a provider that Deck knows."""
    accounts = (await client.get("/credentials?expand=true")).json()
    assert [(one["name"], one["cloudProvider"], one["type"]) for one in accounts] == [
        ("pagerduty", "kubernetes", "kubernetes")
    ]
    assert (await client.get("/credentials/pagerduty")).json() == accounts[0]
    assert (await client.get("/credentials/other")).json() == []


@pytest.mark.parametrize(
    "kind", ["projects", "instances", "serverGroups", "loadBalancers", "securityGroups", ""]
)
async def test_the_search_finds_applications_and_nothing_else(demo, kind):
    """Other kinds answer without results, else Deck shows junk."""
    answer = (await demo.client.get(f"/search?q=dem&type={kind}&pageSize=500")).json()
    assert answer[0]["results"] == []
    found = (await demo.client.get("/search?q=DEM&type=applications&pageSize=500")).json()[0]
    assert found["totalMatches"] == 1
    assert found["results"] == [
        {"application": "demo", "provider": "masthead", "type": "applications", "url": "/applications/demo"}
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/applications",
        "/applications/demo",
        "/pagerDuty/services",
        "/credentials",
        "/applications/demo/pipelineConfigs",
    ],
)
async def test_gate_sorts_the_keys_of_every_object(demo, path):
    """As Gate's mapper does."""
    import json

    await demo.pipeline()

    def ordered(pairs):
        names = [name for name, _ in pairs]
        assert names == sorted(names)
        return dict(pairs)

    json.loads((await demo.client.get(path)).content, object_pairs_hook=ordered)


async def test_spin_finds_a_gate(client):
    """It asks for the version before every command, and ends when that fails."""
    answer = await client.get("/version")
    assert (answer.status_code, answer.json()) == (200, {"version": "1.2.3"})
    assert answer.headers["content-type"] == "application/json"
