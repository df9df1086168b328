"""``createWebhook``: the call itself, and the URL to ask afterwards.

Which calls are repeated is Orca's rule: after an answer that says "later", whatever the method; when nobody knows whether
the call arrived, only if it is a GET or HEAD, or the operator called it safe. A call that was under way when its machine was killed
is of the second kind; as long as that machine may only have lost the execution to another, its answer is waited for.

Source: Spinnaker compatibility facts, sections 4.7.2 and 4.7.3.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from yarl import URL

from masthead.executions.failure import TaskFailed
from masthead.executions.stages.base import TaskContext, TaskResult
from masthead.executions.stages.webhook.answers import is_error, shown
from masthead.executions.stages.webhook.asking import flag, method_of, request_of, status_codes, webhooks_of
from masthead.executions.stages.webhook.cancelling import CancellingTask
from masthead.executions.status import Status
from masthead.executions.webhooks import Webhooks, answer_of
from masthead.kernel.clock import from_ms
from masthead.kernel.errors import MastheadError
from masthead.outbound import OutboundError, Reply, RequestFailed, UnknownHost, parse_url
from masthead.pipelines.json_path import JsonPathInvalid, PathNotFound, parse_json_path

__all__ = ["RESOLUTIONS", "CreateWebhookTask"]

log = structlog.get_logger(__name__)

RESOLUTIONS = ("getMethod", "locationHeader", "webhookResponse")
_FAIL_FAST = (504,)
_SAFE = ("GET", "HEAD")
_SERVER_ERROR = 500


class CreateWebhookTask(CancellingTask):
    """Sends the request, again where that is safe."""

    name = "createWebhook"
    implementing_class = "com.netflix.spinnaker.orca.webhook.tasks.CreateWebhookTask"
    backoff_s = 10.0
    timeout_s = 300.0
    is_overridable = True
    is_once = True

    async def attempt(self, work: TaskContext) -> TaskResult:
        """Send, and judge the answer."""
        webhooks = webhooks_of(work)
        url, method = _url(work.context), method_of(work.context.get("method"))
        request = request_of(work, url, method, work.context.get("payload"))
        call = _Call(work, url, method)
        if work.answer is not None:
            return _judged(call, answer_of(work.answer), webhooks)
        if work.is_repeated and not webhooks.attempts.is_known(work.attempt) and not _is_safe(webhooks, call):
            answered_by = _begun_at(work) + timedelta(seconds=webhooks.patience_s)
            if work.now < answered_by:  # the machine that sent it may live, and leave the answer
                return TaskResult(Status.RUNNING, again_at=answered_by, keeps_attempt=True)
            raise call.failed(
                f"{call.exception} Masthead stopped while the request was under way: it may have arrived,"
                f" and a {method} is not repeated"
            )
        try:
            reply = await webhooks.attempts.join(work.attempt, lambda: webhooks.outbound.request(request))
        except UnknownHost:
            return call.again(f"Remote host resolution failure in webhook for {call.name}, will retry.")
        except OutboundError as error:
            if isinstance(error, RequestFailed) and error.is_timeout and _is_safe(webhooks, call):
                return call.again(
                    f"Socket timeout in webhook on {method} request for {call.name}, will retry."
                )
            raise call.failed(f"{call.exception} {error.message}") from error
        log.info(
            "webhook.answered", execution=work.execution.id, stage=work.stage.id, method=method,
            host=parse_url(url).host, status=reply.status,
        )  # fmt: skip
        return _judged(call, reply, webhooks)


class _Call:
    """The words for one call."""

    def __init__(self, work: TaskContext, url: str, method: str) -> None:
        self.work = work
        self.url = url
        self.method = method
        self.name = f"pipeline {work.execution.id} to {url}"
        self.exception = (
            f"An exception occurred for pipeline {work.execution.id} performing a {method} request to {url}."
        )

    def again(self, error: str, **found: Any) -> TaskResult:
        return TaskResult(Status.RUNNING, context={"webhook": {**found, "error": error}})

    def failed(self, error: str, **found: Any) -> TaskFailed:
        return TaskFailed(error, context={"webhook": {**found, "error": error}})


def _judged(call: _Call, reply: Reply, webhooks: Webhooks) -> TaskResult:
    context, code = call.work.context, reply.status
    if not is_error(code):
        return _created(call, reply)
    if code in status_codes(context, "failFastStatusCodes", _FAIL_FAST):
        raise call.failed(
            f"Received status code {code}, which is configured to fail fast, terminating stage for {call.name}",
            **shown(reply),
        )
    retried = (*webhooks.default_retry_status_codes, *status_codes(context, "webhookRetryStatusCodes"))
    error = f"Error submitting webhook for {call.name} with status code {code}"
    if code >= _SERVER_ERROR or code in retried:
        return call.again(f"{error}, will retry.", **shown(reply))
    raise call.failed(f"{error}.", **shown(reply))


def _created(call: _Call, reply: Reply) -> TaskResult:
    found = shown(reply)
    if not flag(call.work.context.get("waitForCompletion")):
        return TaskResult(Status.SUCCEEDED, context={"webhook": found})
    try:
        endpoint = _status_url(call, reply, found.get("body"))
    except (JsonPathInvalid, PathNotFound, ValueError) as error:
        reason = error.message if isinstance(error, MastheadError) else "it is no URL"
        raise call.failed(f"Exception while resolving status check URL: {reason}", **found) from error
    if not endpoint:
        sentence = "The status URL couldn't be resolved, but 'Wait for completion' is configured"
        raise call.failed(sentence, **found)
    return TaskResult(
        Status.SUCCEEDED,
        context={"statusEndpoint": endpoint, "webhook": {**found, "statusEndpoint": endpoint}},
    )


def _status_url(call: _Call, reply: Reply, body: Any) -> str:
    """Give where to ask how it goes; empty when the answer does not say."""
    context = call.work.context
    resolution = context.get("statusUrlResolution") or RESOLUTIONS[0]
    if resolution == "getMethod":
        return call.url
    if resolution == "locationHeader":
        found = next((value for name, value in reply.headers.items() if name.lower() == "location"), "")
    elif resolution == "webhookResponse":
        value = parse_json_path(str(context.get("statusUrlJsonPath") or "")).read(body)
        if value is not None and not isinstance(value, str):
            raise PathNotFound("The JSON path did not resolve to a String value")
        found = value or ""
    else:
        raise JsonPathInvalid(f"`statusUrlResolution` must be one of {', '.join(RESOLUTIONS)}")
    return _with_own_scheme(found.strip(), call.url)


def _with_own_scheme(found: str, original: str) -> str:
    """Give *found* as an absolute URL, with the original's scheme where it is the same host's."""
    if not found:
        return ""
    base = URL(original.strip())
    target = base.join(URL(found))
    if target.host == base.host and target.scheme != base.scheme:
        port = target.explicit_port
        target = target.with_scheme(base.scheme).with_port(port)
    return found if str(target) == str(URL(found)) else str(target)


def _begun_at(work: TaskContext) -> datetime:
    return from_ms(int(work.attempt.rpartition("/")[2]))


def _is_safe(webhooks: Webhooks, call: _Call) -> bool:
    rule = webhooks.rule_for(call.method, call.url)
    return call.method in _SAFE or (rule is not None and rule.safe_to_retry)


def _url(context: dict[str, Any]) -> str:
    url = context.get("url")
    if not isinstance(url, str) or not url.strip():
        raise TaskFailed("`url` is missing: it says whom to call.")
    return url.strip()
