"""What is looked at before a pipeline is stored."""

from __future__ import annotations

from masthead.executions.stages.registry import STAGE_TYPES
from masthead.pipelines import Checks, Problem


def test_every_part_that_was_added_has_its_say_after_the_graph():
    """The graph comes first, then the checks in the order in which they were added."""
    checks = Checks()
    checks.add(lambda pipeline: [Problem("/name", f"{pipeline['name']} is no name.")])
    pipeline = {"name": "x", "stages": [{"type": "wait", "refId": "1", "requisiteStageRefIds": ["2"]}]}
    assert [problem.pointer for problem in checks.problems(pipeline)] == [
        "/stages/0/requisiteStageRefIds/0",
        "/name",
    ]


def test_no_more_problems_are_told_than_somebody_reads():
    """A pipeline with a thousand faults is refused with fifty of them."""
    stages = [{"type": "wait", "refId": "1", "requisiteStageRefIds": [f"x{n}"]} for n in range(1000)]
    assert len(Checks().problems({"stages": stages})) == 50


def test_an_expression_that_does_not_parse_is_found_with_its_pointer():
    """In a stage that runs here; one that only Orca runs may hold what it likes."""
    broken = {"refId": "1", "type": "wait", "comments": "${1 +", "waitTime": "${parameters.t}"}
    (problem,) = STAGE_TYPES.problems({"stages": [broken]})
    assert problem.pointer == "/stages/0/comments"
    assert problem.sentence
    assert not list(STAGE_TYPES.problems({"stages": [{**broken, "type": "runJob"}]}))


def test_a_pipeline_of_any_shape_can_be_looked_at():
    """Nothing is raised whatever stands where the stages should be."""
    for stages in (None, 1, "x", {}, [1, None, "x", []], [{"type": {}}], [{"alias": 3}]):
        list(STAGE_TYPES.problems({"stages": stages}))
