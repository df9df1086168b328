"""``manualJudgment``: waits for a person's word. While it does, nothing runs, polls or occupies memory.

The word comes as a change of the stage (``PATCH /pipelines/{id}/stages/{stageId}`` with ``judgmentStatus``). Where there
are users, the roles that the stage names are asked for; Orca takes the word of one without them and forgets it silently.
Notifications about a judgment are kept and not sent.

Source: Spinnaker compatibility facts, section 4.9.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from masthead.executions.model import JUDGMENT, Stage
from masthead.executions.stages.any_stage import problems_in
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.status import Status
from masthead.kernel.caller import Caller
from masthead.kernel.errors import AccessDenied, Conflict, InvalidRequest
from masthead.pipelines import Problem
from masthead.pipelines.expressions import holds_expression

__all__ = ["ManualJudgmentStage"]

#: Who may decide; the first that is given counts.
_ROLES = ("requiredJudgmentRoles", "selectedStageRoles")


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
        return TaskResult(Status.RUNNING, again_at=work.deadline)


class ManualJudgmentStage(StageType):
    """Waits for a person."""

    type = JUDGMENT
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
            "selectedStageRoles",
            Kind.TEXTS,
            "Who may decide: users with one of these roles; missing means everybody.",
        ),
        Field("requiredJudgmentRoles", Kind.TEXTS, "The same; goes before selectedStageRoles."),
        Field("sendNotifications", Kind.BOOLEAN, "Kept for Deck; nobody is notified."),
        Field("notifications", Kind.OBJECTS, "Kept for Deck; nobody is notified.", is_secret=True),
        Field(
            "propagateAuthenticationContext",
            Kind.BOOLEAN,
            "Run what comes after in the name of whoever decided.",
        ),
    )
    tasks = (WaitForJudgmentTask(),)

    def check_change(
        self, stage: Stage, changes: Mapping[str, Any], caller: Caller, *, asks_roles: bool
    ) -> None:
        """Take a decision once, of somebody who may decide, and only one that is one.

        Who may not decide changes nothing else either: neither the roles nor in whose name the rest runs.
        """
        if stage.status.is_complete:
            raise Conflict("This judgment has been made, or the execution ended.")
        word = changes.get("judgmentStatus")
        if word is not None and str(word).lower() not in ("", "continue", "stop"):
            raise InvalidRequest("`judgmentStatus` must be continue or stop.", pointer="/judgmentStatus")
        roles = _roles(stage.context)
        if asks_roles and roles and not roles & {role.lower() for role in caller.roles}:
            raise AccessDenied(
                f"Only somebody with one of these roles may decide: {', '.join(sorted(roles))}."
            )

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Say which roles cannot be read: else everybody could decide."""
        for name in _ROLES:
            yield from problems_in(stage, name, partial(_require_roles, name))

    def doubts(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Tell of answers that are no list: Orca looks at none of them, and nobody can choose one."""
        given = stage.get("judgmentInputs")
        if given is not None and not isinstance(given, list) and not holds_expression(given):
            sentence = '`judgmentInputs` is no list such as [{"value": "yes"}], so no answer can be chosen.'
            yield Problem("/judgmentInputs", sentence)

    def restarted(self, context: dict[str, Any]) -> None:
        """Forget the decision."""
        context.pop("judgmentStatus", None)
        context.pop("lastModifiedBy", None)


def _require_roles(name: str, value: Any) -> None:
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if not is_list and not isinstance(value, str):
        raise InvalidRequest(f"`{name}` must be a list of roles.")


def _roles(context: dict[str, Any]) -> set[str]:
    """Give the roles that may decide, in lower case; empty for everybody."""
    given = next((context[name] for name in _ROLES if context.get(name)), None)
    roles = given.split(",") if isinstance(given, str) else given
    return {str(role).strip().lower() for role in roles} if isinstance(roles, list) else set()
