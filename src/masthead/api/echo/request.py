"""What Echo is asked to send, read out of its JSON.

Source: Spinnaker compatibility facts, sections 1.1 and 1.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masthead.kernel.errors import InvalidRequest
from masthead.kernel.secret import Secret
from masthead.pagerduty import Severity, key_trouble, parse_severity

__all__ = ["PAGER_DUTY", "Notification", "is_interactive", "notification_type", "read_notification"]

PAGER_DUTY = "PAGER_DUTY"
#: Echo's two severities, as PagerDuty's (issue A.7).
_SEVERITIES = {"HIGH": Severity.CRITICAL, "NORMAL": Severity.ERROR}


@dataclass(frozen=True, slots=True)
class Notification:
    """A page that Echo is asked for."""

    keys: tuple[Secret, ...]
    message: str
    details: Mapping[str, Any]
    #: None when the notification does not say.
    severity: Severity | None
    user: str | None
    application: str | None
    execution_id: str | None


def notification_type(body: Mapping[str, Any]) -> str:
    """Give the type in upper case, as Echo compares it.

    Raises:
        InvalidRequest: there is none.
    """
    given = body.get("notificationType")
    if not isinstance(given, str) or not given.strip():
        raise InvalidRequest(
            f"notificationType is missing; Masthead sends {PAGER_DUTY}.", pointer="/notificationType"
        )
    return given.strip().upper()


def is_interactive(body: Mapping[str, Any]) -> bool:
    """Say whether the notification wants an answer: a bot, or at least one action."""
    actions = body.get("interactiveActions")
    has_actions = isinstance(actions, dict) and bool(actions.get("actions"))
    return bool(body.get("useInteractiveBot")) or has_actions


def read_notification(body: Mapping[str, Any]) -> Notification:
    """Read a ``PAGER_DUTY`` notification; ``to`` may be empty.

    Raises:
        InvalidRequest: a field has the wrong type or is missing; names it.
    """
    source = _object(body, "source")
    context = _object(body, "additionalContext")
    return Notification(
        keys=_keys(body.get("to")),
        message=_message(context),
        details=_object(context, "details", within="/additionalContext"),
        severity=_severity(body, context),
        user=_text(source, "user"),
        application=_text(source, "application"),
        execution_id=_text(source, "executionId"),
    )


def _object(holder: Mapping[str, Any], name: str, *, within: str = "") -> dict[str, Any]:
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be an object: {{…}}.", pointer=f"{within}/{name}")
    return value


def _text(source: Mapping[str, Any], name: str) -> str | None:
    value = source.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"{name} must be text.", pointer=f"/source/{name}")
    return value or None


def _keys(to: Any) -> tuple[Secret, ...]:
    if to is None:
        return ()
    if not isinstance(to, list):
        raise InvalidRequest("to must be a list of integration keys.", pointer="/to")
    for index, key in enumerate(to):
        if not isinstance(key, str) or not key.strip():
            raise InvalidRequest("Each entry of to must be an integration key.", pointer=f"/to/{index}")
    keys = tuple(Secret(key.strip()) for key in to)
    _refuse_if_none_can_be(keys)
    return keys


def _refuse_if_none_can_be(keys: Sequence[Secret]) -> None:
    """Refuse what wakes nobody. Beside others such a key is passed on, because upstream tells those: PagerDuty refuses it alone."""
    troubles = [key_trouble(key) for key in keys]
    if keys and all(troubles):
        said = tuple(f"/to/{index}: {trouble}" for index, trouble in enumerate(troubles))
        raise InvalidRequest(troubles[0] or "", pointer="/to/0", errors=said if len(said) > 1 else ())


def _message(context: Mapping[str, Any]) -> str:
    message = context.get("message")
    if not isinstance(message, str) or not message.strip():
        raise InvalidRequest(
            "additionalContext.message is missing: it is the first line that the person on call reads.",
            pointer="/additionalContext/message",
        )
    return message


def _severity(body: Mapping[str, Any], context: Mapping[str, Any]) -> Severity | None:
    if context.get("severity") is not None:
        try:
            return parse_severity(context["severity"])
        except InvalidRequest as error:
            raise InvalidRequest(error.message, pointer="/additionalContext/severity") from error
    given = body.get("severity")
    if given is None:
        return None
    if isinstance(given, str) and given in _SEVERITIES:
        return _SEVERITIES[given]
    raise InvalidRequest("severity must be NORMAL or HIGH.", pointer="/severity")
