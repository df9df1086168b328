"""What starts a pipeline from another one: the child's trigger, and the bound on how deep that goes.

Shared by the stage ``pipeline`` and by triggers of type ``pipeline``.

Source: Spinnaker compatibility facts, sections 4.9.6 and 4.12.
"""

from __future__ import annotations

from typing import Any

from masthead.executions.model import Document, Execution, to_document
from masthead.executions.view import hide_private

__all__ = ["child_trigger", "too_deep"]

#: Of parents above parents; Orca has no bound, and a pipeline that runs itself never ends there.
_DEEPEST = 20


def too_deep(trigger: Document) -> str | None:
    """Give the sentence why an execution with this *trigger* starts no other, or None.

    Refuses what would go on for ever: a pipeline that runs itself, or two that start each other.
    """
    depth = 0
    parent: Any = trigger.get("parentExecution")
    while isinstance(parent, dict):
        depth += 1
        parent = (parent.get("trigger") or {}).get("parentExecution")
    if depth < _DEEPEST:
        return None
    return f"Pipelines run each other {_DEEPEST} deep already; does one of them run itself?"


def child_trigger(
    parent: Execution,
    *,
    user: str,
    correlation_id: str,
    stage_id: str | None = None,
    parameters: object = None,
) -> Document:
    """Give the trigger of a pipeline that *parent* starts.

    Args:
        parent: Shared, not copied, but for what is ours alone.
        user: In whose name the child runs.
        correlation_id: What makes this start the same as another.
        stage_id: The stage that starts it; None when the end of *parent* does.
        parameters: What the starter supplies; the child takes the rest from its own declarations.
    """
    told = to_document(parent)
    hide_private(told)
    return {
        "type": "pipeline",
        "user": user,
        "parentExecution": told,
        "parentPipelineStageId": stage_id,
        "parameters": dict(parameters) if isinstance(parameters, dict) else {},
        "strategy": False,
        "correlationId": correlation_id,
        "dryRun": parent.is_dry_run,
    }
