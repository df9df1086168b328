"""Which executions wait for somebody: a list that says "running" of one lets people wait for it, and it waits for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from masthead.executions import JUDGMENT, Status
from masthead.web.domain import WebServices
from masthead.web.looks import Look, look_of

__all__ = ["WAITING", "Awaiting", "awaiting", "look_of_execution", "waits"]

#: What lists are filtered by as if it were a status: running, and waiting for a judgment.
WAITING = "WAITING"


class Awaiting:
    """Knows which executions wait for a judgment."""

    def __init__(self, ids: Iterable[str]) -> None:
        """Args: ids: Executions that wait."""
        self._ids = frozenset(ids)

    def look(self, execution_id: str, status: str) -> Look:
        """Give how an execution looks in a list."""
        return look_of(status, JUDGMENT if execution_id in self._ids else "")


async def awaiting(services: WebServices, runs: Iterable[Any]) -> Awaiting:
    """Look which of *runs* (each with an id and a status) wait for a judgment."""
    running = [one.id for one in runs if one.status == Status.RUNNING]
    if not running:
        return Awaiting(())
    return Awaiting(await services.executions.awaiting(running))


def look_of_execution(execution: Mapping[str, Any]) -> Look:
    """Give how an execution looks of which the stages are at hand."""
    return look_of(execution["status"], JUDGMENT if waits(execution) else "")


def waits(execution: Mapping[str, Any]) -> bool:
    """Whether a stage of *execution* waits for a judgment."""
    return any(map(_waits, execution.get("stages") or ()))


def _waits(stage: Mapping[str, Any]) -> bool:
    return stage.get("type") == JUDGMENT and stage.get("status") == Status.RUNNING
