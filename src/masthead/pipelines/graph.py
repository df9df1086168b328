"""The graph of a pipeline: who waits for whom, and what is wrong with it. Pure functions over stages' JSON.

A stage is known by its ``refId`` and waits for the stages in its ``requisiteStageRefIds``. What Orca only
finds while running, or never (a stage that waits for one that does not exist simply never starts), is told
here as values, each with a JSON pointer and a sentence.

Source: Spinnaker compatibility facts, sections 4.1 (step 6) and 4.5.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

__all__ = [
    "GraphProblem",
    "assign_ref_ids",
    "ref_id",
    "requisites",
    "shape_problems",
    "too_many_stages",
    "topological_order",
    "validate_graph",
]

#: Stages of one pipeline, and jobs of one task; people write some dozens.
_MOST = 1000


@dataclass(frozen=True, slots=True)
class GraphProblem:
    """One thing that keeps a graph from running.

    Attributes:
        pointer: JSON pointer within the pipeline, such as ``/stages/2/refId``.
        sentence: What is wrong and with which stage, for the one who edits the pipeline.
    """

    pointer: str
    sentence: str


def ref_id(stage: Mapping[str, Any]) -> str | None:
    """Give the stage's ``refId`` as text (a number counts as its digits), or None when it has none."""
    value = stage.get("refId")
    return None if value is None or value == "" else str(value)


def requisites(stage: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the refIds that *stage* waits for, as text, each once, in the order written."""
    value = stage.get("requisiteStageRefIds")
    return tuple(dict.fromkeys(str(item) for item in value)) if isinstance(value, list) else ()


def assign_ref_ids(stages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Make stages without any refId run one after another: "0", "1", … each waiting for the one before.

    Returns:
        Copies of the stages; unchanged when at least one has a refId.

    Source: Spinnaker compatibility facts, section 4.1, step 6.
    """
    if any(ref_id(stage) is not None for stage in stages):
        return [dict(stage) for stage in stages]
    return [
        {**stage, "refId": str(n), "requisiteStageRefIds": [str(n - 1)] if n else []}
        for n, stage in enumerate(stages)
    ]


def topological_order(stages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the refIds so that each stands after all it waits for; among equals the order of *stages* holds.

    Requisites that no stage has are ignored, and so are stages without refId.

    Raises:
        ValueError: stages wait for each other; :func:`validate_graph` says which.
    """
    position = {name: at for at, name in reversed(list(enumerate(map(ref_id, stages)))) if name is not None}
    sorter = TopologicalSorter(_edges(stages))
    order: list[str] = []
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        order.extend(ready)
        sorter.done(*ready)
    return order


def validate_graph(stages: object) -> tuple[GraphProblem, ...]:
    """Say everything that is wrong with the graph of *stages*; of the cycles one at a time.

    Args:
        stages: A pipeline's ``stages`` as decoded, whatever it is; absent stages (None) are no problem.

    Returns:
        The problems in the order of the stages; empty when the graph can run.
    """
    if stages is None:
        return ()
    if not isinstance(stages, list):
        return (GraphProblem("/stages", "'stages' must be a list."),)
    shapes = tuple(shape_problems(stages))
    if shapes:
        return shapes
    return (*_duplicates(stages), *_unknown_requisites(stages), *_cycle(stages))


def too_many_stages(stages: Sequence[object]) -> str | None:
    """Give the sentence for more stages than one execution can have, or None."""
    if len(stages) <= _MOST:
        return None
    return f"There are {len(stages):,} stages; {_MOST:,} are the most that one pipeline or task can have."


def shape_problems(stages: Sequence[object]) -> Iterator[GraphProblem]:
    """Say which of *stages* are none, or say what they wait for in no way that can be read."""
    for at, stage in enumerate(stages):
        if not isinstance(stage, Mapping):
            yield GraphProblem(f"/stages/{at}", f"Stage {at + 1} must be a JSON object.")
            continue
        if not _is_id(stage.get("refId")):
            yield GraphProblem(f"/stages/{at}/refId", f"The refId of {_called(stage, at)} must be text.")
        waits = stage.get("requisiteStageRefIds")
        if waits is not None and not (isinstance(waits, list) and all(map(_is_given_id, waits))):
            sentence = f"requisiteStageRefIds of {_called(stage, at)} must be a list of refIds."
            yield GraphProblem(f"/stages/{at}/requisiteStageRefIds", sentence)


def _duplicates(stages: Sequence[Mapping[str, Any]]) -> Iterator[GraphProblem]:
    first: dict[str, int] = {}
    for at, stage in enumerate(stages):
        name = ref_id(stage)
        if name is None:
            continue
        if (before := first.setdefault(name, at)) != at:
            sentence = (
                f"{_called(stage, at, at_start=True)} has the refId '{name}' of "
                f"{_called(stages[before], before)}; each stage needs its own."
            )
            yield GraphProblem(f"/stages/{at}/refId", sentence)


def _unknown_requisites(stages: Sequence[Mapping[str, Any]]) -> Iterator[GraphProblem]:
    known = set(map(ref_id, stages))
    for at, stage in enumerate(stages):
        for n, name in enumerate(map(str, stage.get("requisiteStageRefIds") or [])):
            if name not in known:
                sentence = (
                    f"{_called(stage, at, at_start=True)} waits for refId '{name}', which no stage has."
                )
                yield GraphProblem(f"/stages/{at}/requisiteStageRefIds/{n}", sentence)


def _cycle(stages: Sequence[Mapping[str, Any]]) -> Iterator[GraphProblem]:
    try:
        TopologicalSorter(_edges(stages)).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1][:-1]
        at, stage = next((n, s) for n, s in enumerate(stages) if ref_id(s) in circle)
        start = circle.index(str(ref_id(stage)))
        path = [*circle[start:], *circle[: start + 1]]
        if len(circle) == 1:
            sentence = f"{_called(stage, at, at_start=True)} waits for itself."
        else:
            # graphlib lists each node before the ones that wait for it
            sentence = f"Stages wait for each other in a circle: refIds {' → '.join(reversed(path))}."
        yield GraphProblem(f"/stages/{at}/requisiteStageRefIds", sentence)


def _edges(stages: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Give refId -> the refIds it waits for; stages of one refId count as one, unknown ones not at all."""
    edges: dict[str, set[str]] = {name: set() for stage in stages if (name := ref_id(stage)) is not None}
    for stage in stages:
        if (name := ref_id(stage)) is not None:
            edges[name].update(wanted for wanted in requisites(stage) if wanted in edges)
    return edges


def _is_id(value: object) -> bool:
    return value is None or (isinstance(value, str | int) and not isinstance(value, bool))


def _is_given_id(value: object) -> bool:
    return value is not None and _is_id(value)


def _called(stage: Mapping[str, Any], at: int, *, at_start: bool = False) -> str:
    name = stage.get("name") or stage.get("type")
    text = f"stage '{name}'" if isinstance(name, str) else f"stage {at + 1}"
    return text[0].upper() + text[1:] if at_start else text
