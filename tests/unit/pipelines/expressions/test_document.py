"""Whole documents: what is walked, what stays, and the report."""

from __future__ import annotations

import asyncio

import pytest

from masthead.kernel.clock import ManualClock
from masthead.pipelines.expressions import (
    FakeOutside,
    Version,
    evaluate_document,
    resolve,
    stage_root,
    start_root,
)
from masthead.pipelines.expressions.bounds import Limits
from support.expressing import EXECUTION, context

NOW_MS = 1795402800000


def test_the_report_names_the_expression_the_key_and_what_went_wrong():
    """Orca's shape: expression without its braces → level, time, description, exception type."""
    source = {"a": "${1/0}", "b": "${missing}", "c": {"d": ["x ${other} y"]}, "e": "${broken"}
    result = evaluate_document(source, context({}, clock=ManualClock()))
    assert result.value == source
    assert result.attempted == 4
    assert result.summary == {
        "1/0": [
            {
                "level": "ERROR",
                "timestamp": NOW_MS,
                "description": "Failed to evaluate [a] / by zero",
                "exceptionType": "org.springframework.expression.spel.SpelEvaluationException",
            }
        ],
        "missing": [
            {
                "level": "INFO",
                "timestamp": NOW_MS,
                "description": "Failed to evaluate [b] : missing not found",
            }
        ],
        "x other y": [
            {
                "level": "INFO",
                "timestamp": NOW_MS,
                "description": "Failed to evaluate [d] : x other y not found",
            }
        ],
        "{broken": [
            {
                "level": "ERROR",
                "timestamp": NOW_MS,
                "description": "Failed to evaluate [e] No ending suffix '}' for expression starting at character 0: "
                "{broken",
                "exceptionType": "org.springframework.expression.ParseException",
            }
        ],
    }


def test_a_text_that_does_not_parse_is_reported_by_what_stands_inside_it():
    """Without the braces around the whole."""
    result = evaluate_document({"a": "${ a b }", "b": "x ${a b} y"}, context({}))
    assert list(result.summary) == ["a b", "x {a b} y"]
    assert {note["exceptionType"] for (note,) in result.summary.values()} == {
        "org.springframework.expression.spel.SpelParseException"
    }


def test_an_error_in_a_mixed_text_keeps_all_of_it():
    """Also the parts that had a value."""
    assert evaluate_document("${'a'} ${1/0}", context({})).value == "${'a'} ${1/0}"


def test_what_holds_no_expression_is_given_back_itself():
    """Not a copy: most documents hold none."""
    source = {"a": [1, {"b": "text $ {x}"}], "c": None}
    result = evaluate_document(source, context({}))
    assert result.value is source
    assert result.attempted == 0


def test_a_result_shares_nothing_with_the_context():
    """Whoever changes it changes no other stage."""
    root = {"map": {"list": [1]}}
    result = evaluate_document("${map}", context(root)).value
    assert result == root["map"]
    assert result is not root["map"]
    assert result["list"] is not root["map"]["list"]


def test_a_result_that_looks_like_an_expression_is_data():
    """What a caller sends is never evaluated."""
    root = {"parameters": {"evil": "${T(java.lang.Math).random()}"}}
    result = evaluate_document({"a": "${parameters.evil}", "b": "say ${parameters.evil}"}, context(root))
    assert result.value == {
        "a": "${T(java.lang.Math).random()}",
        "b": "say ${T(java.lang.Math).random()}",
    }
    assert result.summary == {}


def test_values_without_json_become_some():
    """Dates of ``java.util`` are milliseconds, other types their text, entries maps of one."""
    source = {
        "date": "${new java.util.Date()}",
        "instant": "${T(java.time.Instant).now()}",
        "type": "${T(String)}",
        "nan": "${0.0 / 0}",
        "entries": "${{a: 1}.![#this]}",
    }
    assert evaluate_document(source, context({})).value == {
        "date": NOW_MS,
        "instant": "2026-11-23T03:00:00Z",
        "type": "class java.lang.String",
        "nan": "NaN",
        "entries": [{"a": 1}],
    }


def test_documents_nested_deeper_than_any_are_left_as_they_are():
    """From the level on at which nothing real is left."""
    deep = "${1 + 1}"
    for _ in range(500):
        deep = [deep]
    result = evaluate_document({"deep": deep, "flat": "${1 + 1}"}, context({}))
    assert result.value["flat"] == 2


def test_one_expression_that_takes_too_much_leaves_the_others_alone():
    """Each has its own steps."""
    limits = Limits(steps=1000)
    source = {"greedy": "${list.![#root.list.![#root.list.![#this]]]}", "modest": "${1 + 1}"}
    result = evaluate_document(source, context({"list": list(range(100))}, limits=limits))
    assert result.value["modest"] == 2
    assert "more than 1,000 steps" in result.summary[source["greedy"][2:-1]][0]["description"]


def test_a_document_as_a_whole_has_limits():
    """Many expressions together take too long as well."""
    limits = Limits(document_steps=100)
    result = evaluate_document([f"${{1 + {number}}}" for number in range(100)], context({}, limits=limits))
    assert result.value[:2] == [1, 2]
    assert result.value[-1] == "${1 + 99}"
    assert "together take too long" in result.summary["1 + 99"][0]["description"]


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("v4", "v4"),
        ("V4", "v4"),
        ("v3", "v3"),
        ("v2", "v3"),
        ("", "v3"),
        (None, "v3"),
        (4, "v3"),
        ("v5", "v3"),
    ],
)
def test_the_version_is_v3_unless_it_says_v4(written, version):
    """In any case of letters; v2 is v3 under an old name."""
    assert Version.of(written) == version


def test_a_starting_pipeline_sees_its_trigger_and_its_variables():
    """And no execution yet."""
    root = start_root({"parameters": {"a": 1}}, {"t": 2})
    assert dict(root) == {
        "trigger": {"parameters": {"a": 1}},
        "templateVariables": {"t": 2},
        "parameters": {"a": 1},
        "scmInfo": None,
    }
    assert "templateVariables" not in start_root({}, None)
    assert start_root({}, None)["parameters"] == {}


@pytest.mark.parametrize(("version", "value"), [(Version.V3, None), (Version.V4, 2)])
def test_stages_see_template_variables_in_v4_only(version, value):
    """In v3 they were put in when the pipeline started."""
    root = stage_root({}, execution={**EXECUTION, "templateVariables": {"t": 2}}, version=version)
    assert (root.get("templateVariables") or {}).get("t") == value


def test_tasks_see_their_own_context_only():
    """Neither an execution nor a trigger; parameters are an empty map."""
    root = stage_root({"a": 1}, execution=None)
    assert dict(root) == {"a": 1, "parameters": {}}
    assert stage_root({"parameters": {"b": 2}}, execution=None)["parameters"] == {"b": 2}


class Hurried(ManualClock):
    """A clock that goes on by 20 ms whenever somebody looks."""

    def monotonic(self):
        self._elapsed += 0.02
        return self._elapsed


async def test_everything_else_has_its_turn_between_two_long_documents():
    """Also when many are evaluated at the same time."""
    ticks, seen = [], []

    class Root(dict):
        def get(self, key, default=None):
            seen.append(len(ticks))
            return super().get(key, default)

    async def tick():
        while len(seen) < 5:
            ticks.append(1)
            await asyncio.sleep(0)

    there = context(Root(a=1), clock=Hurried())
    await asyncio.gather(tick(), *(resolve("${a}", there, FakeOutside()) for _ in range(5)))
    assert len(set(seen)) == 5
