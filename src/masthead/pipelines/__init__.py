"""Front50's pipelines: the definition of what can run, its graph, its rules and its versions; it runs nothing."""

from __future__ import annotations

from masthead.pipelines.checks import Check, Checks, Problem
from masthead.pipelines.doubts import doubts_of
from masthead.pipelines.graph import GraphProblem, assign_ref_ids, topological_order, validate_graph
from masthead.pipelines.listing import is_enabled
from masthead.pipelines.pipelines import Pipelines

__all__ = [
    "Check",
    "Checks",
    "GraphProblem",
    "Pipelines",
    "Problem",
    "assign_ref_ids",
    "doubts_of",
    "is_enabled",
    "topological_order",
    "validate_graph",
]
