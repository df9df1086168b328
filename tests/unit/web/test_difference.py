"""How two pipelines differ: as people would say it, and in bounded time however large they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.web.difference import count_changes, diff
from masthead.web.editor_json import written

DOCUMENTS = st.lists(st.sampled_from(["a", "b", "c", {"x": 1}, {}, [1]]), max_size=12)


def test_a_difference_shows_what_came_and_went_with_a_little_around():
    """And nothing where nothing changed."""
    before, after = {"a": list(range(20)), "b": 1}, {"a": list(range(20)), "b": 2}
    assert [line.sign for line in diff(before, after)] == ["…", " ", " ", " ", "-", "+", " "]
    assert diff(before, before) == []


@given(before=DOCUMENTS, after=DOCUMENTS)
def test_what_went_and_came_leads_from_one_to_the_other(before, after):
    """Nothing is told that is not so, and as much goes and comes as is counted, or more where lines moved."""
    lines = diff(before, after)
    for document, sign in ((before, "-"), (after, "+")):
        text = written(document).splitlines()
        told = [line.text for line in lines if line.sign in (sign, " ")]
        assert not set(told) - set(text)
    came, went = count_changes(before, after)
    assert sum(line.sign == "+" for line in lines) >= came
    assert sum(line.sign == "-" for line in lines) >= went


@pytest.mark.parametrize("count", [3, 400, 1_500])
def test_one_change_amid_many_lines_is_shown_alone(count):
    """However often the lines around it come again."""
    stages = [{"type": "wait", "waitTime": 5} for _ in range(count)]
    changed = [*stages[: count // 2], {"type": "wait", "waitTime": 6}, *stages[count // 2 + 1 :]]
    lines = diff(stages, changed)
    assert [line.text.strip() for line in lines if line.sign in "+-"] == ['"waitTime": 5', '"waitTime": 6']
    assert count_changes(stages, changed) == (1, 1)


def test_two_changes_far_apart_are_both_shown():
    """With what lies between left out."""
    before = {"first": 1, "between": list(range(300)), "last": 1}
    lines = diff(before, before | {"first": 2, "last": 2})
    assert [line.sign for line in lines].count("…") == 1
    assert sum(line.sign in "+-" for line in lines) == 4


def test_of_pipelines_that_differ_in_very_many_lines_the_first_are_shown():
    """To compare them all took minutes, in which nobody else was answered."""
    before, after = (
        {"a": 1, "x": [n % 10 for n in range(60_000)]},
        {"a": 1, "x": [n % 7 for n in range(50_000)]},
    )
    lines = diff(before, after)
    assert [line.sign for line in lines[:5]] == ["…", " ", " ", " ", "-"]
    assert len(lines) == 2_001
    assert (lines[-1].sign, lines[-1].text[:3]) == ("…", "and")
    came, went = count_changes(before, after)
    assert went - came == 10_000
