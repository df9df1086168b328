"""What can never start a pipeline is refused when it is saved; what only Spinnaker knows is kept."""

from __future__ import annotations

import pytest

from masthead.kernel.errors import InvalidRequest
from masthead.triggers.checks import problems_of_triggers
from masthead.triggers.constraints import holds


def hook(**fields) -> dict:
    return {"type": "webhook", "enabled": True, "source": "ci", **fields}


def found(*triggers: object) -> list[str]:
    return [one.pointer for one in problems_of_triggers({"triggers": list(triggers)})]


@pytest.mark.parametrize("source", [None, "", [], {}, True])
def test_a_webhook_that_is_on_needs_a_source(source):
    """Nothing is posted to no address; one that is off may be finished later."""
    assert found(hook(), hook(source=source)) == ["/triggers/1/source"]
    assert found(hook(source=source, enabled=False)) == []


@pytest.mark.parametrize("pattern", ["(", "a)", "[a", "*.main", "a|+", "(*)"])
def test_a_pattern_that_is_none_can_match_nothing(pattern):
    """With the sentence why, at its key; one that is off is looked at once it is on."""
    trigger = hook(payloadConstraints={"ok": "^a$", "$.a/b~c": pattern})
    (problem,) = problems_of_triggers({"triggers": [trigger]})
    assert problem.pointer == "/triggers/0/payloadConstraints/$.a~1b~0c"
    assert "no regular expression" in problem.sentence
    assert found({**trigger, "enabled": False}) == []


@pytest.mark.parametrize(
    "pattern",
    ["a" * 1001, "(?x) # (", "\\b*", "a{2}{3}", "\\p{Moon}", "(" * 40 + ")" * 40, "[\\Q]\\E]", "", 5, None],
)
def test_a_pattern_that_java_may_take_is_left_for_the_run(pattern):
    """It is no pattern here, or may be none, but Spinnaker may run it."""
    assert found(hook(payloadConstraints={"a": pattern})) == []


def test_constraints_are_an_object():
    """None at all is none."""
    assert found(
        hook(payloadConstraints=["a"]), hook(payloadConstraints=None), hook(payloadConstraints={})
    ) == ["/triggers/0/payloadConstraints"]


@pytest.mark.parametrize("constraints", [{"ref": "(unclosed"}, ["ref"], "ref"])
def test_what_was_stored_before_it_was_refused_holds_for_nothing(constraints):
    """And starts nothing."""
    assert not holds(constraints, {"ref": "(unclosed"})


def test_types_that_nothing_here_starts_by_are_kept():
    """Spinnaker's Echo knows more; what stands there in place of a trigger raises nothing."""
    assert (
        found({"type": "git", "enabled": True}, {"type": "pubsub", "payloadConstraints": {"a": "("}}, 5, None)
        == []
    )
    assert list(problems_of_triggers({"triggers": "x"})) == list(problems_of_triggers({})) == []


def test_all_patterns_of_a_pipeline_share_one_bound():
    """A pipeline of megabytes keeps nobody waiting: what is beyond is found when something is posted."""
    many = [hook(payloadConstraints={"a": "b" * 900, "c": "("}) for _ in range(200)]
    assert len(found(*many)) == 100_000 // 901


async def test_more_triggers_than_anybody_writes_are_refused(bench):
    """One sentence, and none of them is read."""
    cron = {"type": "cron", "enabled": True, "cronExpression": "never"}
    with pytest.raises(InvalidRequest) as refused:
        await bench.save("many", *[cron] * 1001)
    assert (refused.value.pointer, refused.value.errors) == (
        "/triggers",
        ("There are 1,001 triggers; 1,000 are the most that one pipeline can have.",),
    )
    await bench.save("most", *[{"type": "git"}] * 1000)


async def test_cron_and_webhook_are_looked_at_when_a_pipeline_is_saved(bench):
    """Both are told at once."""
    with pytest.raises(InvalidRequest) as refused:
        await bench.save("p", {"type": "cron", "cronExpression": "never"}, hook(source=""))
    assert refused.value.pointers == ("/triggers/0/cronExpression", "/triggers/1/source")
