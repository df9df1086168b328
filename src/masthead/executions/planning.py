"""What the state machine asks of others: what a stage consists of, and what its expressions are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from masthead.executions.model import Execution, Stage, TaskExecution
from masthead.executions.stages.base import Synthetic, TaskType

__all__ = ["NO_EXPRESSIONS", "Evaluator", "Planner"]


class Planner(Protocol):
    """Knows the stage types."""

    def plan(self, stage: Stage) -> Sequence[TaskType]:
        """Give the tasks of *stage*; raises TaskFailed when its type is not known."""
        ...

    def is_left_out_of_dry_runs(self, stage: Stage) -> bool:
        """Tell whether a dry run passes over *stage*."""
        ...

    def before(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run before the tasks of *stage*."""
        ...

    def after(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run after *stage* has not failed."""
        ...

    def on_failure(self, stage: Stage) -> Sequence[Synthetic]:
        """Give the stages that run when *stage* has failed."""
        ...

    def can_skip(self, stage: Stage) -> bool:
        """Tell whether people may skip *stage*."""
        ...

    def task_type(self, stage: Stage, task: TaskExecution) -> TaskType | None:
        """Give the code of *task*, or None when this release does not have it."""
        ...


class Evaluator(Protocol):
    """Knows what the expressions of a stage are worth."""

    def is_enabled(self, execution: Execution, stage: Stage) -> bool:
        """Tell whether ``stageEnabled`` lets *stage* run."""
        ...

    def begin(self, execution: Execution, stage: Stage) -> None:
        """Evaluate the context of a stage that starts, in place."""
        ...


class _NoExpressions:
    """Takes every text as it is."""

    def is_enabled(self, execution: Execution, stage: Stage) -> bool:
        del execution, stage
        return True

    def begin(self, execution: Execution, stage: Stage) -> None:
        pass


NO_EXPRESSIONS: Evaluator = _NoExpressions()
