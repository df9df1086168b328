"""``payloadConstraints``: whether what was posted is what a trigger waits for.

For a constraint K: R. Where the payload has a K of its own, R must be found in its text; else K is read as a JSONPath that gives a
text or texts, and R must be found in one of them. What cannot be read holds for nothing.

Source: Spinnaker compatibility facts, section 4.12 (T3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from masthead.kernel.errors import MastheadError
from masthead.pipelines.expressions.errors import ExpressionError
from masthead.pipelines.expressions.methods.java_patterns import compile_java
from masthead.pipelines.expressions.values import java_text
from masthead.pipelines.json_path import parse_json_path

__all__ = ["holds"]

log = structlog.get_logger(__name__)
#: For one pattern over one text.
_TIMEOUT_S = 0.1
#: Longest text that a pattern is looked for in.
_LONGEST = 1_000_000


def holds(constraints: object, payload: Mapping[str, Any], look: Callable[[], None] = lambda: None) -> bool:
    """Tell whether *payload* satisfies all *constraints*; none at all is satisfied by everything.

    Args:
        constraints: As a trigger writes them.
        payload: What was posted.
        look: Called before each constraint; may raise when they take too long.
    """
    if not constraints:
        return True
    if not isinstance(constraints, Mapping):
        return False
    for key, wanted in constraints.items():
        look()
        if not _holds(str(key), wanted, payload):
            return False
    return True


def _holds(key: str, wanted: object, payload: Mapping[str, Any]) -> bool:
    try:
        pattern = compile_java(java_text(wanted))
        texts = _texts(key, payload)
        return any(
            pattern.search(text, timeout=_TIMEOUT_S) is not None for text in texts if len(text) <= _LONGEST
        )
    except (ExpressionError, MastheadError, TimeoutError, MemoryError, RecursionError) as error:
        log.info("trigger.constraint-unusable", constraint=key, error=type(error).__name__)
        return False


def _texts(key: str, payload: Mapping[str, Any]) -> list[str]:
    if payload.get(key) is not None:
        return [java_text(payload[key])]
    found = parse_json_path(key).read(payload)
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)]
