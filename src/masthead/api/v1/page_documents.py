"""How /v1 shows pages: who asked, what was said, and what became of each delivery; never a key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from masthead.paging import Delivery, DeliveryState, Incident, Kind, Page
from masthead.paging.audit import Attempt, Entry

__all__ = ["entry_document", "instant_text", "page_document"]


def page_document(page: Page) -> dict[str, Any]:
    """Show a page and what became of each of its deliveries."""
    return {**_head(page), "deliveries": [_delivery(one) for one in page.deliveries]}


def entry_document(entry: Entry) -> dict[str, Any]:
    """Show all that is known of a page: also every attempt, and what was asked of it later."""
    return {
        **_head(entry.page),
        "deliveries": [
            {
                **_delivery(one),
                "toldBy": entry.told_by.get(one.id),
                "speaksFor": entry.speaks_for.get(one.id, 0),
                "attemptLog": _attempts(entry.attempts.get(one.id, ())),
            }
            for one in entry.page.deliveries
        ],
        "followUps": [page_document(one) for one in entry.follow_ups],
    }


def instant_text(instant: datetime | None) -> str | None:
    """Give an instant as ISO 8601 with milliseconds, in UTC."""
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="milliseconds")


def _head(page: Page) -> dict[str, Any]:
    return {
        "id": page.id,
        "kind": page.kind,
        "parentId": page.parent_id,
        "isDecided": page.is_decided,
        "message": page.message,
        "details": dict(page.details),
        "links": [{"href": link.href, "text": link.text} for link in page.links],
        "severity": page.severity,
        "user": page.user,
        "address": page.address,
        "client": page.client,
        "clientUrl": page.client_url,
        "door": page.door,
        "application": page.application,
        "executionId": page.execution_id,
        "stageId": page.stage_id,
        "createdAt": instant_text(page.created_at),
        "happenedAt": instant_text(page.happened_at) if page.happened_at else None,
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    is_incident = delivery.action is Kind.TRIGGER and delivery.state is DeliveryState.ACCEPTED
    return {
        "id": delivery.id,
        "service": delivery.label,
        "serviceId": delivery.service_id,
        "account": delivery.account,
        "action": delivery.action,
        "dedupKey": delivery.dedup_key,
        "protocol": delivery.protocol,
        "state": delivery.state,
        "reason": delivery.reason,
        "text": delivery.text,
        "attempts": delivery.attempts,
        "isUncertain": delivery.is_uncertain,
        "foldedInto": delivery.folded_into,
        "createdAt": instant_text(delivery.created_at),
        "decidedAt": instant_text(delivery.decided_at),
        "deadlineAt": instant_text(delivery.deadline_at),
        "incident": _incident(delivery.incident) if is_incident else None,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "state": incident.state,
        "reason": incident.reason,
        "isInferred": incident.is_inferred,
        "id": incident.id,
        "number": incident.number,
        "url": incident.url,
        "assignee": incident.assignee,
        "checkedAt": instant_text(incident.checked_at),
    }


def _attempts(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    return [
        {
            "number": one.number,
            "at": instant_text(one.at),
            "protocol": one.protocol,
            "status": one.status,
            "outcome": one.outcome,
            "reason": one.reason,
            "text": one.text,
            "durationMs": one.duration_ms,
        }
        for one in attempts
    ]
