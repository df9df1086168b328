"""How much the expressions of one execution have given so far: it is all kept, in memory and in the database.

A stage of some hundred characters may ask for megabytes, and an execution may have a thousand stages.
"""

from __future__ import annotations

from masthead.executions.model import Execution

__all__ = ["EXECUTION_LIMIT", "left_to_give", "note_given"]

#: Most characters that the expressions of one execution give, as they are counted in ``masthead.pipelines.expressions``.
EXECUTION_LIMIT = 30_000_000
#: What is too little to be noted.
_LITTLE = 1_000
_KEY = "given"


def left_to_give(execution: Execution) -> int:
    """Give how many characters more there may be."""
    return max(EXECUTION_LIMIT - _given(execution), 0)


def note_given(execution: Execution, characters: int) -> None:
    """Note that expressions have given so many *characters*, which are kept."""
    if characters > _LITTLE:
        execution.masthead = {**(execution.masthead or {}), _KEY: _given(execution) + characters}


def _given(execution: Execution) -> int:
    return int((execution.masthead or {}).get(_KEY, 0))
