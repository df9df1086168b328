"""Arbitrary text is an expression, or an error of ours, and never anything else."""

from __future__ import annotations

import json
from contextlib import suppress

import hypothesis.strategies as st
from hypothesis import given, settings

from masthead.pipelines.expressions import Expression, ExpressionError, check, evaluate_document
from masthead.pipelines.expressions.bounds import Budget, Limits
from masthead.pipelines.expressions.methods import patterns
from masthead.pipelines.expressions.syntax.nodes import walk
from support.expressing import context

ROOT = {"a": {"b": [1, 2, {"c": None}]}, "s": "some text", "n": 5, "f": 1.5, "t": True, "l": ["x", "y"]}
PIECES = st.sampled_from(
    ["a", "s", "n", "f", "t", "l", "b", "c", "key", "value", "1", "2.5", "'x'", '"y"', "null", "true", "(", ")", "[", "]", "{", "}",
     ":", ",", ".", "?.", "?:", "?", "+", "-", "*", "/", "%", "^", "==", "!=", "<", ">=", " and ", " or ", "not ", "!", " matches ",
     " instanceof ", " between ", ".?[", ".^[", ".$[", ".![", "#this", "#root", "#toJson(", "#stage('x')", "T(String)", "T(Math)",
     "new Date()", ".size()", ".split(", ".replaceAll(", ".format(", ".get(", ".length()", ".substring(", "${", "}", " ", "\n", "\\"]
)  # fmt: skip
NEARLY = st.lists(PIECES, max_size=25).map("".join)


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_parses_or_is_refused(text):
    """Only with our error."""
    with suppress(ExpressionError):
        assert list(walk(Expression.parse(text).node))


@given(st.one_of(NEARLY, st.text(max_size=100)))
@settings(max_examples=500, deadline=None)
def test_anything_that_looks_like_an_expression_gives_json_or_a_report(text):
    """And the document keeps its shape."""
    source = {"k": "${" + text + "}", "other": ["${n + 1}"]}
    evaluated = evaluate_document(source, context(ROOT))
    assert set(evaluated.value) == {"k", "other"}
    assert evaluated.value["other"] == [6]
    json.dumps(evaluated.value)
    check(source["k"])


@given(
    st.text(alphabet="ab()[]{}*+?.|^$\\dwQE1-&,:<>=!i ", max_size=40), st.text(alphabet="ab1 .", max_size=60)
)
@settings(max_examples=500, deadline=None)
def test_any_pattern_over_any_text_matches_or_is_refused(pattern, text):
    """Only with our error."""
    budget = Budget(Limits(), context().clock.monotonic)
    for run in (
        patterns.matches,
        lambda p, t, b: patterns.replace(p, t, "x", b),
        lambda p, t, b: patterns.split(p, t, 0, b),
    ):
        with suppress(ExpressionError):
            run(pattern, text, budget)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
        lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=4), each, max_size=4),
        max_leaves=12,
    )
)
@settings(max_examples=200, deadline=None)
def test_what_is_in_the_context_comes_back_as_it_was(value):
    """Through a whole-text expression, whatever it looks like."""
    evaluated = evaluate_document(["${it}"], context({"it": value}))
    assert evaluated.value == (["${it}"] if value is None else [value])
