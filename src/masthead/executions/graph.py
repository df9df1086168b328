"""Whether the stages of an execution can be put into an order at all."""

from __future__ import annotations

from collections.abc import Sequence

from masthead.executions.model import Stage
from masthead.pipelines.graph import validate_graph

__all__ = ["relationship_problem"]


def relationship_problem(stages: Sequence[Stage]) -> str | None:
    """Give the sentence that says why *stages* cannot run, or None when they can.

    Source: Spinnaker compatibility facts, section 4.5.1 (Orca's "Invalid stage relationships found").
    """
    if not stages:
        return "There is no stage to run."
    problems = validate_graph(
        [
            {"name": stage.name, "refId": stage.ref_id, "requisiteStageRefIds": stage.requisite_stage_ref_ids}
            for stage in stages
            if stage.parent_stage_id is None
        ]
    )
    if not problems:
        return None
    return "Invalid stage relationships found: " + " ".join(problem.sentence for problem in problems)
