"""What Spinnaker takes and runs, but hardly as it is meant: told while a pipeline is edited, and never a reason not to save it.

Source: Spinnaker compatibility facts, sections 4.10.6 and 4.12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from masthead.pipelines.expressions import Problem

__all__ = ["doubts_of"]

_VERSIONS = ("v2", "v3", "v4")
#: What starts a pipeline here.
_TRIGGERS = ("cron", "pipeline", "webhook")


def doubts_of(pipeline: Mapping[str, Any]) -> Iterator[Problem]:
    """Give what is doubtful about *pipeline* beside its stages, whatever is in it."""
    version = pipeline.get("spelEvaluator")
    if version not in (None, "") and str(version).strip().lower() not in _VERSIONS:
        yield Problem("/spelEvaluator", "`spelEvaluator` is neither v3 nor v4; as in Orca, v3 is used.")
    triggers = pipeline.get("triggers")
    for at, trigger in enumerate(triggers if isinstance(triggers, list) else ()):
        kind = trigger.get("type") if isinstance(trigger, Mapping) else None
        if kind not in _TRIGGERS:
            sentence = f"Masthead starts nothing by triggers of type {kind}; this one is kept for Spinnaker."
            yield Problem(f"/triggers/{at}/type", sentence)
