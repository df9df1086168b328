"""How a status looks wherever one is shown: a shape, a word and a kind of colour, always all three.

Source: Spinnaker compatibility facts, section 4.4 (Orca's statuses).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Look", "look_of"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a status looks."""

    word: str
    #: A class of the stylesheet: neutral, running, succeeded, failed, paused, skipped or warning.
    style: str
    #: The shape: a mark out of the page's sprite; that of the style, unless the word says more.
    icon: str


_LOOKS = {
    "NOT_STARTED": Look("not started", "neutral", "neutral"),
    "BUFFERED": Look("waits for its turn", "neutral", "clock"),
    "SUSPENDED": Look("suspended", "paused", "paused"),
    "REDIRECT": Look("redirected", "running", "running"),
    "RUNNING": Look("running", "running", "running"),
    "PAUSED": Look("paused", "paused", "paused"),
    "SUCCEEDED": Look("succeeded", "succeeded", "succeeded"),
    "SKIPPED": Look("skipped", "skipped", "skipped"),
    "FAILED_CONTINUE": Look("failed, went on", "warning", "warning"),
    "STOPPED": Look("failed, branch stopped", "failed", "failed"),
    "TERMINAL": Look("failed", "failed", "failed"),
    "CANCELED": Look("cancelled", "skipped", "cancelled"),
}
_WAITING = Look("waiting", "running", "clock")
#: What a running stage of a type waits for.
_WAITS = {
    "manualJudgment": Look("waits for judgment", "paused", "person"),
    "wait": _WAITING,
    "waitUntil": _WAITING,
}


def look_of(status: str, stage_type: str = "") -> Look:
    """Give the look of Orca's *status*; a stage that runs and only waits says for what."""
    if status == "RUNNING" and stage_type in _WAITS:
        return _WAITS[stage_type]
    return _LOOKS.get(status) or Look(status.replace("_", " ").lower(), "neutral", "neutral")
