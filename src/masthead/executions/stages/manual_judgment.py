"""``manualJudgment``: waits for a person's word. While it does, nothing runs, polls or occupies memory.

The word comes as a change of the stage (``PATCH /pipelines/{id}/stages/{stageId}`` with ``judgmentStatus``). Roles
are not asked for until there are users with roles; notifications about a judgment are not sent yet.

Source: Spinnaker compatibility facts, section 4.9.5.
"""

from __future__ import annotations

from typing import Any

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status

__all__ = ["ManualJudgmentStage"]


class WaitForJudgmentTask(TaskType):
    """Ends as somebody decided."""

    name = "waitForJudgment"
    implementing_class = (
        "com.netflix.spinnaker.orca.echo.pipeline.ManualJudgmentStage$WaitForManualJudgmentTask"
    )
    backoff_s = 15.0
    timeout_s = 3 * 86_400.0
    is_overridable = True
    is_instant = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Look whether somebody has decided; a change of the stage has it look again at once."""
        word = str(work.context.get("judgmentStatus") or "").lower()
        if word == "continue":
            return TaskResult(Status.SUCCEEDED)
        if word == "stop":
            return TaskResult(Status.TERMINAL)
        if word:
            raise TaskFailed(f"`judgmentStatus` must be continue or stop, and is {word!r}.")
        return TaskResult(Status.RUNNING, again_at=work.deadline)


class ManualJudgmentStage(StageType):
    """Waits for a person."""

    type = "manualJudgment"
    label = "Manual judgment"
    doc = "Waits until somebody says whether to continue. Nothing runs or polls meanwhile."
    fields = (
        Field("instructions", Kind.TEXT, "What whoever decides should know."),
        Field("judgmentInputs", Kind.OBJECTS, 'Answers to choose from, each as `{"value": text}`.'),
        Field(
            "judgmentStatus",
            Kind.CHOICE,
            "The decision; set by whoever decides.",
            choices=("continue", "stop"),
        ),
        Field("judgmentInput", Kind.TEXT, "The chosen answer; set by whoever decides."),
        Field(
            "propagateAuthenticationContext",
            Kind.BOOLEAN,
            "Run what comes after in the name of whoever decided.",
        ),
    )
    tasks = (WaitForJudgmentTask(),)

    def restarted(self, context: dict[str, Any]) -> None:
        """Forget the decision."""
        context.pop("judgmentStatus", None)
        context.pop("lastModifiedBy", None)
