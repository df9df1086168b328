"""What holds for a stage of whatever type, before it is stored.

Source: Spinnaker compatibility facts, sections 4.1, 4.5.2 and 4.5.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from masthead.kernel.errors import MastheadError
from masthead.pipelines import Problem
from masthead.pipelines.expressions import holds_expression

__all__ = ["conditions_of_any", "problems_in", "problems_of_any", "type_missing"]


def type_missing(where: str, name: object) -> str:
    """Give Orca's sentence for a stage without a type.

    Args:
        where: What it is a stage of.
        name: The stage's.
    """
    return f"type missing from {where}, stage name: '{name or 'null'}'"


def problems_of_any(stage: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[Problem]:
    """Say what is certainly wrong with *stage* as *pipeline* writes it, each with a pointer from the stage on."""
    kind = stage.get("type")
    if kind in (None, ""):
        where = f"pipeline '{pipeline.get('name')}' in application '{pipeline.get('application')}'"
        yield Problem("/type", type_missing(where, stage.get("name")))
    elif not isinstance(kind, str):
        yield Problem("/type", "`type` must be a text that names a type of stage, such as wait.")
    limit = stage.get("stageTimeoutMs")
    if isinstance(limit, (int, float)) and not isinstance(limit, bool):
        if limit < 0:
            sentence = (
                "`stageTimeoutMs` must not be negative: the time of the stage would be over before it begins."
            )
            yield Problem("/stageTimeoutMs", sentence)
    elif limit not in (None, "") and not holds_expression(limit):
        yield Problem("/stageTimeoutMs", "`stageTimeoutMs` must be a number of milliseconds.")


def conditions_of_any(stage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give what decides whether *stage* runs, as ``StageType.conditions`` does."""
    option = stage.get("stageEnabled")
    if not isinstance(option, Mapping) or option.get("type") != "expression":
        return
    written = option.get("expression")
    if isinstance(written, str) and written:
        yield "/stageEnabled/expression", written


def problems_in(
    stage: Mapping[str, Any], name: str, read: Callable[[Any], object], *, is_raw: bool = False
) -> Iterator[Problem]:
    """Say why the field *name* of *stage* cannot be read, in the words that the run would end with.

    Args:
        stage: As a pipeline writes it; a field with an expression is only known while running.
        name: Of the field.
        read: What the run reads it with; raises a MastheadError.
        is_raw: Whether it is read as it is written, with its expressions.
    """
    value = stage.get(name)
    if value is None or (not is_raw and holds_expression({name: value})):
        return
    try:
        read(value)
    except MastheadError as error:
        yield Problem(f"/{name}", error.message)
