"""What lists and pages of executions both say of one: who and what started it, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from masthead.executions import Status
from masthead.kernel.clock import from_ms
from masthead.web.rendering import duration

__all__ = ["Document", "Took", "parent_of", "reason_of", "took_of", "user_of"]

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Took:
    """When something ran, and how long."""

    started_at: datetime | None
    ended_at: datetime | None
    #: How long it took, or has taken so far; empty before it starts.
    words: str
    #: When it started, in milliseconds since 1970, while it runs; else None.
    since_ms: int | None


def user_of(execution: Document) -> str:
    """Give who started an execution."""
    return str((execution.get("authentication") or {}).get("user") or "anonymous")


def parent_of(trigger: Document) -> tuple[str, str] | None:
    """Give the id and the name of the execution that started this one, if one did."""
    parent = trigger.get("parentExecution")
    if not isinstance(parent, dict) or not parent.get("id"):
        return None
    return str(parent["id"]), str(parent.get("name") or parent["id"])


def took_of(of: Document, now_ms: int) -> Took:
    """Give when an execution, a stage or a task ran, and how long."""
    start, end = of.get("startTime"), of.get("endTime")
    if start is None:
        return Took(None, None, "", None)
    runs = end is None and not Status(of["status"]).is_complete
    words = duration(((end or now_ms) - start) / 1000) if runs or end is not None else ""
    return Took(from_ms(start), None if end is None else from_ms(end), words, start if runs else None)


def reason_of(trigger: Document) -> str:
    """Say what started an execution, without the user."""
    kind = str(trigger.get("type") or "manual")
    if kind == "manual":
        return "by hand"
    if kind == "pipeline":
        return "by another pipeline"
    if kind == "cron":
        return f"by its schedule {trigger.get('cronExpression') or ''}".rstrip()
    if kind == "webhook":
        return f"by the webhook {trigger.get('source') or ''}".rstrip()
    return f"by a trigger of type {kind}"
