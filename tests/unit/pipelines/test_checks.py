"""What is looked at before a pipeline is stored."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("given", [None, "", 0, 3, -1, 2.0, " 5 ", "-1", "${parameters.most}"])
def test_a_limit_of_executions_is_a_number(given):
    """As Front50 reads it: digits in a text are one; 0 and below are no limit."""
    assert not Checks().problems({"stages": [], "maxConcurrentExecutions": given})


@pytest.mark.parametrize("given", ["many", "1.5", "5x", True, [], {}, [3], "9" * 5000])
def test_what_is_no_number_is_no_limit(given):
    """It would run without one."""
    (problem,) = Checks().problems({"stages": [], "maxConcurrentExecutions": given})
    assert problem.pointer == "/maxConcurrentExecutions"


def test_an_expression_of_a_notification_must_parse():
    """As in a stage."""
    notifications = [
        {"type": "slack", "message": {"pipeline.failed": {"text": "${1 +"}}},
        {"to": "${trigger.user}"},
    ]
    (problem,) = Checks().problems({"stages": [], "notifications": notifications})
    assert problem.pointer == "/notifications/0/message/pipeline.failed/text"
    assert not Checks().problems({"stages": [], "notifications": "x"})
