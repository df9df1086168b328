"""Whom the stages of a pipeline wake: said before anybody runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masthead.kernel.caller import Caller
from masthead.kernel.secret import Secret
from masthead.ownership import Preflight, Preflights, Problem

__all__ = ["PAGE", "Wake", "wakes_of"]

#: The type of stage that wakes people.
PAGE = "pageApplicationOwner"


@dataclass(frozen=True, slots=True)
class Wake:
    """What one stage would do now."""

    stage: str
    preflight: Preflight
    #: Texts with expressions: whom those name is known when it runs.
    expressions: tuple[str, ...]

    @property
    def names_nobody(self) -> bool:
        """Whether it names nothing at all, and so would fail."""
        return not (self.preflight.targets or self.preflight.problems or self.expressions)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, of all targets together."""
        own = (one for target in self.preflight.targets for one in target.problems)
        return (*self.preflight.problems, *own)


async def wakes_of(stages: Iterable[Any], preflights: Preflights, caller: Caller) -> list[Wake]:
    """Give for each of *stages* that pages, in their order, whom it wakes."""
    paging = [one for one in stages if isinstance(one, Mapping) and one.get("type") == PAGE]
    return list(await asyncio.gather(*(_wake(one, preflights, caller) for one in paging)))


async def _wake(stage: Mapping[str, Any], preflights: Preflights, caller: Caller) -> Wake:
    names, keys = _texts(stage.get("applications")), _texts(stage.get("keys"))
    found = await preflights.preflight(
        applications=[one for one in names if not _is_expression(one)],
        keys=[Secret(one) for one in keys if not _is_expression(one)],
        caller=caller,
    )
    open_ones = tuple(one for one in (*names, *keys) if _is_expression(one))
    return Wake(str(stage.get("name") or stage.get("refId") or PAGE), found, open_ones)


def _texts(value: Any) -> Sequence[str]:
    """Give the texts of a list, or of one that an expression will make a list."""
    given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [one.strip() for one in given if isinstance(one, str) and one.strip()]


def _is_expression(text: str) -> bool:
    return "${" in text
