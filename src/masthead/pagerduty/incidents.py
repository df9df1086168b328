"""What became of an event: incidents by their key, those of a service, and whether the service can open any.

Source: PagerDuty facts A.2 ("202 is no incident"), A.6 (services), A.7 (``incident_key`` of an answer may be null, while
the filter finds alerts' keys too). GET /incidents looks back one month only unless ``date_range=all`` is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty.bodies import sent_dedup_key
from masthead.pagerduty.pages import Params
from masthead.pagerduty.rest import RestClient

__all__ = ["IncidentSeen", "IncidentsReader", "RestIncidents", "ServiceSeen"]

_OPEN = ("triggered", "acknowledged")
_ALL = (*_OPEN, "resolved")
#: Incidents of one key that are looked at, newest first: a key that people chose may have been used for years.
_OF_KEY = 25
#: Open incidents of one service that are looked at, newest first; PagerDuty's largest page (facts A.5).
_OF_SERVICE = 100


@dataclass(frozen=True, slots=True)
class IncidentSeen:
    """An incident as PagerDuty shows it now; instants are by our clock, see :class:`RestIncidents`."""

    id: str
    number: int | None
    #: triggered, acknowledged or resolved; whatever else PagerDuty may say one day.
    status: str
    url: str | None
    service_id: str | None
    #: Names of those it is assigned to, or of who acknowledged it; PagerDuty empties it when it is resolved.
    assignees: tuple[str, ...]
    created_at: datetime | None
    updated_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """A service as PagerDuty shows it now."""

    id: str
    #: active, warning, critical, maintenance or disabled.
    status: str
    policy_id: str | None


class IncidentsReader(Protocol):
    """What proof reads through; a fake stands in :mod:`masthead.pagerduty.fakes`.

    Each is one request, made once: a failure is raised at once, and it is for the caller to come again.

    Raises:
        OutsideFailure: with reason, and ``retry_after`` where PagerDuty gave it.
    """

    async def by_key(self, dedup_key: str) -> list[IncidentSeen]:
        """Give the incidents of a dedup key, whatever their state and age, newest first, 25 at most."""
        ...

    async def open_of_service(self, service_id: str) -> list[IncidentSeen]:
        """Give the triggered and acknowledged incidents of a service, newest first, 100 at most."""
        ...

    async def service(self, service_id: str) -> ServiceSeen:
        """Give a service's present state."""
        ...


class RestIncidents:
    """Incidents of one account over its REST client, whose pace it shares.

    PagerDuty's instants are moved to our clock where ours goes ahead, by the ``Date`` of the answer, and never back:
    neither a clock of ours that is wrong nor one that was set back makes a new incident look old.
    """

    def __init__(self, client: RestClient) -> None:
        self._client = client

    async def by_key(self, dedup_key: str) -> list[IncidentSeen]:
        """Give the incidents of a dedup key, whatever their state and age, newest first, 25 at most."""
        return await self._incidents(("incident_key", sent_dedup_key(dedup_key)), _ALL, limit=_OF_KEY)

    async def open_of_service(self, service_id: str) -> list[IncidentSeen]:
        """Give the triggered and acknowledged incidents of a service, newest first, 100 at most."""
        return await self._incidents(("service_ids[]", service_id), _OPEN, limit=_OF_SERVICE)

    async def service(self, service_id: str) -> ServiceSeen:
        """Give a service's present state."""
        answer = await self._client.get(f"/services/{quote(service_id, safe='')}", is_patient=False)
        document = _object(answer.get("service"))
        if not document.get("status"):
            raise _not_understood("service")
        policy = _object(document.get("escalation_policy"))
        return ServiceSeen(service_id, str(document["status"]), _text(policy.get("id")))

    async def _incidents(
        self, which: tuple[str, str], statuses: Sequence[str], *, limit: int
    ) -> list[IncidentSeen]:
        params: Params = [
            which,
            *(("statuses[]", status) for status in statuses),
            ("date_range", "all"),
            ("sort_by", "created_at:desc"),
            ("limit", str(limit)),
        ]
        answer = await self._client.get("/incidents", params, is_patient=False)
        documents = answer.get("incidents")
        if not isinstance(documents, list):
            raise _not_understood("list of incidents")
        lead = timedelta(seconds=max(self._client.clock_lead_s, 0))
        return [_read(one, lead) for one in documents if isinstance(one, Mapping) and one.get("id")]


def _read(document: Mapping[str, Any], lead: timedelta) -> IncidentSeen:
    """Read an incident, whatever of it is missing or odd."""
    number = document.get("incident_number")
    return IncidentSeen(
        id=str(document["id"]),
        number=number if isinstance(number, int) and not isinstance(number, bool) else None,
        status=str(document.get("status") or ""),
        url=_text(document.get("html_url")),
        service_id=_text(_object(document.get("service")).get("id")),
        assignees=_acknowledgers(document) or _people(document.get("assignments"), "assignee"),
        created_at=_instant(document.get("created_at"), lead),
        updated_at=_instant(document.get("updated_at") or document.get("last_status_change_at"), lead),
        resolved_at=_instant(document.get("resolved_at"), lead),
    )


def _acknowledgers(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Give who acknowledged it, people or services; nobody while it is not acknowledged."""
    if document.get("status") != "acknowledged":
        return ()
    return _people(document.get("acknowledgements"), "acknowledger")


def _people(entries: Any, role: str) -> tuple[str, ...]:
    documents = entries if isinstance(entries, list) else []
    people = [_object(_object(one).get(role)) for one in documents]
    names = [_text(person.get("summary") or person.get("name")) for person in people]
    return tuple(dict.fromkeys(name for name in names if name))


def _instant(text: Any, lead: timedelta) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC) + lead


def _not_understood(what: str) -> OutsideFailure:
    return OutsideFailure(
        f"PagerDuty's answer has no {what}; check that the base URL is PagerDuty's.", reason=Reason.ANSWER
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return str(value) if value else None
