"""How /v1 shows what a page would do: targets, people, problems and bodies, never a key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from masthead.ownership import Body, Preflight, Problem, Target

__all__ = ["preflight_document", "problem_document"]


def preflight_document(preflight: Preflight, bodies: Iterable[Body] = ()) -> dict[str, Any]:
    """Show what a page would do.

    Args:
        preflight: Where it would go.
        bodies: The body for each of its targets, in their order; fewer where none could be made.
    """
    return {
        "isDryRun": True,
        "isClear": preflight.is_clear,
        "problems": [problem_document(one) for one in preflight.problems],
        "targets": [
            _target(target, body) for target, body in zip_longest(preflight.targets, bodies) if target
        ],
    }


def problem_document(problem: Problem) -> dict[str, Any]:
    """Show a problem: its rule for programs, a sentence and a remedy for people."""
    return {
        "rule": problem.rule,
        "severity": problem.severity,
        "sentence": problem.sentence,
        "remedy": problem.remedy,
    }


def _target(target: Target, body: Body | None) -> dict[str, Any]:
    service, integration = target.service, target.integration
    return {
        "service": target.label,
        "serviceId": service.id if service else None,
        "account": target.account,
        "applications": list(target.applications),
        "protocol": target.protocol,
        "integration": {"id": integration.id, "name": integration.name, "type": integration.type}
        if integration
        else None,
        "escalationPolicy": {"id": service.policy_id, "name": service.policy_name} if service else None,
        "wouldWake": list(target.would_wake),
        "levels": [{"level": one.number, "users": list(one.names)} for one in target.levels],
        "problems": _problems(target.problems),
        "body": body.document if body else None,
        "bodyBytes": body.size if body else None,
    }


def _problems(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [problem_document(one) for one in problems]
