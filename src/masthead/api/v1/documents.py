"""How /v1 shows services, on-calls and owners: names and states, never a key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from masthead.catalog import Catalog, CatalogState, OnCall, Service
from masthead.config import Settings
from masthead.ownership import Owner

__all__ = ["catalog_document", "oncall_document", "owner_document", "service_document"]


def service_document(service: Service, oncalls: Sequence[OnCall], *, settings: Settings) -> dict[str, Any]:
    """Show a service, who is on call for it, and why it cannot be paged if it cannot."""
    integration = service.usable(prefer_v1=settings.events.prefer_v1)
    return {
        "id": service.id,
        "name": service.name,
        "account": service.account,
        "status": service.status,
        "escalationPolicy": {"id": service.policy_id, "name": service.policy_name},
        "teams": list(service.teams),
        "url": service.html_url or _link(service.id, account=settings.account_name_of(service.account)),
        "lastIncidentAt": service.last_incident_at,
        "isPageable": integration is not None,
        "reason": service.unusable_reason,
        "warning": service.warning,
        "integrations": [
            {
                "id": one.id,
                "name": one.name,
                "type": one.type,
                "protocol": one.protocol,
                "hasKey": one.key is not None,
                "isOffered": one is integration,
            }
            for one in service.integrations
        ],
        "onCall": [oncall_document(one) for one in oncalls],
    }


def oncall_document(oncall: OnCall) -> dict[str, Any]:
    """Show who is on call, at which level, and until when."""
    return {
        "user": oncall.user_name,
        "userId": oncall.user_id,
        "url": oncall.user_url,
        "level": oncall.level,
        "escalationPolicy": {"id": oncall.policy_id, "name": oncall.policy_name},
        "schedule": oncall.schedule_name,
        "start": oncall.start,
        "end": oncall.end,
    }


def catalog_document(catalog: Catalog, *, now: datetime) -> dict[str, Any]:
    """Show how much the catalog knows, how old it is, and what is wrong with it; of several accounts also each."""
    states = catalog.states
    shown = _state_document(catalog.state, now=now)
    if len(states) == 1:
        return shown
    return shown | {"accounts": {name: _state_document(one, now=now) for name, one in states.items()}}


def _state_document(state: CatalogState, *, now: datetime) -> dict[str, Any]:
    return {
        "isConfigured": state.is_configured,
        "isLoading": state.is_loading,
        "isComplete": state.is_complete,
        "services": state.services,
        "oncalls": state.oncalls,
        "servicesFetchedAt": _instant(state.services_fetched_at),
        "servicesAgeSeconds": _age(state.services_fetched_at, now),
        "servicesExplanation": state.services_explanation,
        "oncallsFetchedAt": _instant(state.oncalls_fetched_at),
        "oncallsAgeSeconds": _age(state.oncalls_fetched_at, now),
        "oncallsExplanation": state.oncalls_explanation,
        "trouble": None
        if state.trouble is None
        else {
            "reason": str(state.trouble.reason),
            "text": state.trouble.text,
            "since": _instant(state.trouble.since),
            "list": state.trouble.kind or None,
        },
    }


def owner_document(owner: Owner, *, settings: Settings) -> dict[str, Any]:
    """Show who would be woken for an application."""
    service = owner.service
    level_1 = [one.user_name for one in owner.oncalls if one.level == 1]
    return {
        "application": owner.application,
        "label": owner.label,
        "service": service_document(service, owner.oncalls, settings=settings) if service else None,
        "wouldWake": list(dict.fromkeys(level_1)),
        "warning": _owner_warning(owner),
    }


def _link(service_id: str, *, account: str) -> str | None:
    """Build a service's page from the account's name, as Deck does (deck-gate facts, section 6); None without one."""
    return f"https://{account}.pagerduty.com/service-directory/{service_id}" if account else None


def _owner_warning(owner: Owner) -> str | None:
    if owner.label is None:
        return "No PagerDuty service is chosen: nobody would be paged."
    if owner.service is None:
        return "The catalog knows no service with this key; PagerDuty may still accept it."
    if owner.service.warning:
        return f"PagerDuty service {owner.service.name!r}: {owner.service.warning}."
    if not owner.oncalls and owner.oncalls_unknown:
        return f"Who is on call for this service is not known: {owner.oncalls_unknown}"
    if not owner.oncalls:
        return "Nobody is on call for this service, as far as the catalog knows."
    return None


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="milliseconds")


def _age(instant: datetime | None, now: datetime) -> int | None:
    return None if instant is None else max(int((now - instant).total_seconds()), 0)
