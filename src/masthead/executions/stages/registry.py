"""Which stage types there are: one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from masthead.executions.failure import TaskFailed
from masthead.executions.model import Stage, TaskExecution
from masthead.executions.stages.any_stage import conditions_of_any, problems_of_any
from masthead.executions.stages.applications import (
    CreateApplicationStage,
    DeleteApplicationStage,
    UpdateApplicationStage,
    UpsertApplicationStage,
)
from masthead.executions.stages.base import StageType, Synthetic, TaskType
from masthead.executions.stages.check_preconditions import CheckPreconditionsStage
from masthead.executions.stages.depends_on_execution import DependsOnExecutionStage
from masthead.executions.stages.evaluate_variables import EvaluateVariablesStage
from masthead.executions.stages.manual_judgment import ManualJudgmentStage
from masthead.executions.stages.noop import NoOpStage
from masthead.executions.stages.page_application_owner import PageApplicationOwnerStage
from masthead.executions.stages.pipeline import PipelineStage
from masthead.executions.stages.pipelines import (
    DeletePipelineStage,
    ReorderPipelinesStage,
    SavePipelineStage,
    UpdatePipelineStage,
)
from masthead.executions.stages.time_window import TimeWindowStage, window_of
from masthead.executions.stages.wait import WaitStage
from masthead.executions.stages.wait_until import WaitUntilStage
from masthead.executions.stages.webhook import WebhookStage
from masthead.executions.window import window_problems
from masthead.pipelines import Problem
from masthead.pipelines.expressions import Look, check_expression, unparsed

__all__ = ["STAGE_TYPES", "StageTypes"]


class StageTypes:
    """The stage types of this installation, by name."""

    def __init__(self, types: Iterable[StageType]) -> None:
        self._types = {each.type: each for each in types}

    def all(self) -> tuple[StageType, ...]:
        """Give every stage type, by name."""
        return tuple(self._types[name] for name in sorted(self._types))

    def find(self, name: str) -> StageType | None:
        """Give the stage type called *name*, or None."""
        return self._types.get(name)

    def plan(self, stage: Stage) -> Sequence[TaskType]:
        """Give the tasks of *stage*, in order.

        Raises:
            TaskFailed: nothing here runs its type; Orca's sentence.

        Source: Spinnaker compatibility facts, section 4.8.3.
        """
        found = self._types.get(stage.lookup_type)
        if found is None:
            alias = stage.context.get("alias")
            raise TaskFailed(
                f"No StageDefinitionBuilder implementation for {stage.type}(alias: {alias or 'null'}) found"
                f" (knownTypes: {', '.join(sorted(self._types))})",
                exception_type="NoSuchStageDefinitionBuilderException",
            )
        return found.plan(stage)

    def is_left_out_of_dry_runs(self, stage: Stage) -> bool:
        """Tell whether a dry run passes over *stage*: it would change something, or nothing here runs its type."""
        found = self._types.get(stage.lookup_type)
        return found is None or found.is_left_out_of_dry_runs

    def before(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run before the tasks of *stage*, the execution window first."""
        found = self._types.get(stage.lookup_type)
        return (*window_of(stage), *(found.before(stage) if found else ()))

    def after(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run after *stage* has not failed."""
        found = self._types.get(stage.lookup_type)
        return found.after(stage) if found else ()

    def on_failure(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run when *stage* has failed."""
        found = self._types.get(stage.lookup_type)
        return found.on_failure(stage) if found else ()

    def can_skip(self, stage: Stage) -> bool:
        """Tell whether people may skip *stage*."""
        found = self._types.get(stage.lookup_type)
        return found is not None and found.can_skip(stage)

    def problems(self, pipeline: Mapping[str, Any]) -> Iterator[Problem]:
        """Say what is wrong with the stages of *pipeline*, for those types that run here.

        This is a check for ``masthead.pipelines.Checks``.
        """
        stages = pipeline.get("stages")
        look = Look()
        for at, stage in enumerate(stages if isinstance(stages, list) else ()):
            if not isinstance(stage, Mapping):
                continue
            place = f"/stages/{at}"
            own = (*problems_of_any(stage, pipeline), *self._problems_of_type(stage, look))
            yield from (Problem(place + each.pointer, each.sentence) for each in own)

    def _problems_of_type(self, stage: Mapping[str, Any], look: Look) -> Iterator[Problem]:
        found = self._types.get(str(stage.get("alias") or stage.get("type")))
        conditions = (*conditions_of_any(stage), *(found.conditions(stage) if found else ()))
        for pointer, text in conditions:
            sentence = check_expression(text, look)
            if sentence is not None:
                yield Problem(pointer, sentence)
        if found is not None:
            yield from found.problems(stage)
            yield from unparsed(stage, "", look)
            yield from window_problems(stage)

    def raw_fields(self, stage: Stage) -> frozenset[str]:
        """Give the fields of *stage* whose expressions are its type's own affair."""
        found = self._types.get(stage.lookup_type)
        return found.raw_fields if found else frozenset()

    def task_type(self, stage: Stage, task: TaskExecution) -> TaskType | None:
        """Give the code of *task*, or None when this release does not have it."""
        found = self._types.get(stage.lookup_type)
        return found.task(task.name) if found else None


STAGE_TYPES = StageTypes(
    (
        CheckPreconditionsStage(),
        CreateApplicationStage(),
        DeleteApplicationStage(),
        DeletePipelineStage(),
        DependsOnExecutionStage(),
        EvaluateVariablesStage(),
        ManualJudgmentStage(),
        NoOpStage(),
        PageApplicationOwnerStage(),
        PipelineStage(),
        ReorderPipelinesStage(),
        SavePipelineStage(),
        TimeWindowStage(),
        UpdateApplicationStage(),
        UpdatePipelineStage(),
        UpsertApplicationStage(),
        WaitStage(),
        WaitUntilStage(),
        WebhookStage(),
    )
)
