"""``monitorWebhook``: asks the status URL until it says how it ended.

Source: Spinnaker compatibility facts, section 4.7.4; 7.5 (58) for what is different: the progress error names its own path,
100.0 is as complete as 100, a status that stands twice in one list counts once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import TaskContext, TaskResult
from masthead.executions.stages.webhook.answers import is_error, phrase, shown
from masthead.executions.stages.webhook.asking import flag, request_of, status_codes, webhooks_of
from masthead.executions.stages.webhook.cancelling import CancellingTask, call_cancel_endpoint
from masthead.executions.status import Status
from masthead.executions.timeouts import duration_ms
from masthead.kernel.clock import to_ms
from masthead.kernel.errors import MastheadError
from masthead.outbound import OutboundError, Reply, RequestFailed, UnknownHost
from masthead.pipelines.json_path import PathNotFound, parse_json_path

__all__ = ["MonitorWebhookTask"]

_FIRST_BACKOFF_S = 1.0
_LATER_BACKOFF_S = 15.0
_LATER_MS = 60_000
_SERVER_ERROR = 500
_COMPLETE = 100


class MonitorWebhookTask(CancellingTask):
    """Asks once a second, after a minute every 15 seconds; in between nothing runs."""

    name = "monitorWebhook"
    implementing_class = "com.netflix.spinnaker.orca.webhook.tasks.MonitorWebhookTask"
    backoff_s = _FIRST_BACKOFF_S
    timeout_s = 3600.0
    is_overridable = True

    async def attempt(self, work: TaskContext) -> TaskResult:
        """Ask once."""
        url, source = _status_url(work.context)
        request = request_of(work, url, "GET", source=source)
        try:
            reply = await webhooks_of(work).outbound.request(request)
        except OutboundError as error:
            if isinstance(error, UnknownHost) or (isinstance(error, RequestFailed) and error.is_timeout):
                return _again(work, {})
            raise _failed(work, _exception(url, error.message), {}) from error
        if is_error(reply.status):
            return _refused(work, url, reply)
        return await _judged(work, reply)

    async def cancelled(self, work: TaskContext) -> None:
        """Stop what was started."""
        await call_cancel_endpoint(work)


# -- what the answer means --------------------------------------------------------------------------


def _refused(work: TaskContext, url: str, reply: Reply) -> TaskResult:
    """Judge an HTTP error: the stage's own ``retries`` first, then the codes that mean "later"."""
    code = reply.status
    past = [each for each in _monitor(work).get("pastStatusCodes") or () if isinstance(each, int)]
    found = {**shown(reply), "pastStatusCodes": [*past, code]}
    most = _most_attempts(work.context, code)
    if most is not None:
        may_retry = past.count(code) < most
    else:
        retried = (
            *webhooks_of(work).default_retry_status_codes,
            *status_codes(work.context, "retryStatusCodes"),
        )
        may_retry = code >= _SERVER_ERROR or code in retried
    if may_retry:
        return _again(work, found)
    raise _failed(work, _exception(url, phrase(code)), found)


async def _judged(work: TaskContext, reply: Reply) -> TaskResult:
    context = work.context
    found = shown(reply) | _kept(work)
    status_path = context.get("statusJsonPath")
    if not isinstance(status_path, str) or not status_path.strip():
        return _ended(work, Status.SUCCEEDED, found)
    body = found.get("body")
    value = await _read(work, status_path, body, "status", found)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]  # an indefinite path that found one place
    if not isinstance(value, str | int | float):
        found["resolvedValue"] = value
        raise _failed(work, f"The json path '{status_path}' did not resolve to a single value", found)
    progress_path = context.get("progressJsonPath")
    if isinstance(progress_path, str) and progress_path.strip():
        progress = await _read(work, progress_path, body, "progress", found)
        if not isinstance(progress, str):
            found["resolvedValue"] = progress
            raise _failed(work, f"The json path '{progress_path}' did not resolve to a String value", found)
        found["progressMessage"] = progress
    if isinstance(value, int | float) and not isinstance(value, bool):
        found["percentComplete"] = value
        return _ended(work, Status.SUCCEEDED, found) if value == _COMPLETE else _again(work, found)
    status = _meaning(work, value, found)
    if status is Status.TERMINAL:
        raise TaskFailed(f"The status {value} is one of `terminalStatuses`.", context=_context(work, found))
    return _again(work, found) if status is Status.RUNNING else _ended(work, status, found)


