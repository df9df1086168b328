"""Following an execution: whoever subscribed is told of every stored change, and of what is learned of its pages."""

from __future__ import annotations

import pytest

from masthead.kernel.caller import Caller
from masthead.kernel.errors import NotFound

ANN = Caller(user="ann@example.com")
JUDGE = {"type": "manualJudgment", "refId": "1"}


async def waiting(bench) -> str:
    """Start a run that waits for a word, and give its id."""
    config = {"application": "demo", "name": "release", "stages": [JUDGE]}
    started = await bench.executions.start_pipeline(config, ANN)
    await bench.idle()
    return started


async def test_a_change_from_outside_and_what_follows_from_it_are_told(bench):
    """The version moves with each of them."""
    execution = await waiting(bench)
    before = await bench.executions.version(execution)
    changed = bench.executions.changes.subscribe(execution)
    await bench.executions.pause(execution, ANN)
    assert changed.is_set()
    paused = await bench.executions.version(execution)
    changed.clear()
    await bench.executions.resume(execution, ANN)
    stage = (await bench.executions.get_pipeline(execution))["stages"][0]["id"]
    await bench.executions.change_stage(execution, stage, {"judgmentStatus": "continue"}, ANN)
    changed.clear()
    await bench.idle()
    assert changed.is_set()
    assert before < paused < await bench.executions.version(execution)


async def test_who_left_is_told_no_more(bench):
    """And nothing is kept of him."""
    execution = await waiting(bench)
    changed = bench.executions.changes.subscribe(execution)
    bench.executions.changes.leave(execution, changed)
    await bench.executions.pause(execution, ANN)
    assert not changed.is_set()
    assert not bench.executions.changes._waiting


async def test_what_is_not_there_has_no_version(bench):
    """It is said as everywhere."""
    with pytest.raises(NotFound, match="No pipeline found for nope"):
        await bench.executions.version("nope")


async def test_a_page_that_is_decided_is_a_change_of_its_execution(bench):
    """Also when a stage waits for it in that moment."""
    bench.paging.is_holding = True
    page = {"type": "pageApplicationOwner", "keys": ["c0ffee00c0ffee00c0ffee00c0ffee01"], "message": "Hi"}
    config = {"application": "demo", "name": "release", "stages": [page]}
    execution = await bench.executions.start_pipeline(config, ANN)
    while not bench.paging.pages:
        await bench.database.read(lambda connection: None)
    changed = bench.executions.changes.subscribe(execution)
    bench.paging.decide("page-1")
    assert changed.is_set()
    await bench.idle()
