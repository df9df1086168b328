"""The registry of stage types, and its documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from masthead.executions import STAGE_TYPES

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "stage-types.md"
HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-stage-type.md"


@pytest.mark.parametrize("stage_type", STAGE_TYPES.all(), ids=lambda each: each.type)
def test_every_type_and_field_is_documented(stage_type):
    """A heading for the type, its fields and their sentences under it."""
    sections = re.split(r"^## ", REFERENCE.read_text(), flags=re.MULTILINE)
    (section,) = [each for each in sections if each.startswith(f"`{stage_type.type}`\n")]
    missing = [field.name for field in stage_type.fields if f"`{field.name}`" not in section]
    assert missing == []
    assert stage_type.label
    assert stage_type.doc


def test_the_tasks_of_a_type_have_names_of_their_own():
    """A stored task finds its code by its name."""
    for stage_type in STAGE_TYPES.all():
        names = [task.name for task in stage_type.tasks]
        assert len(set(names)) == len(names)
        assert all(stage_type.task(name) is not None for name in names)


async def test_the_example_of_the_how_to_runs(bench):
    """The code shown in the documentation is a stage type that works."""
    from masthead.executions.burst import Burst
    from masthead.executions.stages.registry import StageTypes

    (code,) = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(), flags=re.DOTALL)
    module: dict = {"__name__": "greet"}
    exec(compile(code, str(HOW_TO), "exec"), module)
    burst = Burst(
        bench.database,
        bench.clock,
        planner=StageTypes([module["GreetStage"]()]),
        services=bench.executions._services,
        expressions=bench.executions._expressions,
        on_complete=lambda _id: None,
    )
    bench.bursts.register("execution", burst.run)
    good = await bench.pipeline({"type": "greet", "who": "Ann"})
    bad = await bench.pipeline({"type": "greet"})
    assert good["stages"][0]["context"]["greeting"] == "Hello Ann"
    assert bad["stages"][0]["context"]["exception"]["details"]["errors"] == ["`who` must be a text."]