async def _read(work: TaskContext, path: str, body: Any, what: str, found: dict[str, Any]) -> Any:
    try:
        parsed = parse_json_path(path)
        return parsed.read(body) if parsed.is_definite else await asyncio.to_thread(parsed.read, body)
    except PathNotFound as error:
        sentence = f"Unable to parse {what}: JSON property '{path}' not found in response body"
        raise _failed(work, sentence, found) from error
    except MastheadError as error:
        raise _failed(work, error.message, found) from error


def _meaning(work: TaskContext, value: str | bool, found: dict[str, Any]) -> Status:  # noqa: FBT001 - a status may be one
    """Give what a status word means; where it stands in several lists, the worst."""
    word = str(value).upper()
    lists = (
        ("terminalStatuses", Status.TERMINAL),
        ("canceledStatuses", Status.CANCELED),
        ("successStatuses", Status.SUCCEEDED),
    )
    for name, status in lists:
        if word in _words(work.context.get(name)):
            return status
    if not _words(work.context.get("successStatuses")):
        raise _failed(work, "`successStatuses` is missing: nothing says which status means success.", found)
    return Status.RUNNING


def _words(value: Any) -> set[str]:
    items = value if isinstance(value, list) else str(value or "").split(",")
    return {str(each).strip().upper() for each in items} - {""}


def _most_attempts(context: Mapping[str, Any], code: int) -> int | None:
    retries = context.get("retries")
    entry = retries.get(str(code)) if isinstance(retries, dict) else None
    if not isinstance(entry, dict):
        return None
    try:
        return int(entry.get("maxAttempts") or 0)
    except (TypeError, ValueError):
        raise TaskFailed("`retries` must map statuses to {maxAttempts: a number}.") from None


# -- what is kept -----------------------------------------------------------------------------------


def _again(work: TaskContext, monitor: dict[str, Any]) -> TaskResult:
    elapsed_ms = to_ms(work.now) - (work.task.start_time or to_ms(work.now))
    seconds = _FIRST_BACKOFF_S if elapsed_ms < _LATER_MS else _LATER_BACKOFF_S
    seconds = max(seconds, (duration_ms(work.context.get("backoffPeriodMs")) or 0) / 1000)
    context = _context(work, monitor or _monitor(work))
    return TaskResult(Status.RUNNING, context=context, again_at=work.now + timedelta(seconds=seconds))


def _ended(work: TaskContext, status: Status, monitor: dict[str, Any]) -> TaskResult:
    return TaskResult(status, context=_context(work, monitor))


def _failed(work: TaskContext, error: str, monitor: dict[str, Any]) -> TaskFailed:
    return TaskFailed(error, context=_context(work, {**_kept(work), **monitor, "error": error}))


def _context(work: TaskContext, monitor: dict[str, Any]) -> dict[str, Any]:
    created = work.context.get("webhook")
    return {"webhook": {**(created if isinstance(created, dict) else {}), "monitor": monitor}}


def _kept(work: TaskContext) -> dict[str, Any]:
    """Give what outlives one answer: how often which error came."""
    past = _monitor(work).get("pastStatusCodes")
    return {"pastStatusCodes": past} if past else {}


def _monitor(work: TaskContext) -> dict[str, Any]:
    webhook = work.context.get("webhook")
    monitor = webhook.get("monitor") if isinstance(webhook, dict) else None
    return monitor if isinstance(monitor, dict) else {}


def _exception(url: str, reason: str) -> str:
    return f"an exception occurred in webhook monitor to {url}: {reason}"


def _status_url(context: dict[str, Any]) -> tuple[str, str]:
    """Give the URL to ask, and the field that it stands in."""
    is_alone = flag(context.get("monitorOnly"))
    for name in ("statusEndpoint", *(("url",) if is_alone else ())):
        value = context.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip(), name
    if is_alone:
        raise TaskFailed("Missing required parameter. Either webhook url or statusEndpoint are required")
    raise TaskFailed("Missing required parameter: statusEndpoint = null")
