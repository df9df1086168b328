"""A release is replaced while executions wait and run: the next one goes on with what it finds."""

from __future__ import annotations

import json

import pytest

from masthead.kernel.clock import ManualClock, from_ms
from support.corpus import ANN, Corpus, open_corpus
from support.releases import ANSWERS, CHILD, COME, FOLDER, PIPELINES, thaw


async def statuses(corpus: Corpus, ids: dict[str, str]) -> dict[str, str]:
    found = await corpus.executions.by_ids(list(ids.values()))
    return dict(zip(ids, (each["status"] for each in found), strict=True))


async def decide(corpus: Corpus, execution_id: str) -> None:
    stage = (await corpus.executions.get_pipeline(execution_id))["stages"][0]
    await corpus.executions.change_stage(execution_id, stage["id"], {"judgmentStatus": "continue"}, ANN)
    await corpus.idle()


async def later(corpus: Corpus, seconds: float) -> None:
    """Let time pass; what falls due meanwhile runs in its turn."""
    for _ in range(int(seconds)):
        await corpus.clock.advance(1)
        await corpus.bursts.sweep()
        await corpus.idle()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
async def test_what_a_release_left_goes_on(path, tmp_path):
    """What waits for a person, for time, for another execution, for an answer, for its turn; paused, and in the middle of a run."""
    frozen = json.loads(path.read_text())
    ids, clock = frozen["ids"], ManualClock(from_ms(frozen["now"]))
    async with open_corpus(tmp_path, clock=clock, found=lambda database: thaw(database, frozen)) as corpus:
        corpus.prepare({"pipelines": [CHILD], "answers": ANSWERS | COME})
        assert await statuses(corpus, ids) == {
            **dict.fromkeys(PIPELINES, "RUNNING"), "paused": "PAUSED", "queued": "NOT_STARTED",
        }  # fmt: skip
        for name in ("judgment", "first"):
            await decide(corpus, ids[name])
        await later(corpus, 11)
        done = ("judgment", "first", "calling", "asking")
        assert await statuses(corpus, ids) == {
            **dict.fromkeys(PIPELINES, "RUNNING"), **dict.fromkeys(done, "SUCCEEDED"), "paused": "PAUSED",
        }  # fmt: skip
        await decide(corpus, ids["queued"])
        await corpus.executions.resume(ids["paused"], ANN)
        await later(corpus, 50)
        await corpus.executions.change_stage(
            ids["window"], await window_of(corpus, ids["window"]), {"skipRemainingWait": True}, ANN
        )
        await corpus.idle()
        assert await statuses(corpus, ids) == dict.fromkeys(PIPELINES, "SUCCEEDED")
        for name, config in PIPELINES.items():
            run = await corpus.executions.get_pipeline(ids[name])
            top = [each for each in run["stages"] if "parentStageId" not in each]
            assert [each["status"] for each in top] == ["SUCCEEDED"] * len(config["stages"])


async def window_of(corpus: Corpus, execution_id: str) -> str:
    run = await corpus.executions.get_pipeline(execution_id)
    return str(next(each["id"] for each in run["stages"] if "parentStageId" in each))
