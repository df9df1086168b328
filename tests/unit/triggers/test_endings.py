"""Pipelines that start when another one ends."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from masthead.kernel.clock import to_ms
from masthead.kernel.errors import StorageUnavailable
from masthead.triggers.endings import BURST
from masthead.triggers.ids import id_of_run

BROKEN = {"type": "deploy", "name": "roll out"}
WAIT = {"type": "wait", "name": "w", "waitTime": 60}


def after(parent: str, *statuses: str, **fields) -> dict:
    return {
        "type": "pipeline",
        "enabled": True,
        "application": "demo",
        "pipeline": parent,
        "status": [*statuses],
        **fields,
    }


async def test_the_end_of_a_pipeline_starts_the_one_that_waits_for_it(bench):
    """Once, in the same user's name, with the finished execution as its parent."""
    await bench.save("parent")
    declared = [{"name": "version", "default": "1"}]
    await bench.save("child", after("parent", "successful"), parameterConfig=declared)
    parent = await bench.run("parent", type="manual", user="ann@example.com")
    (child,) = await bench.runs("child")
    trigger = child["trigger"]
    assert child["status"] == "SUCCEEDED"
    assert (trigger["type"], trigger["user"]) == ("pipeline", "ann@example.com")
    assert (trigger["parentExecution"]["id"], trigger.get("parentPipelineStageId")) == (parent["id"], None)
    assert trigger["parameters"] == {"version": "1"}
    assert child["authentication"]["user"] == "ann@example.com"
    assert trigger["dryRun"] is False


async def test_a_dry_run_starts_dry_runs(bench):
    """As the stage does."""
    await bench.save("parent")
    await bench.save("child", after("parent", "successful"))
    await bench.run("parent", dryRun=True)
    (child,) = await bench.runs("child")
    assert child["trigger"]["dryRun"] is True


@pytest.mark.parametrize(
    ("stage", "status", "statuses"),
    [
        ({"type": "noop", "name": "n"}, "successful", ["failed", "canceled", "suspended"]),
        (BROKEN, "failed", ["successful", "canceled", "suspended"]),
    ],
)
async def test_only_the_statuses_that_a_trigger_names_start_it(bench, stage, status, statuses):
    """SUCCEEDED is successful, TERMINAL is failed."""
    await bench.save("parent", stages=[stage])
    await bench.save("right", after("parent", status))
    await bench.save("wrong", after("parent", *statuses))
    await bench.save("off", after("parent", status, enabled=False))
    await bench.save("disabled", after("parent", status), disabled=True)
    await bench.save("other", after("somebody-else", status))
    await bench.run("parent")
    started = [name for name in ("right", "wrong", "off", "disabled", "other") if await bench.runs(name)]
    assert started == ["right"]


@pytest.mark.parametrize("is_running", [True, False])
async def test_a_cancelled_execution_starts_what_waits_for_that(bench, is_running):
    """Whether it had begun or not."""
    parent = await bench.save("parent", stages=[WAIT])
    await bench.save("child", after("parent", "canceled"))
    if is_running:
        started = (await bench.run("parent"))["id"]
    else:
        await bench.bursts.settle(0)  # nothing runs on this machine
        started = await bench.executions.start_pipeline({**parent, "trigger": {}}, bench.ann)
    await bench.executions.cancel(started, bench.ann)
    bench.bursts._is_open = True
    await bench.idle()
    assert len(await bench.runs("child")) == 1


async def test_an_execution_that_is_looked_at_again_starts_nothing_more(bench):
    """To cancel what has ended is no end, although its burst runs again; not even for a trigger that is new."""
    await bench.save("parent")
    await bench.save("child", after("parent", "successful"))
    parent = await bench.run("parent")
    await bench.save("late", after("parent", "successful"))
    await bench.executions.cancel(parent["id"], bench.ann)
    await bench.idle()
    assert (len(await bench.runs("child")), await bench.runs("late")) == (1, [])


async def test_a_restarted_stage_leads_to_another_end(bench):
    """It failed, was restarted and failed again: two children."""
    await bench.save("parent", stages=[BROKEN])
    await bench.save("child", after("parent", "failed"))
    parent = await bench.run("parent")
    await bench.clock.advance(1)
    await bench.executions.restart_stage(parent["id"], parent["stages"][0]["id"], bench.ann)
    await bench.idle()
    assert len(await bench.runs("child")) == 2


