"""Arbitrary text is an expression, or an error of ours, and never anything else; laws that hold for any value."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import hypothesis.strategies as st
from hypothesis import given, settings

from masthead.pipelines.expressions import Expression, ExpressionError, check, evaluate_document
from masthead.pipelines.expressions.bounds import Budget, Limits
from masthead.pipelines.expressions.methods import patterns
from masthead.pipelines.expressions.syntax.nodes import walk
from support.expressing import context, worth

ROOT = {"a": {"b": [1, 2, {"c": None}]}, "s": "some text", "n": 5, "f": 1.5, "t": True, "l": ["x", "y"]}
PIECES = st.sampled_from(
    ["a", "s", "n", "f", "t", "l", "b", "c", "key", "value", "1", "2.5", "'x'", '"y"', "null", "true", "(", ")", "[", "]", "{", "}",
     ":", ",", ".", "?.", "?:", "?", "+", "-", "*", "/", "%", "^", "==", "!=", "<", ">=", " and ", " or ", "not ", "!", " matches ",
     " instanceof ", " between ", ".?[", ".^[", ".$[", ".![", "#this", "#root", "#toJson(", "#stage('x')", "T(String)", "T(Math)",
     "new Date()", ".size()", ".split(", ".replaceAll(", ".format(", ".get(", ".length()", ".substring(", "${", "}", " ", "\n", "\\"]
)  # fmt: skip
NEARLY = st.lists(PIECES, max_size=25).map("".join)


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_parses_or_is_refused(text):
    """Only with our error."""
    with suppress(ExpressionError):
        assert list(walk(Expression.parse(text).node))


@given(st.one_of(NEARLY, st.text(max_size=100)))
@settings(max_examples=500)
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
@settings(max_examples=500)
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
@settings(max_examples=200)
def test_what_is_in_the_context_comes_back_as_it_was(value):
    """Through a whole-text expression, whatever it looks like."""
    evaluated = evaluate_document(["${it}"], context({"it": value}))
    assert evaluated.value == (["${it}"] if value is None else [value])


@given(st.text("ab", max_size=12), st.text("ab", max_size=4), st.integers(-3, 14))
@settings(max_examples=200)
def test_the_last_place_of_a_text_is_that_of_the_first_in_reverse(text, other, at):
    """With and without a place to begin at."""
    root = {"text": text, "other": other, "at": at}
    assert worth("text.lastIndexOf(other)", root) == text.rfind(other)
    expected = max((n for n in range(min(at, len(text)) + 1) if text.startswith(other, n)), default=-1)
    assert worth("text.lastIndexOf(other, at)", root) == expected


@given(st.integers(-11_676_096_000_000, 253_399_622_400_000))
@settings(max_examples=200)
def test_a_date_that_is_written_is_read_again(ms):
    """In forms that hold all of it, with digits side by side as well."""
    for form in ("yyyyMMddHHmmssSSS", "EEEE, d. MMMM yyyy h:mm:ss.S a z", "y D k m s S X"):
        same = (
            f"new SimpleDateFormat('{form}').parse(new SimpleDateFormat('{form}').format(new Date(ms))).time"
        )
        assert worth(same, {"ms": ms}) == ms


@given(st.integers(-(2**62), 2**62), st.integers(-(2**31), 2**31).filter(bool))
@settings(max_examples=200)
def test_what_division_leaves_makes_up_for_it(one, other):
    """Both towards zero, as in Java."""
    root = {"a": one, "b": other}
    assert worth("a / b * b + a % b == a", root)
    assert worth("T(Math).floorDiv(a, b) * b + T(Math).floorMod(a, b) == a", root)
    assert abs(worth("a % b", root)) < abs(other)


@given(st.floats(-1e15, 1e15), st.integers(0, 6))
@settings(max_examples=200)
def test_a_number_is_written_to_the_nearest_place(number, places):
    """Never further away than half of the last one."""
    text = worth(f"T(String).format('%.{places}f', n)", {"n": number})
    assert abs(Decimal(text) - Decimal(repr(number))) <= Decimal(5).scaleb(-places - 1)


@given(
    st.recursive(
        st.integers(0, 9) | st.text("ab,", max_size=3), lambda each: st.lists(each, max_size=3), max_leaves=8
    )
)
@settings(max_examples=200)
def test_a_list_in_a_text_is_all_that_it_holds_between_commas(value):
    """However deep; the same in a mixed text and with a plus."""

    def flat(each):
        return ",".join(map(flat, each)) if isinstance(each, list) else str(each)

    evaluated = evaluate_document(["<${it}>", "${'<' + it + '>'}"], context({"it": value}))
    expected = (
        [f"<{flat(value)}>", f"<{flat(value)}>"] if isinstance(value, (list, str)) else [f"<{value}>"] * 2
    )
    assert evaluated.value == expected
