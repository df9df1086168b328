"""Which stage types there are: one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
        look, given = Look(), _Outputs(self._find, _stages(pipeline))
        for at, stage in _stages(pipeline):
            place = f"/stages/{at}"
            found = self._find(stage)
            own = [*problems_of_any(stage, pipeline), *self._problems_of_type(stage, look)]
            if found and found.needs and not given.has_one(stage, at, found.needs):
                own.append(Problem(f"/{found.needs[0]}", found.missing))
            yield from (Problem(place + each.pointer, each.sentence) for each in own)

    def doubts(self, pipeline: Mapping[str, Any]) -> Iterator[Problem]:
        """Say what is run but hardly meant in the stages of *pipeline*."""
        for at, stage in _stages(pipeline):
            found = self._find(stage)
            for each in found.doubts(stage) if found else ():
                yield Problem(f"/stages/{at}{each.pointer}", each.sentence)

    def _find(self, stage: Mapping[str, Any]) -> StageType | None:
        return self._types.get(str(stage.get("alias") or stage.get("type")))

    def _problems_of_type(self, stage: Mapping[str, Any], look: Look) -> Iterator[Problem]:
        found = self._find(stage)
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


@dataclass(slots=True)
class _Outputs:
    """Which stages of a pipeline may give which fields to later ones; what Orca alone runs may give anything."""

    find: Callable[[Mapping[str, Any]], StageType | None]
    stages: Sequence[tuple[int, Mapping[str, Any]]]
    _givers: dict[tuple[str, ...], frozenset[int]] = field(default_factory=dict)

    def has_one(self, stage: Mapping[str, Any], at: int, names: tuple[str, ...]) -> bool:
        """Tell whether *stage*, which stands at *at*, has one of *names* or may get it."""
        if any(stage.get(name) not in (None, "") for name in names):
            return True
        if names not in self._givers:
            self._givers[names] = frozenset(
                place for place, each in self.stages if self._may_give(each, names)
            )
        return bool(self._givers[names] - {at})

    def _may_give(self, stage: Mapping[str, Any], names: Sequence[str]) -> bool:
        found = self.find(stage)
        return found is None or found.may_give(stage, names)


def _stages(pipeline: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    stages = pipeline.get("stages")
    given = enumerate(stages if isinstance(stages, list) else ())
    return [(at, stage) for at, stage in given if isinstance(stage, Mapping)]


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
