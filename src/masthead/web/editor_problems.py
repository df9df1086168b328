"""What is wrong with a pipeline that is being edited: what keeps it from being saved, and what will hurt when it runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masthead.executions import StageTypes
from masthead.ownership import Weight
from masthead.pipelines import Pipelines, doubts_of
from masthead.pipelines.expressions import check_document
from masthead.web.editor_json import line_of, lines_of
from masthead.web.wakes import Wake

__all__ = ["EditorProblem", "located", "problems_of"]


@dataclass(frozen=True, slots=True)
class EditorProblem:
    """One thing that is wrong.

    Attributes:
        pointer: Where in the pipeline, as JSON pointer.
        is_error: Whether it keeps the pipeline from being saved.
        ref: The stage's refId, or None.
        line: In the JSON of the whole pipeline.
    """

    pointer: str
    sentence: str
    is_error: bool
    ref: str | None
    line: int = 1


def problems_of(
    draft: Mapping[str, Any],
    plain: Mapping[str, Any],
    wakes: Sequence[Wake],
    *,
    pipelines: Pipelines,
    types: StageTypes,
) -> list[EditorProblem]:
    """Give what is wrong, what keeps it from being saved first.

    Args:
        draft: As it is shown.
        plain: The same with its keys, as it would be stored.
        wakes: Whom its stages wake.
        pipelines: Whose rules hold.
        types: Those that run here.
    """
    errors = [(one.pointer, one.sentence) for one in pipelines.checks.problems(plain)]
    said = set(errors)
    warnings = [
        *((one.pointer, one.sentence) for one in check_document({"stages": draft.get("stages")})),
        *_of_stages(draft, types, frozenset(at for at, _ in errors)),
        *((one.pointer, one.sentence) for one in (*doubts_of(draft), *types.doubts(draft))),
        *_of_wakes(draft, wakes),
    ]
    found = [EditorProblem(at, text, is_error=True, ref=_ref(draft, at)) for at, text in errors]
    found += [
        EditorProblem(at, text, is_error=False, ref=_ref(draft, at))
        for at, text in dict.fromkeys(warnings)
        if (at, text) not in said
    ]
    return found


def located(problems: Sequence[EditorProblem], text: str) -> list[EditorProblem]:
    """Give *problems* with their lines in the JSON *text*."""
    lines = lines_of(text)
    return [
        EditorProblem(one.pointer, one.sentence, one.is_error, one.ref, line_of(one.pointer, lines))
        for one in problems
    ]


def _of_stages(
    draft: Mapping[str, Any], types: StageTypes, refused: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Give what stages lack, but for fields that are *refused*: of those everything is said."""
    stages = draft.get("stages")
    for at, stage in enumerate(stages if isinstance(stages, list) else ()):
        if not isinstance(stage, Mapping):
            continue
        name = stage.get("name") or stage.get("type") or at + 1
        known = types.find(str(stage.get("alias") or stage.get("type")))
        if known is None:
            yield (
                f"/stages/{at}/type",
                f"Masthead runs no stages of type {stage.get('type')}: {name} would fail.",
            )
            continue
        for field in known.fields:
            is_missing = field.is_required and stage.get(field.name) in (None, "", [], {})
            if is_missing and f"/stages/{at}/{field.name}" not in refused:
                yield f"/stages/{at}", f"{name} needs its field {field.name}: {field.doc}"


def _of_wakes(draft: Mapping[str, Any], wakes: Sequence[Wake]) -> Iterator[tuple[str, str]]:
    stages = draft.get("stages")
    places = [
        at
        for at, stage in enumerate(stages if isinstance(stages, list) else ())
        if isinstance(stage, Mapping) and stage.get("type") == "pageApplicationOwner"
    ]
    for at, wake in zip(places, wakes, strict=False):
        if wake.names_nobody:
            yield f"/stages/{at}", f"{wake.stage} names nobody to page: give applications, keys, or both."
        for problem in wake.problems:
            if problem.severity is Weight.ERROR:
                yield f"/stages/{at}", f"{wake.stage}: {problem.sentence}"


def _ref(draft: Mapping[str, Any], pointer: str) -> str | None:
    parts = pointer.split("/")
    stages = draft.get("stages")
    if len(parts) < 3 or parts[1] != "stages" or not isinstance(stages, list) or not parts[2].isdecimal():
        return None
    place = int(parts[2])
    stage = stages[place] if place < len(stages) else None
    ref = stage.get("refId") if isinstance(stage, Mapping) else None
    return None if ref in (None, "") else str(ref)
