"""Front50's door: applications, pipelines, permissions, notifications."""

from __future__ import annotations

import pytest

APP = {"name": "demo", "email": "team@example.com", "custom": [1]}


async def test_an_application_lives_through_its_routes(client):
    """Create, read, merge, replace, history, delete, as Front50 does."""
    made = await client.post("/front50/v2/applications", json=APP)
    assert (made.status_code, made.json()["name"]) == (200, "DEMO")
    assert (await client.get("/front50/v2/applications/Demo")).json()["custom"] == [1]
    merged = await client.patch("/front50/v2/applications/demo", json={"name": "demo", "description": "d"})
    assert (merged.json()["description"], merged.json()["custom"]) == ("d", [1])
    replaced = await client.put("/front50/v2/applications/demo", json={"name": "demo", "email": "x@y.z"})
    assert "custom" not in replaced.json()
    assert len((await client.get("/front50/v2/applications/demo/history")).json()) == 3
    for _ in range(2):
        gone = await client.delete("/front50/v2/applications/demo")
        assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.get("/front50/v2/applications/demo")).status_code == 404


async def test_an_application_that_breaks_the_rules_has_front50s_body(client):
    """Every rule that is broken is named."""
    answer = await client.post("/front50/v2/applications", json={"name": "demo"})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": "Validation Failed.",
            "errors": ["Application must have a non-empty email"],
            "status": "BAD_REQUEST",
        },
    )


async def test_an_application_that_exists_is_not_created_again(client):
    """With the text that upstream loses."""
    await client.post("/front50/v2/applications", json=APP)
    answer = await client.post("/front50/v2/applications", json=APP)
    assert (answer.status_code, answer.json()["message"]) == (400, "Application already exists")


async def test_names_in_path_and_body_must_agree(client):
    """In Front50's words."""
    answer = await client.patch("/front50/v2/applications/demo", json={"name": "other"})
    assert answer.json()["message"] == "Application name 'OTHER' does not match path parameter 'demo'"


async def test_applications_are_filtered_by_any_attribute(client):
    """PageSize cuts; restricted is no attribute."""
    await client.post("/front50/v2/applications", json=APP)
    found = (await client.get("/front50/v2/applications?email=TEAM@&restricted=true")).json()
    assert [one["name"] for one in found] == ["DEMO"]
    assert len((await client.get("/front50/v2/applications?pageSize=1")).json()) == 1


async def test_the_application_for_no_application_stays(client):
    """Deck files pages that belong to none under spinnaker."""
    assert (await client.delete("/front50/v2/applications/spinnaker")).status_code == 409


async def test_a_pipeline_lives_through_its_routes(demo):
    """Save, read by id and name, change, list, history, delete."""
    client = demo.client
    saved = (
        await client.post("/front50/pipelines", json={"application": "demo", "name": "Go", "x": 1})
    ).json()
    assert saved["x"] == 1
    by_id = await client.get(f"/front50/pipelines/{saved['id']}/get")
    by_name = await client.get("/front50/pipelines/demo/name/gO?refresh=true")
    assert by_id.json()["id"] == by_name.json()["id"] == saved["id"]
    changed = await client.put(f"/front50/pipelines/{saved['id']}", json={**saved, "name": "Went"})
    assert changed.json()["name"] == "Went"
    assert [one["name"] for one in (await client.get("/front50/pipelines/demo")).json()] == ["Went"]
    assert [one["name"] for one in (await client.get("/front50/pipelines?enabledPipelines=true")).json()] == [
        "Went"
    ]
    assert len((await client.get(f"/front50/pipelines/{saved['id']}/history?limit=5")).json()) == 2
    assert (await client.delete("/front50/pipelines/demo/went")).status_code == 200
    answer = await client.delete("/front50/pipelines/demo/went")
    assert answer.json()["message"] == "No pipeline found with name 'went' in application 'demo'"


async def test_an_incomplete_pipeline_is_a_422(client):
    """The one 422 of Front50."""
    answer = await client.post("/front50/pipelines", json={"name": "x"})
    assert (answer.status_code, answer.json()["message"]) == (
        422,
        "A pipeline requires name and application fields",
    )


async def test_pipelines_are_saved_in_a_batch(demo):
    """Always 200, with what failed."""
    body = [{"application": "demo", "name": "one"}, {"application": "demo", "name": "ONE"}]
    answer = await demo.client.post("/front50/pipelines/batchUpdate", json=body)
    assert (answer.status_code, answer.json()["failed_pipelines_count"]) == (200, 1)


async def test_pipelines_that_start_after_another_are_found(demo):
    """By id and status of the one that ended."""
    first = await demo.pipeline("first")
    trigger = {"type": "pipeline", "enabled": True, "pipeline": first["id"], "status": ["failed"]}
    await demo.pipeline("second", triggers=[trigger])
    found = (await demo.client.get(f"/front50/pipelines/triggeredBy/{first['id']}/failed")).json()
    assert [one["name"] for one in found] == ["second"]
    assert (await demo.client.get(f"/front50/pipelines/triggeredBy/{first['id']}/successful")).json() == []


async def test_pipelines_are_put_in_another_order(demo):
    """200 and empty; an id of another application is refused."""
    one, two = await demo.pipeline("one"), await demo.pipeline("two")
    body = {"application": "demo", "idsToIndices": {one["id"]: 1, two["id"]: 0}}
    assert (await demo.client.post("/front50/actions/pipelines/reorder", json=body)).content == b""
    names = [each["name"] for each in (await demo.client.get("/front50/pipelines/demo")).json()]
    assert names == ["two", "one"]
    answer = await demo.client.post(
        "/front50/actions/pipelines/reorder", json={**body, "application": "spinnaker"}
    )
    assert answer.status_code == 400


async def test_permissions_are_open_and_stay_so(demo):
    """What Orca sends with every new application is taken; a role is not."""
    path = "/front50/permissions/applications/demo"
    assert (await demo.client.get(path)).json() == {"name": "DEMO", "permissions": {}}
    open_to_all = {"name": "demo", "permissions": {"READ": [], "WRITE": []}}
    assert (await demo.client.put(path, json=open_to_all)).status_code == 200
    restricted = {"name": "demo", "permissions": {"READ": ["ops"]}}
    assert (await demo.client.put(path, json=restricted)).status_code == 501
    assert (await demo.client.delete(path)).status_code == 204
    assert (await demo.client.get("/front50/permissions/applications/nope")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"), [("application/demo", 200), ("GLOBAL/x", 200), ("other/demo", 400)]
)
async def test_notification_documents_are_empty(client, path, status):
    """Only the two kinds that exist."""
    answer = await client.get(f"/front50/notifications/{path}")
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {}
