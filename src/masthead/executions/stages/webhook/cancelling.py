"""The call that stops what a webhook started: best effort, after a cancellation and after every failure.

Source: Spinnaker compatibility facts, section 4.7.4 ("Cancel"). Unlike upstream, a cancel URL that is refused or wrong changes
nothing in how the stage ended.
"""

from __future__ import annotations

import asyncio

import structlog

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import TaskContext, TaskResult, TaskType
from masthead.executions.stages.webhook.asking import is_permitted, method_of, request_of, webhooks_of
from masthead.executions.status import Status
from masthead.kernel.errors import MastheadError
from masthead.outbound import OutboundError

__all__ = ["CancellingTask"]

log = structlog.get_logger(__name__)
#: Others wait meanwhile.
_PATIENCE_S = 15.0


class CancellingTask(TaskType):
    """A task that calls ``cancelEndpoint`` when it ends badly."""

    async def run(self, work: TaskContext) -> TaskResult:
        """Do what :meth:`attempt` does, where the one in whose name it runs may."""
        if not is_permitted(work):
            raise TaskFailed(
                f"User '{work.caller.user}' is not allowed to execute stage named '{work.stage.type}'",
                exception_type="SecurityException",
            )
        try:
            result = await self.attempt(work)
        except MastheadError:
            await call_cancel_endpoint(work)
            raise
        if result.status in (Status.TERMINAL, Status.CANCELED):
            await call_cancel_endpoint(work)
        return result

    async def attempt(self, work: TaskContext) -> TaskResult:
        """Do what can be done now; see :meth:`TaskType.run`."""
        raise NotImplementedError

    async def overdue(self, work: TaskContext, sentence: str) -> TaskResult:
        """Stop what was started, and fail."""
        await call_cancel_endpoint(work)
        return await super().overdue(work, sentence)


async def call_cancel_endpoint(work: TaskContext) -> None:
    """Call ``cancelEndpoint`` of the stage, if it has one; what goes wrong is logged."""
    url = work.context.get("cancelEndpoint")
    if not isinstance(url, str) or not url.strip() or not is_permitted(work):
        return
    try:
        method = method_of(work.context.get("cancelMethod"))
        request = request_of(
            work, url.strip(), method, work.context.get("cancelPayload"), source="cancelEndpoint"
        )
        async with asyncio.timeout(_PATIENCE_S):
            reply = await webhooks_of(work).outbound.request(request)
    except (OutboundError, TaskFailed, TimeoutError) as error:
        log.warning(
            "webhook.cancel-failed",
            execution=work.execution.id,
            stage=work.stage.id,
            error=type(error).__name__,
        )
    else:
        log.info("webhook.cancelled", execution=work.execution.id, stage=work.stage.id, status=reply.status)
