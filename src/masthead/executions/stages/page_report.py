"""What a page stage keeps of its page: whom it reached, and what that led to. Never a key."""

from __future__ import annotations

from typing import Any

from masthead.executions.stages.page_restart import Asked, restart_of
from masthead.paging import Delivery, Incident, IncidentState, NotOpened, Page

__all__ = ["awaiting", "missing_incidents", "report"]

_WHY = {
    NotOpened.DISABLED: "the service is disabled",
    NotOpened.MAINTENANCE: "the service is in maintenance",
    NotOpened.ALREADY_OPEN: "an incident that was open already took it",
    NotOpened.NOBODY_ON_CALL: "nobody seems to be on call",
    NotOpened.SUPPRESSED: "a rule at PagerDuty seems to have suppressed it",
}


def report(page: Page, asked: Asked, context: dict[str, Any]) -> dict[str, Any]:
    """Give what the stage keeps: which services were paged, under which dedup key, with what outcome."""
    kept: dict[str, Any] = {"id": page.id, "deliveries": [_delivery(each) for each in page.deliveries]}
    restart = restart_of(context)
    if restart is not None:
        kept |= {"restart": restart, "reachedBefore": list(asked.reached_before)}
    if asked.follows:
        kept["follows"] = list(asked.follows)
    return kept


def missing_incidents(page: Page) -> list[str]:
    """Say which of the page's deliveries opened no incident and never will, or may have opened one that nobody can see."""
    said = ((each, _missing(each.incident)) for each in page.deliveries)
    return [
        f"PagerDuty took the page for {each.label} but opened no incident: {why}."
        if each.incident.state is IncidentState.NOT_OPENED
        else f"Whether PagerDuty opened an incident for {each.label} cannot be known: {why}."
        for each, why in said
        if why
    ]


def awaiting(page: Page) -> list[Delivery]:
    """Give the deliveries whose incident has not been seen yet."""
    return [each for each in page.deliveries if each.incident.state is IncidentState.UNKNOWN]


def _missing(incident: Incident) -> str | None:
    if incident.state is IncidentState.NOT_OPENED:
        return _WHY[incident.reason] if incident.reason else "PagerDuty does not say why"
    if incident.state is IncidentState.UNKNOWN and not incident.is_awaited:
        return "there is no REST token for its account"
    return None


def _delivery(delivery: Delivery) -> dict[str, Any]:
    kept = {
        "service": delivery.label,
        "serviceId": delivery.service_id,
        "dedupKey": delivery.dedup_key,
        "protocol": str(delivery.protocol),
        "state": str(delivery.state),
        "reason": None if delivery.reason is None else str(delivery.reason),
        "text": delivery.text,
        "incident": _incident(delivery.incident),
    }
    return {key: value for key, value in kept.items() if value is not None}


def _incident(incident: Incident) -> dict[str, Any] | None:
    if incident.state is IncidentState.UNKNOWN:
        return None
    kept = {
        "state": str(incident.state),
        "number": incident.number,
        "url": incident.url,
        "assignee": incident.assignee,
        "reason": None if incident.reason is None else str(incident.reason),
    }
    return {key: value for key, value in kept.items() if value is not None}
