"""Masthead's own routes: names and states, never a key."""

from __future__ import annotations

import pytest

from masthead.kernel.errors import OutsideFailure, Reason
from masthead.ownership import Ownership
from support.doors import CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY


async def test_services_say_whether_they_can_be_paged(client):
    """With people, protocol, and the reason where they cannot."""
    found = (await client.get("/v1/services")).json()
    assert (found["total"], found["catalog"]["services"]) == (3, 3)
    checkout, payments, mail = found["services"]
    assert checkout["isPageable"]
    assert [one["user"] for one in checkout["onCall"]] == ["Ada Lovelace", "Grace Hopper"]
    assert [one["protocol"] for one in checkout["integrations"] if one["isOffered"]] == ["v2"]
    assert "disabled" in payments["warning"]
    assert (mail["isPageable"], mail["onCall"]) == (False, [])
    assert "integration" in mail["reason"]


async def test_services_are_searched_and_cut(client):
    """Q searches people too; limit cuts, total does not."""
    assert [one["id"] for one in (await client.get("/v1/services?q=lovelace")).json()["services"]] == [
        "PSVC01"
    ]
    cut = (await client.get("/v1/services?limit=1")).json()
    assert (len(cut["services"]), cut["total"]) == (1, 3)


@pytest.mark.parametrize("what", ["services", "oncalls"])
async def test_a_list_is_given_in_parts(client, what):
    """So that one of any length can be read; beyond its end there is nothing."""
    whole = (await client.get(f"/v1/{what}")).json()
    parts = [(await client.get(f"/v1/{what}?limit=2&offset={at}")).json() for at in (0, 2, 4, 6)]
    assert [one for part in parts for one in part[what]] == whole[what]
    assert {part["total"] for part in parts} == {len(whole[what])}
    assert (await client.get(f"/v1/{what}?offset=-1")).status_code == 400


async def test_a_service_names_the_applications_that_page_it(demo):
    """By any of its keys."""
    found = (await demo.client.get("/v1/services/PSVC01")).json()
    assert found["applications"] == ["demo"]
    assert (await demo.client.get("/v1/services/PSVC02")).json()["applications"] == []
    assert (await demo.client.get("/v1/services/nope")).status_code == 404


async def test_oncalls_are_searched_by_person_policy_or_service(client):
    """Each says for which services."""
    found = (await client.get("/v1/oncalls?q=checkout")).json()
    assert found["total"] == 2
    assert {one["user"] for one in found["oncalls"]} == {"Ada Lovelace", "Grace Hopper"}
    assert found["oncalls"][0]["services"] == ["Checkout"]
    assert (await client.get("/v1/oncalls?q=ada&limit=5")).json()["total"] == 1


async def test_the_catalog_says_what_is_wrong(house):
    """Reason and remedy; a refresh answers the state afterwards."""
    assert (await house.client.get("/v1/catalog")).json()["trouble"] is None
    house.rest.failure = OutsideFailure("Check the token.", reason=Reason.TOKEN)
    state = (await house.client.post("/v1/catalog/refresh")).json()
    assert (state["trouble"]["reason"], state["trouble"]["text"]) == ("token", "Check the token.")
    assert state["services"] == 3
    house.rest.failure = None
    assert (await house.client.post("/v1/catalog/refresh")).json()["trouble"] is None


async def test_a_service_is_chosen_by_part_of_its_name(house):
    """Its key is stored in the application, and the answer says who would be woken."""
    await house.application()
    path = "/v1/applications/demo/pagerduty-service"
    before = (await house.client.get(path)).json()
    assert (before["service"], before["wouldWake"]) == (None, [])
    assert "nobody" in before["warning"]
    chosen = (await house.client.put(path, json={"service": "check"})).json()
    assert (chosen["service"]["name"], chosen["wouldWake"], chosen["warning"]) == (
        "Checkout",
        ["Ada Lovelace"],
        None,
    )
    stored = await house.services.applications.get("demo")
    assert stored["pdApiKey"] == CHECKOUT_KEY


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 400, "its id, its name"),
        ({"service": " "}, 400, "its id, its name"),
        ({"service": "m"}, 400, "Payments (PSVC02), Mail (PSVC03)"),
        ({"service": "nope"}, 404, "nope"),
        ({"service": "Mail"}, 400, "cannot be paged"),
    ],
)
async def test_a_service_that_cannot_be_chosen_says_why(house, body, status, says):
    """Candidates are listed; nothing is stored."""
    await house.application()
    answer = await house.client.put("/v1/applications/demo/pagerduty-service", json=body)
    assert answer.status_code == status
    assert says in answer.json()["message"]
    assert "pdApiKey" not in await house.services.applications.get("demo")


async def test_no_service_is_chosen_for_an_application_that_does_not_exist(house):
    """404, as for any other question about it."""
    answer = await house.client.put("/v1/applications/nope/pagerduty-service", json={"service": "Checkout"})
    assert (answer.status_code, answer.json()["message"]) == (404, "Application not found (id: nope)")


