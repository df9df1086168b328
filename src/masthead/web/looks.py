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
    #: A class of the stylesheet: neutral, running, succeeded, failed, paused or skipped.
    style: str
    #: An outline in 16 by 16 pixels, as SVG's path data; drawn as a line, not filled.
    shape: str


_RING = "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12"
_CLOCK = f"{_RING}M8 4.8V8l2.4 1.6"
_PERSON = "M8 8.4a3.1 3.1 0 1 0 0-6.2a3.1 3.1 0 0 0 0 6.2M2.4 14c.6-3 2.7-4 5.6-4s5 1 5.6 4"
_LOOKS = {
    "NOT_STARTED": Look("not started", "neutral", _RING),
    "BUFFERED": Look("waits for its turn", "neutral", _CLOCK),
    "SUSPENDED": Look("suspended", "paused", _CLOCK),
    "REDIRECT": Look("redirected", "running", "M3 3l5 5-5 5M8.5 3l5 5-5 5"),
    "RUNNING": Look("running", "running", "M4.5 2.8l8.5 5.2-8.5 5.2z"),
    "PAUSED": Look("paused", "paused", "M5.5 3v10M10.5 3v10"),
    "SUCCEEDED": Look("succeeded", "succeeded", "M2.5 8.5l3.6 3.6 7.4-8.2"),
    "SKIPPED": Look("skipped", "skipped", "M2.5 3.5l4.5 4.5-4.5 4.5M8.5 3.5l4.5 4.5-4.5 4.5"),
    "FAILED_CONTINUE": Look("failed, went on", "failed", "M8 2l6.4 11.5H1.6zM8 6.4v3.4M8 11.5v.2"),
    "STOPPED": Look("failed, branch stopped", "failed", "M3.5 3.5h9v9h-9z"),
    "TERMINAL": Look("failed", "failed", "M3.5 3.5l9 9M12.5 3.5l-9 9"),
    "CANCELED": Look("cancelled", "skipped", f"{_RING}M3.8 12.2l8.4-8.4"),
}
#: What a running stage of a type waits for.
_WAITS = {
    "manualJudgment": Look("waits for judgment", "paused", _PERSON),
    "wait": Look("waiting", "running", _CLOCK),
    "waitUntil": Look("waiting", "running", _CLOCK),
}


def look_of(status: str, stage_type: str = "") -> Look:
    """Give the look of Orca's *status*; a stage that runs and only waits says for what."""
    if status == "RUNNING" and stage_type in _WAITS:
        return _WAITS[stage_type]
    return _LOOKS.get(status) or Look(status.replace("_", " ").lower(), "neutral", _RING)
