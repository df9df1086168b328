"""Pipelines that cannot run end at once with a reason, and large ones end."""

from __future__ import annotations

import pytest

from masthead.kernel.errors import InvalidRequest
from masthead.pipelines import Checks


def stage(ref: str, *waits: str) -> dict:
    return {"type": "noop", "refId": ref, "requisiteStageRefIds": list(waits)}


@pytest.mark.parametrize(
    "stages",
    [
        [stage("1", "2"), stage("2", "1")],
        [stage("1", "1")],
        [stage("1", "9")],
        [stage("1"), stage("1")],
        [stage(str(n), str((n + 1) % 1000)) for n in range(1000)],
    ],
    ids=["circle", "itself", "unknown", "duplicate", "circle of a thousand"],
)
async def test_what_can_never_run_is_terminal_with_the_sentence_that_saving_refuses_it_with(bench, stages):
    """It never begins."""
    done = await bench.pipeline(*stages)
    assert (done["status"], done["canceledBy"]) == ("TERMINAL", "system")
    (problem, *_) = Checks().problems({"stages": stages})
    assert problem.sentence in done["cancellationReason"]
    assert {each["status"] for each in done["stages"]} == {"NOT_STARTED"}


async def test_a_pipeline_without_stages_is_terminal(bench):
    """With a reason."""
    done = await bench.pipeline()
    assert (done["status"], done["cancellationReason"]) == (
        "TERMINAL",
        "Failed on startup: There is no stage to run.",
    )


@pytest.mark.parametrize("is_line", [True, False])
async def test_a_thousand_stages_end(bench, is_line):
    """One after the other, and side by side."""
    stages = [stage(str(n), *([str(n - 1)] if n and is_line else [])) for n in range(1000)]
    done = await bench.pipeline(*stages)
    assert done["status"] == "SUCCEEDED"


async def test_a_pipeline_of_a_template_is_refused_and_recorded(bench):
    """With what to do instead."""
    with pytest.raises(InvalidRequest, match="templates are not resolved here"):
        await bench.pipeline(stage("1"), type="templatedPipeline", schema="v2")
