"""Lists of pipelines: order, index, filters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.pipelines.listing import Wanted, arrange, is_enabled, is_triggered_by, renumber

ON = {"type": "pipeline", "enabled": True, "pipeline": "p1", "status": ["successful"]}


def test_indexed_come_first_then_by_name():
    """Index, then no index, then the name in any case."""
    pipelines = [
        {"name": "b"},
        {"name": "A"},
        {"name": "z", "index": 0},
        {"name": "y", "index": 2},
        {"name": "X", "index": 2},
    ]
    assert [one["name"] for one in arrange(pipelines)] == ["z", "X", "y", "A", "b"]


@given(st.lists(st.fixed_dictionaries({"name": st.text()}, optional={"index": st.integers()})))
def test_the_index_of_an_answer_has_no_gaps(pipelines):
    """Whatever was stored, the answer counts from 0, and the stored documents stay as they are."""
    before = [dict(one) for one in pipelines]
    assert [one["index"] for one in renumber(arrange(pipelines))] == list(range(len(pipelines)))
    assert pipelines == before


@pytest.mark.parametrize(
    ("disabled", "expected"),
    [
        (None, True),
        (False, True),
        ("false", True),
        ("", True),
        (True, False),
        ("true", False),
        ("TRUE", False),
    ],
)
def test_a_pipeline_is_enabled_unless_it_says_disabled(disabled, expected):
    """Texts are understood; absence means enabled."""
    pipeline = {} if disabled is None else {"disabled": disabled}
    assert is_enabled(pipeline) == expected
    assert Wanted(enabled=expected).matches(pipeline)
    assert not Wanted(enabled=not expected).matches(pipeline)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), True),
        (Wanted(enabled_triggers=True), True),
        (Wanted(enabled_triggers=False), True),
        (Wanted(trigger_types=["cron"]), True),
        (Wanted(trigger_types=["git"]), False),
        (Wanted(enabled_triggers=True, trigger_types=["cron"]), False),
        (Wanted(enabled_triggers=False, trigger_types=["cron", "git"]), True),
        (Wanted(enabled=False, trigger_types=["cron"]), False),
    ],
)
def test_filters_combine_over_one_trigger(wanted, expected):
    """One trigger must satisfy state and type; a trigger that does not say is disabled."""
    pipeline = {"triggers": [{"type": "cron"}, {"type": "webhook", "enabled": "true"}]}
    assert wanted.matches(pipeline) == expected


def test_without_triggers_no_trigger_filter_matches():
    """A pipeline that nothing starts has neither enabled nor disabled triggers."""
    assert not Wanted(enabled_triggers=False).matches({"triggers": []})
    assert not Wanted(trigger_types=["cron"]).matches({})


@pytest.mark.parametrize(
    ("trigger", "pipeline", "expected"),
    [
        ({}, {}, True),
        ({"enabled": False}, {}, False),
        ({"type": "cron"}, {}, False),
        ({"pipeline": "p2"}, {}, False),
        ({"status": ["failed"]}, {}, False),
        ({"status": ["failed", "SUCCESSFUL"]}, {}, True),
        ({"status": None}, {}, False),
        ({}, {"disabled": True}, False),
    ],
)
def test_what_an_ended_pipeline_starts(trigger, pipeline, expected):
    """Enabled pipeline, enabled trigger of type pipeline, this pipeline, this status."""
    candidate = {"triggers": [{"type": "git"}, {**ON, **trigger}], **pipeline}
    assert is_triggered_by(candidate, "p1", status="successful") == expected
