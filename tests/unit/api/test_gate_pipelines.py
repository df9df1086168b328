"""Pipelines through Gate: saved, started, read and removed."""

from __future__ import annotations

import pytest

WAIT = {"type": "wait", "waitTime": 0, "refId": "1", "requisiteStageRefIds": []}
RELEASE = {"application": "demo", "name": "release", "stages": [WAIT], "custom": {"kept": True}}


async def test_a_pipeline_is_saved_and_listed_at_once(demo):
    """200 with an empty body; the list has it the moment the answer came, found by name or id."""
    client = demo.client
    answer = await client.post("/pipelines?staleCheck=true", json=RELEASE)
    assert (answer.status_code, answer.content) == (200, b"")
    [config] = (await client.get("/applications/demo/pipelineConfigs")).json()
    assert (config["name"], config["index"], config["custom"]) == ("release", 0, {"kept": True})
    for known_as in ("release", config["id"]):
        assert (await client.get(f"/applications/demo/pipelineConfigs/{known_as}")).json()["id"] == config[
            "id"
        ]
    assert (await client.get("/applications/demo/strategyConfigs")).json() == []
    assert [one["id"] for one in (await client.get("/pipelineConfigs")).json()] == [config["id"]]


async def test_a_pipeline_that_cannot_be_saved_says_why(demo):
    """400 with the task's first error, where upstream wraps it twice."""
    await demo.pipeline()
    answer = await demo.client.post("/pipelines", json=RELEASE)
    assert answer.status_code == 400
    assert "A pipeline with name release already exists in application demo" in answer.json()["message"]


async def test_what_is_wrong_with_a_pipeline_is_said_with_its_place(demo):
    """All of it, as at Front50's door."""
    stages = [WAIT | {"waitTime": "soon"}, {"type": "noop", "refId": "2", "requisiteStageRefIds": ["9"]}]
    for path in ("/pipelines", "/front50/pipelines"):
        answer = await demo.client.post(path, json=RELEASE | {"stages": stages})
        assert answer.status_code == 400
        body = answer.json()
        assert body["pointer"] == "/stages/1/requisiteStageRefIds/0"
        assert body["pointers"] == ["/stages/1/requisiteStageRefIds/0", "/stages/0/waitTime"]
        assert body["errors"] == [
            "Stage 'noop' waits for refId '9', which no stage has.",
            "`waitTime` must be a number of seconds.",
        ]


async def test_several_pipelines_are_saved_and_counted(demo):
    """Front50's four counts and lists."""
    await demo.pipeline("taken")
    pipelines = [RELEASE, {"application": "demo", "name": "taken", "stages": []}]
    result = (await demo.client.post("/pipelines/bulksave", json=pipelines)).json()
    assert (result["successful_pipelines_count"], result["failed_pipelines_count"]) == (1, 1)
    assert result["successful_pipelines"] == ["release"]
    assert result["failed_pipelines"][0]["name"] == "taken"


async def test_a_pipeline_is_changed_under_its_id(demo):
    """PUT answers what is stored."""
    config = await demo.pipeline()
    answer = await demo.client.put(f"/pipelines/{config['id']}", json={**config, "name": "renamed"})
    assert (answer.status_code, answer.json()["name"]) == (200, "renamed")
    versions = (await demo.client.get(f"/pipelineConfigs/{config['id']}/history")).json()
    assert [one["name"] for one in versions] == ["renamed", "release"]


async def test_a_pipeline_is_deleted_by_name(demo):
    """Whatever the case; one that is not there is no error."""
    await demo.pipeline("a/b release")
    assert (await demo.client.delete("/pipelines/demo/A/B%20Release")).status_code == 200
    assert (await demo.client.get("/applications/demo/pipelineConfigs")).json() == []
    answer = await demo.client.delete("/pipelines/demo/nope")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_pipelines_are_put_in_another_order(demo):
    """By ids and indices; what is missing is named."""
    one, two = await demo.pipeline("one"), await demo.pipeline("two")
    body = {"application": "demo", "idsToIndices": {one["id"]: 1, two["id"]: 0}}
    assert (await demo.client.post("/actions/pipelines/reorder", json=body)).status_code == 200
    names = [each["name"] for each in (await demo.client.get("/applications/demo/pipelineConfigs")).json()]
    assert names == ["two", "one"]
    answer = await demo.client.post("/actions/pipelines/reorder", json={"application": "demo"})
    assert answer.json()["message"] == "`idsToIndices` is required field on request body"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/pipelines/demo/release", 202), ("/applications/demo/pipelineConfigs/release", 200)],
)
async def test_a_pipeline_is_started_by_name(demo, path, status):
    """The trigger's user is the caller's unless it says another."""
    await demo.pipeline()
    answer = await demo.client.post(path, json={"type": "manual"}, headers={"X-SPINNAKER-USER": "bob"})
    assert answer.status_code == status
    execution = await demo.ended(answer.json()["ref"])
    assert (execution["status"], execution["trigger"]["user"]) == ("SUCCEEDED", "bob")
    listed = (await demo.client.get("/applications/demo/pipelines?limit=2&expand=false")).json()
    assert [one["id"] for one in listed] == [execution["id"]]


