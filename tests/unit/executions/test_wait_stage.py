"""The wait stage."""

from __future__ import annotations

import pytest


async def test_a_wait_without_time_ends_in_the_same_burst(bench):
    """A wait of nothing, and one of 0, are over at once."""
    run = await bench.pipeline({"type": "wait"}, {"type": "wait", "waitTime": "0"})
    assert [stage["status"] for stage in run["stages"]] == ["SUCCEEDED", "SUCCEEDED"]
    assert run["status"] == "SUCCEEDED"


async def test_a_wait_rests_until_its_time_and_then_goes_on(bench):
    """While it waits nothing runs; a burst is due exactly when the time is over."""
    run = await bench.pipeline({"type": "wait", "waitTime": 3600})
    assert run["status"] == "RUNNING"
    await bench.clock.advance(3599)
    await bench.run_due()
    assert (await bench.executions.get_pipeline(run["id"]))["status"] == "RUNNING"
    await bench.clock.advance(1)
    await bench.run_due()
    after = await bench.executions.get_pipeline(run["id"])
    assert after["status"] == "SUCCEEDED"
    assert after["endTime"] - after["startTime"] == 3_600_000


async def test_a_wait_that_is_to_be_skipped_ends_at_once(bench):
    """The flag skipRemainingWait ends it whatever the time."""
    run = await bench.pipeline({"type": "wait", "waitTime": 3600, "skipRemainingWait": True})
    assert run["status"] == "SUCCEEDED"


@pytest.mark.parametrize("wrong", ["soon", [], True, 1e300, "nan"])
async def test_a_wait_time_that_is_no_number_fails_the_stage(bench, wrong):
    """What is not a number of seconds is said to be so."""
    run = await bench.pipeline({"type": "wait", "waitTime": wrong})
    assert run["status"] == "TERMINAL"
    errors = run["stages"][0]["context"]["exception"]["details"]["errors"]
    assert errors == ["`waitTime` must be a number of seconds."]


async def test_a_stage_timeout_cuts_a_wait_on_time(bench):
    """The field stageTimeoutMs ends the stage when it is over, not one back-off later."""
    run = await bench.pipeline({"type": "wait", "name": "long", "waitTime": 3600, "stageTimeoutMs": 90_000})
    await bench.clock.advance(90)
    await bench.run_due()
    after = await bench.executions.get_pipeline(run["id"])
    exception = after["stages"][0]["context"]["exception"]
    assert after["status"] == "TERMINAL"
    assert exception["exceptionType"] == "TimeoutException"
    assert exception["details"]["errors"] == ["Stage long timed out after 1 minute 30 seconds"]


async def test_a_timeout_may_count_as_success(bench):
    """The flag markSuccessfulOnTimeout turns the timeout into SUCCEEDED."""
    stage = {"type": "wait", "waitTime": 3600, "stageTimeoutMs": 1000, "markSuccessfulOnTimeout": True}
    run = await bench.pipeline(stage)
    await bench.clock.advance(1)
    await bench.run_due()
    assert (await bench.executions.get_pipeline(run["id"]))["status"] == "SUCCEEDED"
