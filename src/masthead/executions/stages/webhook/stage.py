"""The ``webhook`` stage: its fields, and which tasks they ask for.

Source: Spinnaker compatibility facts, section 4.7.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from masthead.executions.failure import TaskFailed
from masthead.executions.model import Stage
from masthead.executions.stages.base import Field, Kind, StageType, TaskContext, TaskResult, TaskType
from masthead.executions.stages.webhook.asking import METHODS, flag
from masthead.executions.stages.webhook.create import RESOLUTIONS, CreateWebhookTask
from masthead.executions.stages.webhook.monitor import MonitorWebhookTask
from masthead.executions.stages.webhook.problems import webhook_problems
from masthead.executions.status import Status
from masthead.kernel.clock import from_ms, to_ms
from masthead.pipelines import Problem

__all__ = ["WebhookStage"]


class WaitBeforeMonitorTask(TaskType):
    """Lets ``waitTime`` seconds pass; from the end of the call, not as upstream from the beginning of the stage."""

    name = "waitBeforeMonitorWebhook"
    implementing_class = "com.netflix.spinnaker.orca.pipeline.tasks.WaitTask"
    is_instant = True

    async def run(self, work: TaskContext) -> TaskResult:
        """Look at the clock."""
        if work.context.get("skipRemainingWait") is True:
            return TaskResult(Status.SUCCEEDED)
        start_ms = work.task.start_time if work.task.start_time is not None else to_ms(work.now)
        end = from_ms(start_ms + _seconds(work.context.get("waitBeforeMonitor")) * 1000)
        if work.now >= end:
            return TaskResult(Status.SUCCEEDED)
        return TaskResult(Status.RUNNING, again_at=end)


class WebhookStage(StageType):
    """Calls a URL."""

    type = "webhook"
    label = "Webhook"
    doc = "Calls a URL, and waits until what the call started has ended if it is told to."
    fields: ClassVar[tuple[Field, ...]] = (
        Field("url", Kind.TEXT, "Whom to call.", is_required=True),
        Field("method", Kind.CHOICE, "How; POST if missing.", choices=METHODS),
        Field("payload", Kind.OBJECT, "The body, as JSON; a form with the Content-Type of forms; a text as it stands."),
        Field("customHeaders", Kind.OBJECT, "Headers by name, each a text or a list of texts."),
        Field("failFastStatusCodes", Kind.TEXTS, "Statuses after which the call is not repeated; [504] if missing."),
        Field("webhookRetryStatusCodes", Kind.TEXTS, "Further statuses after which the call is repeated."),
        Field("waitForCompletion", Kind.BOOLEAN, "Whether to ask afterwards until what was started has ended."),
        Field("statusUrlResolution", Kind.CHOICE, "Where the URL to ask comes from.", choices=RESOLUTIONS),
        Field("statusUrlJsonPath", Kind.TEXT, "For webhookResponse: the JSON path of that URL in the answer."),
        Field("monitorOnly", Kind.BOOLEAN, "Do not call, only ask statusEndpoint or url."),
        Field("statusEndpoint", Kind.TEXT, "The URL to ask, where it is known beforehand."),
        Field("statusJsonPath", Kind.TEXT, "JSON path of the status: a word, or a number that is complete at 100. Missing: any answer is success."),
        Field("progressJsonPath", Kind.TEXT, "JSON path of a text to show meanwhile."),
        Field("successStatuses", Kind.TEXT, "Words for success, separated by commas."),
        Field("canceledStatuses", Kind.TEXT, "Words for cancelled."),
        Field("terminalStatuses", Kind.TEXT, "Words for failure."),
        Field("retryStatusCodes", Kind.TEXTS, "Further statuses after which the status URL is asked again."),
        Field("retries", Kind.OBJECT, "Status → {maxAttempts}: how often a status of the status URL is borne in all."),
        Field("waitBeforeMonitor", Kind.NUMBER, "Seconds between the call and the first question."),
        Field("signalCancellation", Kind.BOOLEAN, "Shown by Deck only: cancelEndpoint decides."),
        Field("cancelEndpoint", Kind.TEXT, "Called when the execution is cancelled while it waits, and when the stage fails."),
        Field("cancelMethod", Kind.CHOICE, "How; POST if missing.", choices=METHODS),
        Field("cancelPayload", Kind.OBJECT, "The body of that call."),
        Field("parameterValues", Kind.OBJECT, "Values for the parameters of a preconfigured webhook."),
    )  # fmt: skip
    is_left_out_of_dry_runs = True
    tasks = (CreateWebhookTask(), WaitBeforeMonitorTask(), MonitorWebhookTask())

    def plan(self, stage: Stage) -> tuple[TaskType, ...]:
        """Give the call unless there is none, the wait and the questions if they are wanted."""
        create, wait, monitor = self.tasks
        context = stage.context
        is_waiting, is_alone = flag(context.get("waitForCompletion")), flag(context.get("monitorOnly"))
        if is_alone and not is_waiting:
            raise TaskFailed(
                "Can't specify monitorOnly = true and waitForCompletion = false at the same time"
            )
        wanted: list[TaskType] = [] if is_alone else [create]
        if not is_waiting:
            return tuple(wanted)
        seconds = _seconds(context.get("waitBeforeMonitor"))
        if seconds > 0:
            context["waitTime"] = seconds
            wanted.append(wait)
        return (*wanted, monitor)

    def problems(self, stage: Mapping[str, Any]) -> Iterable[Problem]:
        """Look at URLs, method, statuses and JSON paths."""
        yield from super().problems(stage)
        yield from webhook_problems(stage)

    def restarted(self, context: dict[str, Any]) -> None:
        """Forget the answers, so that nothing of them counts again."""
        context.pop("webhook", None)


def _seconds(value: Any) -> int:
    if value is None or value == "":
        return 0
    if isinstance(value, bool) or not str(value).strip().isdecimal():
        raise TaskFailed("`waitBeforeMonitor` must be a whole number of seconds.")
    return int(value)
