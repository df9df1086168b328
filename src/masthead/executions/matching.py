"""What executions are searched for, and whether a trigger is like one: a subset of it, with patterns in texts.

Source: Spinnaker compatibility facts, section 4.2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from masthead.executions.model import Document
from masthead.pipelines.expressions import ExpressionError
from masthead.pipelines.expressions.methods.java_patterns import compile_java

__all__ = ["Search", "is_like"]

#: What one pattern may take: a search looks at many executions.
_PATTERN_S = 0.05
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Search:
    """What executions are searched for; a filter that is empty or None asks nothing.

    Attributes:
        application: Its name; None for all.
        name: The pipeline's.
        config_id: The pipeline's id; it finds runs under its earlier names too.
        event_id: Of the trigger.
        trigger_types: Any of these.
        trigger: What the trigger must be like; see :func:`is_like`.
        from_ms: Made then or later.
        to_ms: Made then or earlier.
        statuses: Any of these.
        after: Where a list goes on, newest first: when the last one before was made, and its id.
        is_awaiting: Only those that wait for somebody's judgment now; ``statuses`` is then left alone.
        start: How many that match are passed over.
        size: How many are given.
        is_oldest_first: By when they were made.
    """

    application: str | None = None
    name: str | None = None
    event_id: str | None = None
    trigger_types: Sequence[str] = ()
    trigger: Document | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    statuses: Sequence[str] = ()
    config_id: str | None = None
    after: tuple[int, str] | None = None
    is_awaiting: bool = False
    start: int = 0
    size: int = 10
    is_oldest_first: bool = False

    def matches(self, execution: Document, look: Callable[[], None] = lambda: None) -> bool:
        """Tell whether the trigger of an *execution* is one that is searched for.

        Args:
            execution: As it is stored.
            look: Called again and again; may raise when it takes too long.
        """
        trigger = execution.get("trigger") or {}
        if self.trigger_types and trigger.get("type") not in self.trigger_types:
            return False
        if self.event_id is not None and trigger.get("eventId") != self.event_id:
            return False
        return self.trigger is None or is_like(self.trigger, trigger, look=look)


def is_like(wanted: Any, value: Any, depth: int = 0, look: Callable[[], None] = lambda: None) -> bool:
    """Tell whether *value* is what *wanted* asks for.

    Texts are equal whatever their case, or the text that is wanted is a regular expression for the whole value. An object
    has all the keys that are wanted, with such values. A list has another such element for each one that is wanted.
    All else is equal.
    """
    look()
    if depth > _DEEPEST:
        return False
    if isinstance(wanted, str) and isinstance(value, str):
        return wanted.casefold() == value.casefold() or _matches(wanted, value)
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            key in value and is_like(each, value[key], depth + 1, look) for key, each in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and _each_has_its_own(wanted, value, depth + 1, look)
    return bool(wanted == value)


def _matches(pattern: str, text: str) -> bool:
    try:
        return compile_java(pattern).fullmatch(text, timeout=_PATTERN_S) is not None
    except (ExpressionError, TimeoutError):
        return False


def _each_has_its_own(wanted: list[Any], values: list[Any], depth: int, look: Callable[[], None]) -> bool:
    """Find a different value for each that is wanted, moving earlier choices aside where that helps."""
    if len(wanted) > len(values):
        return False
    fitting = [[n for n, value in enumerate(values) if is_like(each, value, depth, look)] for each in wanted]
    taken: dict[int, int] = {}

    def find(one: int, tried: set[int]) -> bool:
        for place in fitting[one]:
            if place not in tried:
                tried.add(place)
                if place not in taken or find(taken[place], tried):
                    taken[place] = one
                    return True
        return False

    return all(find(one, set()) for one in range(len(wanted)))