async def test_an_application_is_saved_with_its_service_in_one_go(house):
    """Made and changed by the same request; what is not mentioned stays."""
    path, mail = "/v1/applications/shop", {"email": "shop@example.com"}
    made = (await house.client.patch(path, json={**mail, "service": "PSVC01", "x": 1})).json()
    assert (made["name"], made["pdApiKey"], made["x"]) == ("SHOP", "Checkout", 1)
    assert (await house.client.patch(path, json={"description": "sells"})).json()["pdApiKey"] == "Checkout"
    stored = await house.services.applications.get("shop")
    assert (stored["pdApiKey"], stored["description"]) == (CHECKOUT_KEY, "sells")
    assert "service" not in stored


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"service": "m"}, 400, "Payments (PSVC02), Mail (PSVC03)"),
        ({"service": "Mail"}, 400, "cannot be paged"),
        ({"service": "nope"}, 404, "nope"),
        ({"service": ""}, 400, "its id, its name"),
        ({"service": 7}, 400, "its id, its name"),
        ({"pdApiKey": CHECKOUT_KEY}, 400, "Name the service"),
        ({"name": "other"}, 400, "does not match"),
    ],
)
async def test_what_cannot_be_saved_whole_is_not_saved_in_part(house, body, status, says):
    """The e-mail beside it is not stored either."""
    answer = await house.client.patch("/v1/applications/shop", json={"email": "a@b.c", **body})
    assert answer.status_code == status
    assert says in answer.json()["message"]
    assert await house.services.applications.find("shop") is None


async def test_a_required_service_is_asked_for_where_masthead_saves_itself(house):
    """pagerDuty.required binds /v1, not Front50's and Deck's own way, where it only ever was a rule of a form."""
    catalog, applications = house.services.catalog, house.services.applications
    object.__setattr__(house.services, "ownership", Ownership(applications, catalog, requires_service=True))
    path, mail = "/v1/applications/shop", {"email": "shop@example.com"}
    refused = await house.client.patch(path, json=mail)
    assert refused.status_code == 400
    assert refused.json() == {
        "error": "Validation Failed.",
        "errors": [
            "Application must have a PagerDuty service, because pagerDuty.required is true: choose one."
        ],
        "status": "BAD_REQUEST",
    }
    compatible = await house.client.post("/front50/v2/applications", json={"name": "shop", **mail})
    assert compatible.status_code == 200
    assert (await house.client.patch(path, json={"description": "x"})).status_code == 400
    assert (await house.client.patch(path, json={"service": "Checkout"})).status_code == 200
    assert (await house.client.patch(path, json={"description": "x"})).status_code == 200


@pytest.mark.parametrize(
    ("key", "warning"),
    [(UNKNOWN_KEY, "knows no service"), (PAYMENTS_KEY, "disabled")],
)
async def test_an_owner_that_would_not_be_woken_is_warned_of(house, key, warning):
    """Before the night in which it matters."""
    await house.application(pdApiKey=key)
    owner = (await house.client.get("/v1/applications/demo/pagerduty-service")).json()
    assert warning in owner["warning"]


async def test_applications_show_the_service_in_the_keys_place(demo):
    """One or all, searched by name, e-mail and description."""
    assert (await demo.client.get("/v1/applications/demo")).json()["pdApiKey"] == "Checkout"
    listed = (await demo.client.get("/v1/applications?q=TEAM")).json()["applications"]
    assert [one["pdApiKey"] for one in listed] == ["Checkout"]


async def test_the_settings_for_pages_are_decks(client):
    """Deck's defaults, in Deck's shape."""
    settings = (await client.get("/v1/settings")).json()
    assert settings == {
        "version": "1.2.3",
        "feature": {"pagerDuty": True},
        "pagerDuty": {
            "accountName": "",
            "defaultSubject": "Urgent Issue",
            "defaultDetails": "",
            "required": False,
        },
    }


async def test_no_key_stands_anywhere_under_v1(demo):
    """Every GET is asked and searched for the keys that the house holds."""
    from masthead.api.app import operations_of

    await demo.application("other", pdApiKey=UNKNOWN_KEY)
    body = {
        "notificationType": "PAGER_DUTY",
        "to": [PAYMENTS_KEY, UNKNOWN_KEY],
        "additionalContext": {"message": "m"},
    }
    page = (await demo.client.post("/echo/notifications", json=body)).headers["x-masthead-page"]
    names = {"/services/{id}": "PSVC01", "/pages/{id}": page}
    for operation in operations_of("v1"):
        if operation.method != "GET":
            continue
        for name in (names.get(operation.path, "demo"), "other"):
            path = operation.path.replace("{id}", name).replace("{name}", name)
            text = (await demo.client.get(f"/v1{path}")).text
            assert not any(key in text for key in (CHECKOUT_KEY, PAYMENTS_KEY, UNKNOWN_KEY)), path
