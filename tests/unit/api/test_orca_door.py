"""Orca's door: starting, reading and stopping executions."""

from __future__ import annotations

import pytest

WAIT = {"type": "wait", "waitTime": 0}
RUN = {"application": "demo", "name": "release", "stages": [WAIT]}


@pytest.mark.parametrize("kind", ["application/json", "application/context+json"])
async def test_a_pipeline_is_orchestrated(demo, kind):
    """Both media types; the reference is without Orca's prefix, as Gate's clients expect."""
    from msgspec.json import encode

    answer = await demo.client.post("/orca/orchestrate", content=encode(RUN), headers={"Content-Type": kind})
    assert answer.status_code == 200
    ref = answer.json()["ref"]
    await demo.ended(ref)
    execution = (await demo.client.get("/orca" + ref)).json()
    assert (execution["type"], execution["status"]) == ("PIPELINE", "SUCCEEDED")


async def test_a_stored_pipeline_is_orchestrated_by_id(demo):
    """The body is the trigger; an unknown id is Orca's 404 with a timestamp in milliseconds."""
    config = await demo.pipeline()
    answer = await demo.client.post(f"/orca/orchestrate/{config['id']}", json={"type": "cron"})
    assert (await demo.ended(answer.json()["ref"]))["trigger"]["type"] == "cron"
    answer = await demo.client.post("/orca/orchestrate/nope", json={})
    assert (answer.status_code, answer.json()["message"]) == (404, "Pipeline config nope not found")
    assert isinstance(answer.json()["timestamp"], int)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"application": "demo", "description": "d", "job": [WAIT]}, "application/context+json"),
        ({"job": [WAIT]}, "application/context+json"),
        ([WAIT], "application/json"),
    ],
)
async def test_jobs_are_run(demo, body, kind):
    """Also without description and application, and as a bare list, where upstream fails."""
    from msgspec.json import encode

    answer = await demo.client.post("/orca/ops", content=encode(body), headers={"Content-Type": kind})
    ref = answer.json()["ref"]
    await demo.ended(ref)
    assert (await demo.client.get("/orca" + ref)).json()["status"] == "SUCCEEDED"


@pytest.mark.parametrize("body", [{}, [], {"job": [{}]}, {"job": "x"}, "text"])
async def test_jobs_that_are_none_are_refused(client, body):
    """400, nothing is started."""
    assert (await client.post("/orca/ops", json=body)).status_code == 400
    assert (await client.get("/orca/tasks")).json() == []


async def test_control_is_202_and_empty(demo):
    """Orca answers before it is done."""
    body = {"application": "demo", "job": [{"type": "wait", "waitTime": 3600}]}
    refs = [(await demo.client.post("/orca/ops", json=body)).json()["ref"] for _ in range(2)]
    answer = await demo.client.put(f"/orca{refs[0]}/cancel")
    assert (answer.status_code, answer.content) == (202, b"")
    answer = await demo.client.put("/orca/tasks/cancel", json=[refs[1].rpartition("/")[2]])
    assert (answer.status_code, answer.content) == (202, b"")
    for ref in refs:
        assert (await demo.ended(ref))["status"] == "CANCELED"
    assert (await demo.client.delete(f"/orca{refs[0]}")).status_code == 200
    answer = await demo.client.put("/orca/tasks/cancel", json={"ids": []})
    assert answer.status_code == 400


async def test_a_pipelines_run_is_no_task_and_the_other_way_round(demo):
    """Each kind has its own paths and words."""
    ref = (await demo.client.post("/orca/orchestrate", json=RUN)).json()["ref"]
    execution_id = ref.rpartition("/")[2]
    answer = await demo.client.get(f"/orca/tasks/{execution_id}")
    assert answer.json()["message"] == f"No orchestration found for {execution_id}"
    assert (await demo.client.put(f"/orca/tasks/{execution_id}/cancel")).status_code == 404
    assert (
        (await demo.client.get("/orca/pipelines/nope"))
        .json()["message"]
        .startswith("No pipeline found for nope")
    )


async def test_lists(demo):
    """By application, with Orca's reduction, and by ids."""
    await demo.pipeline()
    ref = (await demo.client.post("/pipelines/demo/release")).json()["ref"]
    execution = await demo.ended(ref)
    for path in (
        "/orca/applications/demo/pipelines?expand=false",
        "/orca/v2/applications/demo/pipelines?statuses=SUCCEEDED,TERMINAL",
        f"/orca/pipelines?executionIds={execution['id']}",
    ):
        assert [one["id"] for one in (await demo.client.get(path)).json()] == [execution["id"]]
    reduced = (await demo.client.get("/orca/applications/demo/pipelines?expand=false")).json()[0]
    assert reduced["stages"][0]["tasks"] == []
    assert (await demo.client.get("/orca/pipelines")).json() == []
    assert (await demo.client.get("/orca/applications/demo/tasks")).json() == []


@pytest.mark.parametrize("name", ["running", "waiting"])
async def test_the_lists_that_orca_gave_up_are_gone(demo, name):
    """410, and where to look instead."""
    answer = await demo.client.get(f"/orca/pipelines/{name}")
    assert (answer.status_code, answer.json()["error"]) == (410, "Gone")
    assert "statuses=RUNNING" in answer.json()["message"]
