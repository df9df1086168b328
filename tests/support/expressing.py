"""Evaluating one expression in a test, and a thousand typical ones for the bench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masthead.kernel.clock import ManualClock
from masthead.pipelines.expressions import Evaluated, EvaluationContext, evaluate_document, stage_root

EXECUTION: dict[str, Any] = {
    "type": "PIPELINE",
    "id": "01EXECUTION",
    "application": "checkout",
    "name": "release",
    "authentication": {"user": "ann@example.com"},
    "trigger": {
        "type": "manual",
        "user": "ann@example.com",
        "parameters": {"env": "prod", "version": "1.2.3", "count": "5"},
        "payload": {"ref": "refs/heads/main", "commits": [{"id": "a1"}, {"id": "b2"}]},
        "resolvedExpectedArtifacts": [
            {"boundArtifact": {"name": "web", "type": "docker/image", "reference": "web:1.2.3"}},
            {"boundArtifact": {"name": "chart", "type": "helm/chart", "reference": "chart-7"}},
        ],
    },
    "stages": [
        {
            "id": "01DEPLOY",
            "refId": "1",
            "type": "webhook",
            "name": "deploy",
            "status": "TERMINAL",
            "context": {"webhook": {"monitor": {"error": "no room"}}},
            "outputs": {"version": "1.2.3"},
        },
        {
            "id": "01JUDGE",
            "refId": "2",
            "type": "manualJudgment",
            "name": "go on?",
            "status": "SUCCEEDED",
            "context": {"judgmentInput": "roll back"},
            "outputs": {},
        },
        {"id": "01PAGE", "refId": "3", "type": "wait", "name": "page", "status": "RUNNING", "context": {}},
    ],
}

_TYPICAL = (
    "${trigger.user} broke ${execution.name} (%d)",
    "${parameters.env%d}",
    "${#stage('deploy').status == 'SUCCEEDED' and parameters.count > %d}",
    "${trigger.payload.ref%d ?: 'main'}",
    "deploy failed: ${#stage('deploy').context.webhook.monitor.error} %d",
    "${parameters['version'].replaceAll('-', '%d')}",
    "${execution.stages.?[type == 'wait%d'].![name]}",
    "${parameters.env == 'prod' ? 'critical' : 'info%d'}",
    "${#toInt(parameters.count) + %d}",
    "https://ci.example.com/${execution.application}/${parameters.version}/${execution.id}/%d",
)


def context(root: Mapping[str, Any] | None = None, **more: Any) -> EvaluationContext:
    """Give a context whose clock stands still; by default that of a stage of ``EXECUTION``."""
    if root is None:
        root = stage_root({"message": "down"}, execution=EXECUTION)
        more = {"execution": EXECUTION, "stage_id": "01PAGE", "user": "ann@example.com", **more}
    return EvaluationContext(root=root, **{"clock": ManualClock(), **more})


def worth(expression: str, root: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """Give the value of an expression that must resolve."""
    evaluated = attempt(expression, root, **more)
    assert evaluated.summary == {}
    return evaluated.value["test"]


def refusal(expression: str, root: Mapping[str, Any] | None = None, **more: Any) -> str:
    """Give the description of the error that an expression must end in; its text must stand as it was."""
    evaluated = attempt(expression, root, **more)
    assert evaluated.value["test"] == "${" + expression + "}"
    ((note,),) = evaluated.summary.values()
    assert note["level"] == "ERROR"
    return note["description"].removeprefix("Failed to evaluate [test] ")


def attempt(expression: str, root: Mapping[str, Any] | None = None, **more: Any) -> Evaluated:
    """Evaluate one expression under the key ``test``."""
    return evaluate_document({"test": "${" + expression + "}"}, context(root, **more))


def typical(count: int) -> list[dict[str, str]]:
    """Give *count* documents of one text each, all different, as pipelines hold them."""
    return [{"message": _TYPICAL[number % len(_TYPICAL)] % number} for number in range(count)]


def evaluate_all(documents: list[dict[str, str]]) -> int:
    """Evaluate *documents* one by one, as stages do; give how many expressions did not resolve."""
    present = context()
    return sum(len(evaluate_document(document, present).summary) for document in documents)
