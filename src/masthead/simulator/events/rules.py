"""What a valid event is, and what PagerDuty answers when it is not.

Sources: PagerDuty's OpenAPI documents and developer documentation for the fields and limits; error
texts are those that users of other programs have reported (among others grafana#8979, kapacitor#1785,
alertmanager#1840, cortex#5998, tenderduty#10, dagster#19567). "maiximum" is PagerDuty's spelling.
Texts that nobody has reported are guesses, listed in ``docs/reference/simulator.md``.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["EVENT_LIMIT", "Sighting", "read_change", "read_v1", "read_v2"]

#: Bytes of a whole event, encoded. PagerDuty says 512 KB; Alertmanager and Grafana count 512,000.
EVENT_LIMIT = 512_000
SUMMARY_LIMIT = 1024
DEDUP_LIMIT = 255
KEY_LENGTH = 32

_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "error", "warning", "info")


class Sighting(msgspec.Struct):
    """An event as it was read; it may only go on when ``errors`` is empty."""

    protocol: str
    key: str
    action: str
    dedup_key: str = ""
    summary: str = ""
    severity: str | None = None
    errors: list[str] = []


def read_v1(body: dict[str, Any]) -> Sighting:
    """Read the body of ``create_event.json``."""
    event = Sighting(
        protocol="v1",
        key=_text(body.get("service_key")),
        action=_text(body.get("event_type")),
        dedup_key=_text(body.get("incident_key")),
        summary=_text(body.get("description")),
    )
    event.errors = [
        *_v1_key_errors(event.key),
        *_v1_action_errors(event),
        *_v1_text_errors(event),
        *_shape_errors(body.get("details"), dict, "Details must be an object"),
        *_shape_errors(body.get("contexts"), list, "Contexts must be an array"),
    ]
    return event


def _v1_key_errors(key: str) -> list[str]:
    if not key:
        return ["Service key can't be blank"]
    if len(key) != KEY_LENGTH:
        return ["Service key is the wrong length (should be 32 characters)"]
    return [] if _is_alphanumeric(key) else ["Service key cannot contain non-alphanumeric characters."]


def _v1_action_errors(event: Sighting) -> list[str]:
    if not event.action:
        return ["'event_type' is missing or blank"]
    if event.action not in _ACTIONS:
        return ["event_type is invalid (must be one of: trigger acknowledge resolve)"]
    if event.action != "trigger" and not event.dedup_key:
        return ["Incident key can't be blank"]
    return []


def _v1_text_errors(event: Sighting) -> list[str]:
    errors = []
    if event.action == "trigger" and not event.summary.strip():
        errors.append("Description is missing or blank")
    if len(event.summary) > SUMMARY_LIMIT:
        errors.append("Description is too long (maximum is 1024 characters)")
    if len(event.dedup_key) > DEDUP_LIMIT:
        errors.append("Incident key is too long (maximum is 255 characters)")
    return errors


def read_v2(body: dict[str, Any]) -> Sighting:
    """Read the body of ``/v2/enqueue``."""
    payload = body.get("payload")
    fields = payload if isinstance(payload, dict) else {}
    severity = _text(fields.get("severity"))
    event = Sighting(
        protocol="v2",
        key=_text(body.get("routing_key")),
        action=_text(body.get("event_action")),
        dedup_key=_text(body.get("dedup_key")),
        summary=_text(fields.get("summary")),
        severity=severity or None,
    )
    event.errors = [*_v2_key_errors(event.key), *_v2_action_errors(event)]
    if payload is not None and not isinstance(payload, dict):
        event.errors.append("'payload' must be an object")
    elif event.action == "trigger":
        event.errors += _payload_errors(fields, severity=True)
    event.errors += _v2_list_errors(body)
    return event


def read_change(body: dict[str, Any]) -> Sighting:
    """Read the body of ``/v2/change/enqueue``."""
    payload = body.get("payload")
    fields = payload if isinstance(payload, dict) else {}
    event = Sighting(
        protocol="change",
        key=_text(body.get("routing_key")),
        action="change",
        summary=_text(fields.get("summary")),
    )
    event.errors = [
        *_v2_key_errors(event.key),
        *_payload_errors(fields, severity=False),
        *_v2_list_errors(body),
    ]
    return event


def _v2_key_errors(key: str) -> list[str]:
    if not key:
        return ["'routing_key' is missing or blank"]
    errors = []
    if len(key) != KEY_LENGTH:
        errors.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if not _is_alphanumeric(key):
        errors.append("'routing_key' cannot contain non-alphanumeric characters.")
    return errors


def _v2_action_errors(event: Sighting) -> list[str]:
    errors = []
    if not event.action:
        errors.append("'event_action' is missing or blank")
    elif event.action not in _ACTIONS:
        errors.append(
            "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
        )
    elif event.action != "trigger" and not event.dedup_key:
        errors.append("'dedup_key' is missing or blank")
    if len(event.dedup_key) > DEDUP_LIMIT:
        errors.append("'dedup_key' is too long (maximum is 255 characters)")
    return errors


def _payload_errors(fields: dict[str, Any], *, severity: bool) -> list[str]:
    needed = ("summary", "severity", "source") if severity else ("summary",)
    errors = [
        f"'payload.{name}' is missing or blank" for name in needed if not _text(fields.get(name)).strip()
    ]
    if len(_text(fields.get("summary"))) > SUMMARY_LIMIT:
        errors.append("'summary' is too long (maiximum is 1024 characters)")
    given = _text(fields.get("severity"))
    if severity and given and given not in _SEVERITIES:
        errors.append(
            "'payload.severity' is invalid (must be one of the following: "
            "'critical', 'warning', 'error' or 'info')"
        )
    return errors + _shape_errors(
        fields.get("custom_details"), dict, "'payload.custom_details' must be an object"
    )


def _v2_list_errors(body: dict[str, Any]) -> list[str]:
    return [
        *_shape_errors(body.get("links"), list, "'links' must be an array"),
        *_shape_errors(body.get("images"), list, "'images' must be an array"),
    ]


def _shape_errors(value: Any, wanted: type, error: str) -> list[str]:
    return [] if value is None or isinstance(value, wanted) else [error]


def _text(value: Any) -> str:
    """Give *value* as text; what is no text or number counts as missing."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def _is_alphanumeric(key: str) -> bool:
    return key.isascii() and key.isalnum()