async def test_a_burst_that_is_run_again_starts_nothing_twice(bench):
    """Cut between the starts and its end."""
    await bench.save("parent")
    for name in ("one", "two"):
        await bench.save(name, after("parent", "successful"))
    parent = await bench.run("parent")
    subject = f"{parent['id']} SUCCEEDED {parent['endTime']}"
    for _ in range(2):
        await bench.database.write(lambda c: bench.bursts.request(c, BURST, subject))
        await bench.idle()
    assert [len(await bench.runs(name)) for name in ("one", "two")] == [1, 1]


async def test_a_database_that_fails_in_between_costs_no_child(bench, monkeypatch):
    """The burst comes again and starts what is missing."""
    await bench.save("parent")
    for name in ("one", "two"):
        await bench.save(name, after("parent", "successful"))
    begin, calls = bench.executions.start_pipeline, []

    async def failing(config, caller):
        calls.append(config["name"])
        if calls == ["parent", "one", "two"]:
            raise StorageUnavailable
        return await begin(config, caller)

    monkeypatch.setattr(bench.executions, "start_pipeline", failing)
    await bench.run("parent")
    assert [len(await bench.runs(name)) for name in ("one", "two")] == [1, 0]
    await bench.clock.advance(2)
    await bench.idle()
    assert [len(await bench.runs(name)) for name in ("one", "two")] == [1, 1]


async def test_a_child_that_is_refused_keeps_no_other_from_starting(bench):
    """The log says why."""
    await bench.save("parent")
    await bench.save("bad", after("parent", "successful"), notifications=[], parameterConfig=[])
    stored = await bench.pipelines.get("bad")
    await bench.save("good", after("parent", "successful"))

    async def broken(config_id, status):
        return [{**stored, "stages": [{"name": "no type"}]}, await bench.pipelines.get("good")]

    bench.pipelines.triggered_by = broken
    with capture_logs() as logs:
        await bench.run("parent")
    assert len(await bench.runs("good")) == 1
    (entry,) = [entry for entry in logs if entry["event"] == "trigger.refused"]
    assert entry["pipeline"] == "bad"
    assert "type missing" in entry["error"]


async def test_pipelines_that_start_each_other_come_to_an_end(bench):
    """After twenty, with a sentence in the log."""
    await bench.save("ping", after("pong", "successful"))
    await bench.save("pong", after("ping", "successful"))
    with capture_logs() as logs:
        await bench.run("ping")
    assert len(await bench.runs("ping")) + len(await bench.runs("pong")) == 21
    (entry,) = [entry for entry in logs if entry["event"] == "trigger.loop"]
    assert "does one of them run itself?" in entry["error"]
    assert entry["pipelines"] == ["pong"]


async def test_an_end_that_nobody_waits_for_costs_no_burst(bench):
    """Nor does that of a task."""
    asked = []
    bench.bursts.register(BURST, lambda turn: asked.append(turn.subject))
    await bench.save("parent")
    await bench.run("parent")
    await bench.executions.start_tasks(
        {"application": "demo", "job": [{"type": "wait", "waitTime": 0}]}, bench.ann
    )
    await bench.idle()
    assert asked == []


async def test_a_pipeline_of_an_earlier_release_is_found_after_a_start(bench):
    """The index of triggers is made good at every start."""
    from sqlalchemy import delete

    from masthead.storage.schema import pipeline_trigger

    await bench.save("parent")
    await bench.save("child", after("parent", "successful"))
    await bench.database.write(lambda c: c.execute(delete(pipeline_trigger)))
    await bench.triggers.start()
    await bench.run("parent")
    assert len(await bench.runs("child")) == 1


async def test_a_trigger_that_is_taken_away_starts_nothing(bench):
    """Neither does that of a pipeline that is deleted."""
    await bench.save("parent")
    await bench.save("child", after("parent", "successful"))
    await bench.save("gone", after("parent", "successful"))
    await bench.save("child")
    await bench.pipelines.delete("demo", "gone", bench.ann)
    await bench.run("parent")
    assert (await bench.runs("child"), await bench.runs("gone")) == ([], [])


def test_an_id_says_what_it_was_made_from(clock):
    """The same cause gives the same ULID with its time; another gives another, however the parts are cut."""
    at_ms = to_ms(clock.now())
    assert id_of_run(at_ms, "a", "b") == id_of_run(at_ms, "a", "b")
    assert len({id_of_run(at_ms, "a", "b"), id_of_run(at_ms, "ab"), id_of_run(at_ms + 1, "a", "b")}) == 3
    assert id_of_run(at_ms, "z") < id_of_run(at_ms + 1, "a")
    assert len(id_of_run(at_ms, "a")) == 26
