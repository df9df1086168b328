"""Saving, deleting and reordering pipelines by task."""

from __future__ import annotations

import base64
import json

import pytest

from masthead.kernel.errors import InvalidRequest

KEY = "0123456789abcdef0123456789abcdea"


def encoded(value) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


PIPELINE = {"application": "demo", "name": "release", "stages": []}


@pytest.mark.parametrize("given", [PIPELINE, encoded(PIPELINE)])
async def test_a_pipeline_is_saved_as_object_or_base64(bench, given):
    """Both forms are accepted; the context tells application, name and id."""
    task = await bench.task({"type": "savePipeline", "pipeline": given, "user": "ann"})
    (saved,) = bench.pipelines.stored.values()
    assert task["status"] == "SUCCEEDED"
    assert saved["name"] == "release"
    assert bench.variable(task, "notification.type") == "savepipeline"
    assert bench.variable(task, "application") == "demo"
    assert bench.variable(task, "pipeline.name") == "release"
    assert bench.variable(task, "pipeline.id") == saved["id"]
    assert [step["name"] for step in task["steps"]] == ["savePipeline", "waitForPipelineSave"]


async def test_saving_again_after_a_crash_saves_the_same_pipeline(bench):
    """The id of a new pipeline depends on the stage alone, so a second run does not make a second one."""
    crons = [{"type": "cron", "id": "old"}, {"type": "webhook"}]
    job = {"type": "savePipeline", "pipeline": {**PIPELINE, "triggers": crons}}
    execution = {"application": "demo", "description": "d", "job": [job], "executionId": "X"}
    ids = []
    for _ in range(2):
        await bench.executions.start_tasks(execution, bench.ann)
        await bench.idle()
        (saved,) = bench.pipelines.stored.values()
        ids.append(saved["triggers"][0]["id"])
        bench.executions._ids._count = 0
        await bench.executions.delete("X", bench.ann)
    assert ids[0] == ids[1] != "old"


async def test_a_refusal_because_it_is_saved_already_is_success(bench):
    """A stale check that fails because an earlier run of the same task saved exactly this is no failure."""
    bench.pipelines.stored["1"] = {**PIPELINE, "id": "1", "updateTs": "5"}
    bench.pipelines.error = InvalidRequest("The submitted pipeline is stale.")
    task = await bench.task({"type": "savePipeline", "pipeline": {**PIPELINE, "id": "1", "updateTs": "4"}})
    assert task["status"] == "SUCCEEDED"


async def test_a_refusal_is_told_in_the_stores_words(bench):
    """The first error is the plain sentence: Gate shows it."""
    bench.pipelines.error = InvalidRequest("A pipeline with name release already exists in application demo")
    task = await bench.task({"type": "savePipeline", "pipeline": PIPELINE})
    assert task["status"] == "TERMINAL"
    assert bench.errors(task) == ["A pipeline with name release already exists in application demo"]


async def test_many_pipelines_are_saved_at_once(bench):
    """The answer of the store becomes the variable bulksave."""
    job = {
        "type": "savePipeline",
        "isBulkSavingPipelines": True,
        "pipelines": encoded([{**PIPELINE, "id": "1"}, {**PIPELINE, "id": "2", "name": "second"}]),
    }
    task = await bench.task(job)
    assert bench.variable(task, "bulksave")["successful_pipelines"] == ["release", "second"]


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        ({"type": "savePipeline"}, "pipeline context must be provided when saving a single pipeline"),
        (
            {"type": "savePipeline", "isBulkSavingPipelines": True},
            "pipelines context must be provided when saving multiple pipelines",
        ),
        ({"type": "savePipeline", "pipeline": "%%%"}, "`pipeline` is not the base64 of JSON text."),
        ({"type": "savePipeline", "pipeline": encoded([1])}, "`pipeline` must be a pipeline: a JSON object."),
        ({"type": "deletePipeline"}, "pipeline context must be provided"),
        (
            {"type": "reorderPipelines", "application": encoded("demo")},
            "`idsToIndices` context key must be provided",
        ),
        (
            {"type": "reorderPipelines", "application": encoded("demo"), "idsToIndices": {"1": 0}},
            (
                "`idsToIndices` context key must be a base64-encoded string: Ensure you're on the most recent"
                " version of gate"
            ),
        ),
    ],
)
async def test_what_is_missing_or_malformed_is_named(bench, job, sentence):
    """Orca's sentences where Orca has them."""
    task = await bench.task(job)
    assert task["status"] == "TERMINAL"
    assert bench.errors(task) == [sentence]


async def test_a_pipeline_is_updated_under_the_id_the_stage_names(bench):
    """An id that does not exist is an error, one that does gets its next version."""
    missing = await bench.task({"type": "updatePipeline", "id": "1", "pipeline": encoded(PIPELINE)})
    bench.pipelines.stored["1"] = {**PIPELINE, "id": "1"}
    done = await bench.task({"type": "updatePipeline", "id": "1", "pipeline": encoded({**PIPELINE, "x": 1})})
    assert bench.errors(missing) == ["No pipeline found with id 1"]
    assert bench.pipelines.stored["1"]["x"] == 1
    assert [step["name"] for step in done["steps"]] == ["updatePipeline"]


async def test_a_pipeline_is_deleted_and_deleting_again_succeeds(bench):
    """What is gone is gone, whoever removed it."""
    bench.pipelines.stored["1"] = {**PIPELINE, "id": "1"}
    job = {"type": "deletePipeline", "pipeline": encoded({**PIPELINE, "id": "1"})}
    first, second = await bench.task(job), await bench.task(job)
    assert bench.pipelines.stored == {}
    assert (first["status"], second["status"]) == ("SUCCEEDED", "SUCCEEDED")
    assert bench.variable(first, "notification.type") == "deletepipeline"
    assert bench.variable(first, "pipeline.id") == "1"


async def test_pipelines_are_reordered(bench):
    """Each field is the base64 of its JSON."""
    job = {
        "type": "reorderPipelines",
        "application": encoded("demo"),
        "idsToIndices": encoded({"a": 1, "b": 0}),
        "isStrategy": encoded(False),
    }
    task = await bench.task(job)
    assert bench.pipelines.reordered == [("demo", {"a": 1, "b": 0})]
    assert bench.variable(task, "notification.type") == "reorderpipelines"
    assert bench.variable(task, "application") == "demo"


async def test_keys_inside_a_pipeline_that_is_saved_are_hidden(bench):
    """The store gets the key; who reads the task does not, not even in the base64."""
    stages = [{"type": "pageApplicationOwner", "keys": [KEY], "message": "m"}]
    task = await bench.task({"type": "savePipeline", "pipeline": encoded({**PIPELINE, "stages": stages})})
    (saved,) = bench.pipelines.stored.values()
    shown = json.loads(base64.b64decode(bench.variable(task, "pipeline")))
    assert saved["stages"][0]["keys"] == [KEY]
    assert shown["stages"][0]["keys"] == ["Service A"]
