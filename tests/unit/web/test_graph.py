"""The drawing of stages: phases, the order of the keyboard, names for those who listen, and graphs that cannot run."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.executions import Status
from masthead.web.graph import Drawn, draw
from masthead.web.looks import look_of


def stage(ref: str, *waits_for: str, name: str = "", is_chosen: bool = False) -> Drawn:
    look = look_of("SUCCEEDED")
    return Drawn(
        ref, name or f"Stage {ref}", waits_for, f"?stage={ref}", look.icon, look.style, look.word,
        f"Stage {ref}, succeeded", is_chosen=is_chosen,
    )  # fmt: skip


def places(svg: str) -> dict[str, tuple[float, float]]:
    """Give where each stage stands, by its address, in the order of the document."""
    found = re.findall(r'<a href="\?stage=([^"]*)".*?transform="translate\(([\d.]+) ([\d.]+)\)"', svg)
    return {ref: (float(x), float(y)) for ref, x, y in found}


def test_a_stage_stands_behind_all_that_it_waits_for():
    """By the longest way, whatever the order of the pipeline."""
    found = places(draw([stage("3", "1", "2"), stage("2", "1"), stage("1"), stage("4", "1")], label="g"))
    assert found["1"][0] < found["2"][0] < found["3"][0]
    assert found["4"][0] == found["2"][0]


def test_the_keyboard_walks_through_the_phases_in_their_order():
    """Links come as the stages run."""
    svg = draw([stage("3", "2"), stage("2", "1"), stage("1")], label="g")
    assert list(places(svg)) == ["1", "2", "3"]


def test_a_stage_says_its_name_and_status_to_those_who_listen():
    """And which one is chosen; the text is escaped."""
    svg = draw([stage("1", name="<b>", is_chosen=True)], label='Stages of "x"')
    root = ET.fromstring(svg)
    link = root.find("a")
    assert link is not None
    assert root.get("aria-label") == 'Stages of "x"'
    assert (link.get("aria-label"), link.get("aria-current")) == ("Stage 1, succeeded", "true")
    assert link.findtext("title") == "<b>"


def test_a_long_name_is_cut_and_stands_whole_in_the_title():
    """Nothing runs out of its box."""
    name = "Page the owners of every application of the shop"
    svg = draw([stage("1", name=name)], label="g")
    assert f"<title>{name}</title>" in svg
    assert re.search(r'<text x="34" y="20">Page the owners[^<]*…</text>', svg)


@pytest.mark.parametrize(
    ("word", "line"), [("running", "running, 12 min 20 s"), ("waits for judgment", "waits for judgment")]
)
def test_how_long_it_took_is_said_only_where_there_is_room(word, line):
    """Half a number would be worse than none."""
    svg = draw([replace(stage("1"), word=word, aside="12 min 20 s")], label="g")
    assert f'<text x="34" y="37" class="word">{line}</text>' in svg


def test_nothing_to_draw_is_nothing():
    """An empty pipeline has no graph."""
    assert draw([], label="g") == ""


@given(
    st.lists(st.tuples(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4)), min_size=1, max_size=14)
)
def test_any_graph_is_drawn_with_every_stage_once(given_stages):
    """Also one with circles, refIds used twice and refIds that nobody has; no two stages overlap."""
    stages = [
        Drawn(str(ref), "n", tuple(map(str, waits)), f"?stage={at}", "neutral", "neutral", "w", "s")
        for at, (ref, waits) in enumerate(given_stages)
    ]
    svg = draw(stages, label="g")
    ET.fromstring(svg)
    found = places(svg)
    assert sorted(map(int, found)) == list(range(len(stages)))
    taken = sorted(found.values())
    assert all(x != next_x or next_y - y >= 48 for (x, y), (next_x, next_y) in itertools.pairwise(taken))


def test_every_status_has_a_word_of_its_own():
    """And those that end differently have shapes of their own."""
    looks = {status: look_of(status) for status in Status}
    assert len({look.word for look in looks.values()}) == len(Status)
    ends = [Status.SUCCEEDED, Status.TERMINAL, Status.CANCELED, Status.SKIPPED, Status.FAILED_CONTINUE]
    assert len({looks[status].icon for status in ends}) == len(ends)


def test_what_waits_for_a_person_says_so():
    """A judgment that runs is one that waits."""
    assert look_of("RUNNING", "manualJudgment").word == "waits for judgment"
    assert look_of("SUCCEEDED", "manualJudgment").word == "succeeded"
