"""Services and on-calls as PagerDuty writes them."""

from __future__ import annotations

from typing import Any

from masthead.pagerduty import Collected

V1 = "generic_events_api_inbound_integration"
V2 = "events_api_v2_inbound_integration"
TYPES = {"v1": V1, "v2": V2, "mail": "generic_email_inbound_integration"}


def key_of(text: str) -> str:
    """A key as long as PagerDuty's, the same for the same text."""
    return text.encode().hex().ljust(32, "0")[:32]


def service(name: str, *integrations: str, **changes: Any) -> dict[str, Any]:
    """A service with the integrations "v1", "v2" or "mail", each with a key named after both."""
    id_ = changes.pop("id", f"P{name.upper()}")
    return {
        "id": id_,
        "name": name,
        "status": "active",
        "escalation_policy": {
            "id": f"E{id_}",
            "type": "escalation_policy_reference",
            "summary": f"{name} policy",
        },
        "teams": [{"id": "PTEAM", "summary": "Platform"}],
        "html_url": f"https://example.pagerduty.com/service-directory/{id_}",
        "last_incident_timestamp": "2026-11-22T00:00:00Z",
        "integrations": [
            {
                "id": f"{id_}{place}",
                "type": TYPES[kind],
                "name": kind,
                "integration_key": key_of(f"{name}{place}"),
            }
            for place, kind in enumerate(integrations or ("v2",))
        ],
    } | changes


def oncall(
    policy: str, user: str | None, *, level: int = 1, end: str | None = None, **changes: Any
) -> dict[str, Any]:
    """Somebody on call for the policy of the service *policy*."""
    return {
        "escalation_policy": {"id": f"EP{policy.upper()}", "summary": f"{policy} policy"},
        "escalation_level": level,
        "user": user
        and {"id": f"U{user.upper()}", "summary": user, "html_url": f"https://example.com/{user}"},
        "schedule": {"id": "S1", "summary": "Nights"},
        "start": None,
        "end": end,
    } | changes


def whole(*items: dict[str, Any]) -> Collected:
    """A list that came completely."""
    return Collected(list(items), total=len(items))
