"""Services, integrations and on-calls as PagerDuty's REST API gives them, read so that nothing odd breaks the list.

Source: PagerDuty facts A.6; compatibility facts 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from masthead.kernel.secret import Secret
from masthead.pagerduty import Protocol

__all__ = ["Integration", "OnCall", "Service", "read_oncall", "read_service", "write_service"]


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
    #: In PagerDuty's order, which decides whose key is offered.
    integrations: tuple[Integration, ...]
    #: The PagerDuty account that it belongs to.
    account: str = "default"

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
            return (
                "the token may not see its integration key; use one that may, such as an account-level token"
            )
        kinds = ", ".join(sorted({_short(one.type) for one in self.integrations}))
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
    #: 1 is paged first.
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
    #: The PagerDuty account that the policy belongs to.
    account: str = "default"

    def is_over(self, now: datetime) -> bool:
        """Whether the shift has ended; one that cannot be read has not."""
        try:
            end = datetime.fromisoformat(self.end or "")
        except ValueError:
            return False
        return (end if end.tzinfo else end.replace(tzinfo=UTC)) <= now


def read_service(document: Mapping[str, Any], *, account: str = "default") -> Service:
    """Read a service of *account*, whatever of it is missing or odd."""
    policy = _object(document.get("escalation_policy"))
    return Service(
        id=_text(document.get("id")),
        name=_text(document.get("name") or document.get("summary") or document.get("id")),
        status=_text(document.get("status")),
        policy_id=_text_or_none(policy.get("id")),
        policy_name=_name(policy),
        teams=tuple(_name(team) for team in _objects(document.get("teams"))),
        html_url=_text_or_none(document.get("html_url")),
        last_incident_at=_text_or_none(document.get("last_incident_timestamp")),
        integrations=tuple(_read_integration(one) for one in _objects(document.get("integrations"))),
        account=account,
    )


def write_service(service: Service) -> dict[str, Any]:
    """Give what Masthead keeps of a service, in PagerDuty's shape: :func:`read_service` gives it back."""
    return {
        "id": service.id,
        "name": service.name,
        "status": service.status,
        "escalation_policy": {"id": service.policy_id, "summary": service.policy_name},
        "teams": [{"summary": team} for team in service.teams],
        "html_url": service.html_url,
        "last_incident_timestamp": service.last_incident_at,
        "integrations": [
            {
                "id": one.id,
                "type": one.type,
                "name": one.name,
                "integration_key": one.key.reveal() if one.key else None,
            }
            for one in service.integrations
        ],
    }


def read_oncall(document: Mapping[str, Any], *, account: str = "default") -> OnCall:
    """Read an on-call entry, whatever of it is missing or odd."""
    policy, user, schedule = (
        _object(document.get(name)) for name in ("escalation_policy", "user", "schedule")
    )
    level = document.get("escalation_level")
    return OnCall(
        policy_id=_text_or_none(policy.get("id")),
        policy_name=_name(policy),
        level=level if isinstance(level, int) else 0,
        user_id=_text_or_none(user.get("id")),
        user_name=_name(user) or "Nobody",
        user_url=_text_or_none(user.get("html_url")),
        schedule_name=_name(schedule) or None,
        start=_text_or_none(document.get("start")),
        end=_text_or_none(document.get("end")),
        document=document,
        account=account,
    )


def _read_integration(document: Mapping[str, Any]) -> Integration:
    key = document.get("integration_key")
    return Integration(
        id=_text(document.get("id")),
        type=_text(document.get("type")),
        name=_text(document.get("name") or document.get("summary")),
        key=Secret(_text(key)) if key else None,
    )


def _short(type_: str) -> str:
    return type_.removesuffix("_reference").removesuffix("_inbound_integration") or "of no type"


def _name(document: Mapping[str, Any]) -> str:
    """References carry a summary, whole objects a name too."""
    return _text(document.get("summary") or document.get("name"))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _text_or_none(value: Any) -> str | None:
    return str(value) if value else None
