"""Services, integrations and on-calls as PagerDuty's REST API gives them.

Source: PagerDuty facts A.6; compatibility facts 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from masthead.kernel.secret import Secret
from masthead.pagerduty import Protocol

__all__ = ["Integration", "OnCall", "Service", "read_oncall", "read_service"]


@dataclass(frozen=True, slots=True)
class Integration:
    """One way of a service to take events."""

    id: str
    type: str
    name: str
    #: None when it has none, or when the token may not see it.
    key: Secret | None

    @property
    def protocol(self) -> Protocol | None:
        """The Events API it understands, or None when it takes no events of ours.

        ``generic_events_api*`` is v1, ``events_api_v2*`` is v2 (with ``_inbound_integration`` or ``_reference``).
        """
        if self.type.startswith("generic_events_api"):
            return Protocol.V1
        if self.type.startswith("events_api_v2"):
            return Protocol.V2
        return None


@dataclass(frozen=True, slots=True)
class Service:
    """A PagerDuty service."""

    id: str
    name: str
    #: active, warning, critical, maintenance or disabled.
    status: str
    policy_id: str | None
    policy_name: str
    teams: tuple[str, ...]
    html_url: str | None
    #: ISO 8601 as PagerDuty wrote it.
    last_incident_at: str | None
    integrations: tuple[Integration, ...]

    def usable(self, *, prefer_v1: bool = False) -> Integration | None:
        """Give the integration whose key is offered: the first in the list that can take an event.

        Args:
            prefer_v1: Take the first of Events v1 if there is one, as Gate does.
        """
        able = [one for one in self.integrations if one.protocol and one.key]
        if prefer_v1 and (first_v1 := next((one for one in able if one.protocol is Protocol.V1), None)):
            return first_v1
        return able[0] if able else None

    @property
    def unusable_reason(self) -> str | None:
        """Say why nobody can be paged through this service, or None when it has a usable key."""
        if self.usable():
            return None
        if not self.integrations:
            return "it has no integration; add an Events API v2 integration in PagerDuty"
        if any(one.protocol for one in self.integrations):
            return "the token may not see its integration key"
        kinds = ", ".join(
            sorted({one.type.removesuffix("_inbound_integration") for one in self.integrations})
        )
        return (
            f"none of its integrations takes events ({kinds}); add an Events API v2 integration in PagerDuty"
        )

    @property
    def warning(self) -> str | None:
        """Say why a page through this service would wake nobody now, or None."""
        states = {
            "disabled": "it is disabled: PagerDuty takes events and opens no incident",
            "maintenance": "it is in maintenance: PagerDuty takes events and opens no incident",
        }
        return states.get(self.status)


@dataclass(frozen=True, slots=True)
class OnCall:
    """Somebody who is on call at a level of an escalation policy."""

    policy_id: str | None
    policy_name: str
    level: int
    user_id: str | None
    #: "Nobody" when PagerDuty names no user.
    user_name: str
    user_url: str | None
    schedule_name: str | None
    #: ISO 8601; None: always.
    start: str | None
    #: ISO 8601; None: never off.
    end: str | None
    #: As PagerDuty returned it.
    document: Mapping[str, Any]


def read_service(document: Mapping[str, Any]) -> Service:
    """Read a service, whatever of it is missing."""
    policy = document.get("escalation_policy") or {}
    return Service(
        id=str(document.get("id", "")),
        name=str(document.get("name") or document.get("summary") or document.get("id", "")),
        status=str(document.get("status") or ""),
        policy_id=policy.get("id"),
        policy_name=str(policy.get("name") or policy.get("summary") or ""),
        teams=tuple(str(team.get("summary") or team.get("name")) for team in document.get("teams") or ()),
        html_url=document.get("html_url"),
        last_incident_at=document.get("last_incident_timestamp"),
        integrations=tuple(_integration(one) for one in document.get("integrations") or ()),
    )


def _integration(document: Mapping[str, Any]) -> Integration:
    key = document.get("integration_key")
    return Integration(
        id=str(document.get("id", "")),
        type=str(document.get("type", "")),
        name=str(document.get("name") or document.get("summary") or ""),
        key=Secret(str(key)) if key else None,
    )


def read_oncall(document: Mapping[str, Any]) -> OnCall:
    """Read an on-call entry, whatever of it is missing."""
    policy, user, schedule = (document.get(name) or {} for name in ("escalation_policy", "user", "schedule"))
    return OnCall(
        policy_id=policy.get("id"),
        policy_name=str(policy.get("summary") or policy.get("name") or ""),
        level=int(document.get("escalation_level") or 0),
        user_id=user.get("id"),
        user_name=str(user.get("summary") or user.get("name") or "Nobody"),
        user_url=user.get("html_url"),
        schedule_name=schedule.get("summary") or schedule.get("name"),
        start=document.get("start"),
        end=document.get("end"),
        document=document,
    )