async def test_a_pipeline_is_started_without_a_body(demo):
    """The trigger is optional."""
    config = await demo.pipeline()
    answer = await demo.client.post(f"/pipelines/demo/{config['id']}")
    assert answer.status_code == 202
    assert (await demo.ended(answer.json()["ref"]))["pipelineConfigId"] == config["id"]


async def test_deck_gets_an_event_id_as_well(demo):
    """POST /pipelines/v2: the reference is the execution's own."""
    await demo.pipeline()
    answer = await demo.client.post("/pipelines/v2/demo/release", json={"type": "manual", "parameters": {}})
    assert answer.status_code == 202
    execution = await demo.ended(answer.json()["ref"])
    assert execution["trigger"]["eventId"] == answer.json()["eventId"]


async def test_spins_nested_trigger_is_understood(demo):
    """The parameters arrive, which upstream loses."""
    await demo.pipeline(parameterConfig=[{"name": "env", "required": True, "default": ""}])
    body = {"trigger": {"type": "manual", "parameters": {"env": "prod"}}}
    answer = await demo.client.post("/pipelines/demo/release", json=body)
    execution = await demo.ended(answer.json()["ref"])
    assert execution["trigger"]["parameters"] == {"env": "prod"}
    assert "trigger" not in execution["trigger"]


async def test_a_required_parameter_is_required(demo):
    """Unless it has a default."""
    declared = [{"name": "env", "required": True}, {"name": "size", "required": True, "default": "s"}]
    await demo.pipeline(parameterConfig=declared)
    for body in ({}, {"parameters": {"env": None}}):
        answer = await demo.client.post("/pipelines/demo/release", json=body)
        assert answer.status_code == 400
        assert answer.json()["message"] == "Required parameter env is missing"
    answer = await demo.client.post("/pipelines/demo/release", json={"parameters": []})
    assert answer.status_code == 400


@pytest.mark.parametrize("wrong", [7, "abc", {"a": 1}])
async def test_notifications_that_are_no_list_are_refused(demo, wrong):
    """Of the trigger, and of a pipeline that was stored with such ones."""
    await demo.pipeline()
    answer = await demo.client.post("/pipelines/demo/release", json={"notifications": wrong})
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/notifications")
    await demo.pipeline("odd", notifications=wrong)
    answer = await demo.client.post("/pipelines/demo/odd", json={})
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/notifications")


async def test_what_cannot_be_started_says_so_in_gates_words(demo):
    """An unknown pipeline, one of another application, and one that is switched off."""
    start = "Unable to trigger pipeline (application: demo, pipelineNameOrId: {}). Error: "
    answer = await demo.client.post("/pipelines/demo/nope")
    assert answer.status_code == 404
    assert answer.json()["message"].startswith(start.format("nope"))
    await demo.application("other")
    other = await demo.pipeline(application="other", name="theirs")
    assert (await demo.client.post(f"/pipelines/demo/{other['id']}")).status_code == 404
    await demo.pipeline("off", disabled=True)
    answer = await demo.client.post("/pipelines/demo/off")
    assert answer.status_code == 400
    assert answer.json()["message"] == start.format("off") + "Pipeline is disabled and cannot be started."


async def test_a_whole_pipeline_in_the_body_is_started(demo):
    """POST /pipelines/start, as Orca's /orchestrate."""
    answer = await demo.client.post("/pipelines/start", json=RELEASE)
    assert answer.status_code == 200
    assert (await demo.ended(answer.json()["ref"]))["status"] == "SUCCEEDED"


async def test_executions_are_found_by_either_kind_of_id(demo):
    """Unknown ids are skipped; neither parameter gives none; both are refused."""
    config = await demo.pipeline()
    ref = (await demo.client.post("/pipelines/demo/release")).json()["ref"]
    execution_id = (await demo.ended(ref))["id"]
    by_id = (await demo.client.get(f"/executions?executionIds=nope,{execution_id}")).json()
    by_config = (await demo.client.get(f"/executions?pipelineConfigIds={config['id']}&limit=5")).json()
    assert [one["id"] for one in by_id] == [one["id"] for one in by_config] == [execution_id]
    assert (await demo.client.get("/executions")).json() == []
    answer = await demo.client.get("/executions?pipelineConfigIds=a&executionIds=b")
    assert answer.json()["message"] == "Only pipelineConfigIds OR executionIds can be specified"


async def test_an_execution_is_cancelled_and_deleted(demo):
    """200 and empty; gone is Gate's 404."""
    await demo.pipeline(stages=[{**WAIT, "waitTime": 3600}])
    ref = (await demo.client.post("/pipelines/demo/release")).json()["ref"]
    assert (await demo.client.put(f"{ref}/cancel?reason=enough")).content == b""
    execution = await demo.ended(ref)
    assert (execution["status"], execution["cancellationReason"]) == ("CANCELED", "enough")
    assert (await demo.client.delete(ref)).status_code == 200
    answer = await demo.client.get(ref)
    assert (answer.status_code, answer.json()["message"]) == (
        404,
        f"Pipeline not found (id: {execution['id']})",
    )
