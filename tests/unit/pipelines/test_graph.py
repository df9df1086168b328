"""The graph of stages: order, refIds, and what is wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masthead.pipelines.graph import (
    assign_ref_ids,
    ref_id,
    requisites,
    topological_order,
    validate_graph,
)


def stage(ref=None, *waits, **more):
    return {
        "type": "wait",
        **({} if ref is None else {"refId": ref, "requisiteStageRefIds": list(waits)}),
        **more,
    }


@st.composite
def acyclic(draw):
    """Stages in which each waits for some of those before it, then shuffled."""
    count = draw(st.integers(0, 12))
    stages = []
    for n in range(count):
        waits = draw(st.lists(st.integers(0, n - 1), unique=True)) if n else []
        stages.append(stage(str(n), *map(str, waits)))
    return draw(st.permutations(stages))


@st.composite
def tangled(draw):
    """Stages that wait for anything at all, themselves and unknown ones included."""
    names = st.sampled_from("abcdef")
    rows = draw(st.lists(st.tuples(names | st.none(), st.lists(names, max_size=4)), max_size=8))
    return [stage(ref, *waits) for ref, waits in rows]


def pointers(stages) -> list[str]:
    return [problem.pointer for problem in validate_graph(stages)]


@given(acyclic())
def test_a_graph_without_circles_has_no_problems_and_an_order(stages):
    """Every stage stands once in the order, after all that it waits for."""
    assert validate_graph(stages) == ()
    order = topological_order(stages)
    assert sorted(order) == sorted(one["refId"] for one in stages)
    for one in stages:
        assert all(order.index(wait) < order.index(one["refId"]) for wait in requisites(one))


@given(tangled())
def test_no_problem_is_told_exactly_when_the_graph_can_run(stages):
    """A graph is fine when its refIds are unique, its requisites known, and it can be peeled from its roots."""
    named = [one for one in stages if ref_id(one) is not None]
    names = [ref_id(one) for one in named]
    is_fine = len(set(names)) == len(names) and all(
        wait in names for one in named for wait in requisites(one)
    )
    done: set[str] = set()
    while is_fine and len(done) < len(names):
        ready = {ref_id(one) for one in named if set(requisites(one)) <= done} - done
        is_fine = bool(ready)
        done |= ready
    assert (validate_graph(stages) == ()) == is_fine


@given(acyclic(), st.data())
def test_a_circle_is_always_found(stages, data):
    """Closing a path from a stage back to one it waits for is told, at a stage of the circle."""
    if not stages:
        return
    order = topological_order(stages)
    last = data.draw(st.sampled_from(order))
    by_ref = {one["refId"]: one for one in stages}
    ancestors = {last}
    for name in reversed(order):
        if name in ancestors:
            ancestors.update(requisites(by_ref[name]))
    first = data.draw(st.sampled_from(sorted(ancestors)))
    by_ref[first]["requisiteStageRefIds"].append(last)

    (problem,) = validate_graph(stages)

    at = int(problem.pointer.split("/")[2])
    assert problem.pointer.endswith("/requisiteStageRefIds")
    assert stages[at]["refId"] in ancestors
    with pytest.raises(ValueError):
        topological_order(stages)


@given(st.lists(st.fixed_dictionaries({"type": st.text()}), max_size=10))
def test_stages_without_ref_ids_run_one_after_another(stages):
    """Ref ids "0", "1", … are given, each stage waits for the one before, the input stays as it was."""
    before = [dict(one) for one in stages]
    assigned = assign_ref_ids(stages)
    assert stages == before
    assert [one["refId"] for one in assigned] == [str(n) for n in range(len(stages))]
    assert topological_order(assigned) == [str(n) for n in range(len(stages))]
    assert [one["type"] for one in assigned] == [one["type"] for one in stages]


def test_one_ref_id_is_enough_to_leave_all_alone():
    """When only some stages have a refId nothing is assigned, as in Orca."""
    stages = [stage("1"), stage()]
    assert assign_ref_ids(stages) == stages
    assert validate_graph(stages) == ()


def test_stages_without_ref_id_are_no_duplicates_of_each_other():
    """Absent, null and empty refIds are no refIds."""
    assert validate_graph([stage(), stage(refId=None), stage(refId="")]) == ()


def test_a_number_and_its_digits_are_the_same_ref_id():
    """Old pipelines write refIds as numbers."""
    stages = [
        {"refId": 1},
        {"refId": 2, "requisiteStageRefIds": ["1"]},
        {"refId": "3", "requisiteStageRefIds": [2]},
    ]
    assert validate_graph(stages) == ()
    assert topological_order(stages) == ["1", "2", "3"]
    assert pointers([{"refId": 1}, {"refId": "1"}]) == ["/stages/1/refId"]


def test_a_duplicate_names_both_stages():
    """The second of two equal refIds is the one to change."""
    (problem,) = validate_graph([stage("1", name="Build"), stage("1", name="Deploy")])
    assert problem.pointer == "/stages/1/refId"
    assert problem.sentence == "Stage 'Deploy' has the refId '1' of stage 'Build'; each stage needs its own."


def test_an_unknown_requisite_is_told_at_its_place():
    """A stage that waits for what does not exist would never start."""
    (problem,) = validate_graph([stage("1"), stage("2", "1", "9", name="Deploy")])
    assert problem.pointer == "/stages/1/requisiteStageRefIds/1"
    assert problem.sentence == "Stage 'Deploy' waits for refId '9', which no stage has."


def test_a_circle_is_told_in_the_order_of_waiting():
    """Each refId of the sentence waits for the next one."""
    stages = [stage("a"), stage("b", "a", "d"), stage("c", "b"), stage("d", "c")]
    (problem,) = validate_graph(stages)
    assert problem.pointer == "/stages/1/requisiteStageRefIds"
    assert problem.sentence == "Stages wait for each other in a circle: refIds b → d → c → b."


def test_a_stage_that_waits_for_itself_is_told():
    """The smallest circle has a sentence of its own."""
    (problem,) = validate_graph([stage("1", "1", name="Deploy")])
    assert problem.sentence == "Stage 'Deploy' waits for itself."


def test_every_problem_is_told_at_once():
    """Duplicates, unknown requisites and a circle stand in one answer."""
    stages = [stage("1", "2"), stage("2", "1"), stage("2"), stage("3", "x", "y")]
    assert pointers(stages) == [
        "/stages/2/refId",
        "/stages/3/requisiteStageRefIds/0",
        "/stages/3/requisiteStageRefIds/1",
        "/stages/0/requisiteStageRefIds",
    ]


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (None, []),
        ([], []),
        ({}, ["/stages"]),
        ("x", ["/stages"]),
        ([1], ["/stages/0"]),
        ([{"refId": {}}], ["/stages/0/refId"]),
        ([{"refId": True}], ["/stages/0/refId"]),
        ([{"requisiteStageRefIds": "1"}], ["/stages/0/requisiteStageRefIds"]),
        ([{"requisiteStageRefIds": [None]}], ["/stages/0/requisiteStageRefIds"]),
        ([{"requisiteStageRefIds": None}], []),
    ],
)
def test_what_is_no_graph_at_all_is_told(stages, expected):
    """Wrong types are problems with a pointer, not exceptions."""
    assert pointers(stages) == expected


def test_equals_keep_the_order_of_the_pipeline():
    """Stages that wait for the same run in the order in which they are written."""
    assert topological_order([stage("z"), stage("a"), stage("m", "a", "z"), stage("b", "z")]) == [
        "z",
        "a",
        "m",
        "b",
    ]


def test_a_long_chain_is_no_problem():
    """Ten thousand stages in a row neither recurse nor linger."""
    stages = [stage(str(n), *([str(n - 1)] if n else [])) for n in range(10_000)]
    assert validate_graph(stages) == ()
    stages[0]["requisiteStageRefIds"] = ["9999"]
    assert pointers(stages) == ["/stages/0/requisiteStageRefIds"]


def test_requisites_that_no_stage_has_do_not_disturb_the_order():
    """The order ignores what does not exist, and stages that nobody can wait for."""
    assert topological_order([stage("2", "1", "9"), stage(), stage("1")]) == ["1", "2"]
