"""``POST /notifications``: Echo's door to a page.

Fields, statuses and sentences are upstream's. What is better: the page is stored before it is sent, all keys are
told at once, what PagerDuty refuses for now goes on by itself after 202, and what upstream drops in silence is
refused with a sentence (unless the setting asks for silence).

Source: Spinnaker compatibility facts, sections 1.1 to 1.3.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from masthead.api.answers import empty, json_answer
from masthead.api.ask import Ask
from masthead.api.caller import in_name_of
from masthead.api.echo.request import (
    PAGER_DUTY,
    Notification,
    is_interactive,
    notification_type,
    read_notification,
)
from masthead.api.errors import Refused
from masthead.api.routing import Routes
from masthead.kernel.caller import Caller
from masthead.kernel.errors import InvalidRequest
from masthead.pagerduty import parse_severity
from masthead.paging import DeliveryState, Door, Draft, Page, failure_sentence, pending_sentence

__all__ = ["PAGE", "PENDING", "routes"]

routes = Routes("echo")

#: The page's id, for GET /v1/pages/{id}.
PAGE = "X-Masthead-Page"
#: How many keys are still being tried.
PENDING = "X-Masthead-Pending"
_EXCEPTION = "com.netflix.spinnaker.echo.pagerduty.PagerDutyException"
_NO_APPLICATION = "spinnaker"


@routes.post("/notifications", "Page the services whose integration keys stand in to.")
async def notify(ask: Ask) -> Response:
    """Page, wait a moment, and answer what became of it."""
    body = await ask.object()
    refusal = _refusal(ask, body)
    if refusal is not None:
        return _unhandled(ask, refusal)
    notification = read_notification(body)
    if not notification.keys:
        return _unhandled(
            ask, InvalidRequest("to is empty: give at least one PagerDuty integration key.", pointer="/to")
        )
    paging, wait_s = ask.services.paging, ask.services.settings.echo.wait_s
    page = await paging.request(
        _draft(ask, notification), _caller(ask, notification), is_waited_for=wait_s > 0
    )
    if wait_s and not page.is_decided:
        page = await paging.wait(page.id, wait_s)
    return _answer(page)


def _refusal(ask: Ask, body: dict[str, Any]) -> InvalidRequest | None:
    kind = notification_type(body)
    if kind != PAGER_DUTY:
        return InvalidRequest(
            f"Notifications of this type are not sent here; Masthead sends {PAGER_DUTY}.",
            pointer="/notificationType",
        )
    if is_interactive(body):
        return InvalidRequest(
            f"Interactive notifications are not built; {PAGER_DUTY} is sent without actions.",
            pointer="/useInteractiveBot" if body.get("useInteractiveBot") else "/interactiveActions",
        )
    if not ask.services.settings.events.enabled:
        return InvalidRequest(
            f"{PAGER_DUTY} is switched off: set pager-duty.enabled to true in Echo's profile.",
            pointer="/notificationType",
        )
    return None


def _unhandled(ask: Ask, refusal: InvalidRequest) -> Response:
    """Refuse what nobody will be told of, or drop it in silence as upstream does.

    Raises:
        InvalidRequest: the setting ``echo.unhandled`` is not "drop".
    """
    if ask.services.settings.echo.unhandled == "drop":
        return empty()
    raise refusal


def _caller(ask: Ask, notification: Notification) -> Caller:
    """Give who asks: Orca names its user in the body, and in the header not always."""
    if not ask.services.access.is_open:
        return ask.caller
    return in_name_of(ask.caller, notification.user)


def _draft(ask: Ask, notification: Notification) -> Draft:
    settings = ask.services.settings
    default = parse_severity(settings.events.default_severity)
    is_anonymous = notification.execution_id is None
    return Draft(
        keys=notification.keys,
        message=notification.message,
        details=notification.details,
        severity=notification.severity or default,
        door=Door.ECHO,
        application=notification.application or _NO_APPLICATION,
        execution_id=notification.execution_id,
        # A real Orca's page task names no execution, and posts again after a 503 or a redelivery.
        recognise=timedelta(seconds=settings.echo.recognise_s) if is_anonymous else None,
        client=f"Spinnaker ({notification.user})" if notification.user else None,
    )


def _answer(page: Page) -> Response:
    pending = len(page.in_state(DeliveryState.PENDING))
    headers = {PAGE: page.id, PENDING: str(pending)}
    message = failure_sentence(page)
    if message is not None:
        message = " ".join(filter(None, (message, pending_sentence(page))))
        raise Refused(400, message, exception=_EXCEPTION, headers=headers)
    if pending:
        return json_answer({"value": None, "page": page.id, "pending": pending}, status=202, headers=headers)
    return json_answer({"value": None}, headers=headers)
