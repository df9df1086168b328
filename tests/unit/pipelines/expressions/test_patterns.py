"""Java's patterns: what they mean, what is refused, and that none can run away."""

from __future__ import annotations

from contextlib import suppress

import pytest

from masthead.kernel.clock import ManualClock
from masthead.pipelines.expressions.bounds import Budget, Limits
from masthead.pipelines.expressions.errors import ExpressionError, TooMuch
from masthead.pipelines.expressions.methods import patterns


def budget():
    return Budget(Limits(), ManualClock().monotonic)


@pytest.mark.parametrize(
    ("pattern", "text", "is_match"),
    [
        (r"\d+", "12", True),
        (r"\d+", "٣", False),
        (r"\w+", "é", False),
        (r"\p{L}+", "é", True),
        (r"\p{Alpha}+\p{Punct}", "ab!", True),
        (r"\p{IsAlphabetic}+\P{Alpha}", "éé", True),
        (r"\p{javaLowerCase}\pL", "aB", True),
        (r"[a-z&&[^b]]+", "ac", True),
        (r"[a-z&&[^b]]+", "abc", False),
        (r"[a-c[x-z]]+", "ax", True),
        (r"[^a-c\s]+", "dé-", True),
        (r"[\w.-]+", "a-b.c", True),
        (r"[a\-z]+", "-", True),
        (r"[]a]+", "]a", True),
        (r"[^]a]+", "b", True),
        (r"[|&~]+", "||&&~~", True),
        (r"[|\&~]+", "||&~~", True),
        (r"\Qa.b*\E+", "a.b***", True),
        (r"(?i)abc", "ABC", True),
        (r"(?i:a)b", "AB", False),
        (r"(?s)a.b", "a\nb", True),
        (r"a.b", "a\nb", False),
        (r"(?m)a$\n^b", "a\nb", True),
        (r"a*+a", "aa", False),
        (r"(?>a+)b", "aab", True),
        (r"(?<v>\d)\k<v>", "11", True),
        (r"(a)(b)\2\1", "abba", True),
        (r"(?=.*x)(?!y).*(?<=z)", "xz", True),
        (r"a{2}b{1,}c{0,2}", "aabbc", True),
        (r"\x41\u0042\x{1F600}\0101", "AB😀A", True),
        (r"\t\R\h", "\t\r\n ", True),
        (r"a\z", "a", True),
        (r"\.\/\-\#", "./-#", True),
        ("", "", True),
    ],
)
def test_a_pattern_means_what_java_says(pattern, text, is_match):
    """Sets are of ASCII, properties of Unicode."""
    assert patterns.matches(pattern, text, budget()) is is_match


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "[", "[]", "[^]", "*", "a**", "a{", "a{x}", "{2}", "\\", r"\y", r"\1", r"\k<n>", r"\p{No Such}", r"\p{Nope}",
     "(?x)a", "(?R)", "(?1)", "(?P<n>a)", "(?&n)", "(*FAIL)", "(?|a)", "(?e)(a){e}", "a{e<=2}", r"\N{DIGIT ONE}", r"\L<x>",
     r"\x{110000}", "(?#c)a", "[z-a]", "[a", "a\\"],
)  # fmt: skip
def test_what_is_no_pattern_of_javas_is_refused(pattern):
    """And so is everything that only the engine knows."""
    with pytest.raises(ExpressionError):
        patterns.matches(pattern, "a", budget())


@pytest.mark.parametrize(
    "pattern",
    [
        "a{9999}",
        "(a{100}){100}",
        "((a{20}){20}){20}",
        "(" * 40 + "a" + ")" * 40,
        "[" * 40 + "a" + "]" * 40,
        "a" * 1001,
    ],
)
def test_patterns_that_would_grow_are_refused_before_they_do(pattern):
    """Counted repetitions are multiplied, groups and lengths are counted."""
    with pytest.raises(ExpressionError):
        patterns.matches(pattern, "a", budget())


@pytest.mark.parametrize(
    "pattern", ["(a|aa)+$", "(a|a)*b", "(.|..)*x", "((a?)+)+b", "(a+a+)+b", r"(\w+\s?)+!"]
)
def test_patterns_that_would_run_away_are_stopped(pattern):
    """In a tenth of a second, with a sentence; or the engine sees at once that nothing matches."""
    text = "a" * 5000 + "\n"
    with suppress(TooMuch):
        patterns.matches(pattern, text, budget())
    with suppress(TooMuch):
        patterns.replace(pattern, text, "x", budget())
    with suppress(TooMuch):
        patterns.split(pattern, text, 0, budget())


def test_a_pattern_that_surely_runs_away_is_stopped():
    """The engine cannot see through this one."""
    with pytest.raises(TooMuch, match="takes too long"):
        patterns.matches("(a|aa)+$", "a" * 60 + "b", budget())


def test_what_a_replacement_makes_is_counted_while_it_grows():
    """Neither texts nor patterns can multiply."""
    with pytest.raises(TooMuch):
        patterns.replace("", "a" * 5000, "b" * 5000, budget())
    with pytest.raises(TooMuch):
        patterns.replace_text("a" * 5000, "", "b" * 5000, budget())
    with pytest.raises(TooMuch):
        patterns.replace("(.+)", "a" * 1000, "$1" * 5000, budget())


def test_replacements_name_groups():
    """As many digits as there are groups; a backslash makes a character plain."""
    assert patterns.replace("(a)(b)", "ab", "$2$10", budget()) == "ba0"
    assert patterns.replace("a", "a", r"\$1\\", budget()) == "$1\\"
    with pytest.raises(ExpressionError, match="No group 1"):
        patterns.replace("a", "a", "$1", budget())
    with pytest.raises(ExpressionError, match="Illegal group reference"):
        patterns.replace("(?<n>a)", "a", "${m}", budget())


def test_pieces_of_a_split():
    """Java's rules for empty pieces at either end."""
    assert patterns.split("", "abc", 0, budget()) == ["a", "b", "c"]
    assert patterns.split("(?=b)", "abab", 0, budget()) == ["a", "ba", "b"]
    assert patterns.split(",", ",", 0, budget()) == []
    assert patterns.split(r"\s*,\s*", "a , b,c", 2, budget()) == ["a", "b,c"]
    assert patterns.split("x", "abc", 0, budget()) == ["abc"]
