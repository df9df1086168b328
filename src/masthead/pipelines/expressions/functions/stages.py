"""``#`` functions that read the execution: its stages, its judgments, its artifacts, its user.

Source: Spinnaker compatibility facts, section 4.10.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from masthead.pipelines.expressions.context import Running
from masthead.pipelines.expressions.errors import HelperFailed, shown
from masthead.pipelines.expressions.methods.signature import Kind, Methods, add

__all__ = ["STAGES"]

STAGES: Methods = {}
Document = Mapping[str, Any]


@add(STAGES, "stage", Kind.TEXT)
def _stage(running: Running, name: str) -> Document:
    return _found(running, _is_called(name), f"Unable to locate [{shown(name)}] using #stage({shown(name)})")


@add(STAGES, "stageExists", Kind.TEXT)
def _stage_exists(running: Running, name: str) -> bool:
    return _first(running, _is_called(name)) is not None


@add(STAGES, "stageByRefId", Kind.TEXT)
def _stage_by_ref_id(running: Running, ref_id: str) -> Document:
    sentence = f"Unable to locate [{shown(ref_id)}] using #stageByRefId({shown(ref_id)})"
    return _found(running, lambda stage: stage.get("refId") == ref_id, sentence)


@add(STAGES, "currentStage")
def _current_stage(running: Running) -> Document:
    stage_id = running.context.stage_id
    if stage_id is None:
        raise HelperFailed("An execution context is required for this function")
    return _found(running, lambda stage: stage.get("id") == stage_id, f"No stage found with id '{stage_id}'")


@add(STAGES, "currentUser")
def _current_user(running: Running) -> str:
    return running.context.user or "anonymous"


@add(STAGES, "judgment", Kind.TEXT)
@add(STAGES, "judgement", Kind.TEXT)
def _judgment(running: Running, name: str) -> Any:
    def is_judged(stage: Document) -> bool:
        return (
            stage.get("name") == name
            and stage.get("type") == "manualJudgment"
            and (stage.get("context") or {}).get("judgmentInput") is not None
        )

    called = shown(name)
    stage = _first(running, is_judged)
    if stage is None:
        raise HelperFailed(
            f"Unable to locate manual Judgment stage [{called}] using #judgment({called}) in execution "
            f"{running.execution.get('id')}. Stage doesn't exist or doesn't contain judgmentInput in its context "
        )
    return stage["context"]["judgmentInput"]


def _is_called(name: str) -> Callable[[Document], bool]:
    return lambda stage: name in (stage.get("name"), stage.get("id"))


def _first(running: Running, test: Callable[[Document], bool]) -> Document | None:
    stages = running.execution.get("stages") or ()
    running.budget.spend(len(stages))
    return next((stage for stage in stages if test(stage)), None)


def _found(running: Running, test: Callable[[Document], bool], sentence: str) -> Document:
    stage = _first(running, test)
    if stage is None:
        suffix = "" if sentence.startswith("No stage") else f" in execution {running.execution.get('id')}"
        raise HelperFailed(sentence + suffix)
    status = stage.get("status")
    return {**stage, "hasSucceeded": status == "SUCCEEDED", "hasFailed": status == "TERMINAL"}


# -- artifacts --------------------------------------------------------------------------------------


@add(STAGES, "triggerResolvedArtifact", Kind.TEXT)
def _artifact_by_name(running: Running, name: str) -> Document:
    return _artifact(running, "name", name)


@add(STAGES, "triggerResolvedArtifactByType", Kind.TEXT)
def _artifact_by_type(running: Running, kind: str) -> Document:
    return _artifact(running, "type", kind)


@add(STAGES, "resolvedArtifacts")
def _artifacts(running: Running) -> list[Any]:
    trigger = running.execution.get("trigger") or {}
    expected = trigger.get("resolvedExpectedArtifacts") or ()
    running.budget.items(len(expected))
    return [
        each["boundArtifact"] for each in expected if isinstance(each, Mapping) and each.get("boundArtifact")
    ]


def _artifact(running: Running, key: str, wanted: str) -> Document:
    for artifact in _artifacts(running):
        if isinstance(artifact, Mapping) and artifact.get(key) == wanted:
            return artifact
    raise HelperFailed(f"No artifact with {key} {shown(wanted)} found in trigger")
