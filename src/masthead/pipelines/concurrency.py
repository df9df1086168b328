"""``maxConcurrentExecutions``: how many executions of a pipeline may run at once, read as Front50 reads it.

Front50's field is a Java Integer, and its JSON library takes digits in a text and cuts a fraction off.

Source: Spinnaker compatibility facts, sections 3.5 and 4.5.6.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from masthead.pipelines.expressions import Problem, holds_expression

__all__ = ["problems_of_concurrency", "read_most"]

_FIELD = "maxConcurrentExecutions"
_DIGITS = re.compile(r"\s*[+-]?[0-9]{1,15}\s*")


def read_most(value: object) -> int | None:
    """Give the number that *value* says, which may be 0 or below for no limit; None where it is no number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else None


def problems_of_concurrency(pipeline: Mapping[str, Any]) -> Iterator[Problem]:
    """Give what is wrong with the number in a pipeline that is to be saved; what an expression gives is known at the start."""
    given = pipeline.get(_FIELD)
    if given is not None and given != "" and read_most(given) is None and not holds_expression(given):
        yield Problem(f"/{_FIELD}", f"`{_FIELD}` must be a whole number.")
