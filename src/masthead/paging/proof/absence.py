"""Why an accepted event opened no incident: what PagerDuty says of the service, and what can only be concluded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from masthead.catalog import CatalogState, OnCall, Service
from masthead.kernel.clock import Clock, from_ms
from masthead.kernel.errors import OutsideFailure, Reason
from masthead.pagerduty import IncidentSeen, IncidentsReader, ServiceSeen
from masthead.paging.model import Incident, IncidentState, NotOpened
from masthead.paging.proof.rate import Rate
from masthead.paging.proof.rows import Sought
from masthead.paging.proof.verdict import already_open

__all__ = ["Absence", "OnCallBook"]

#: States of a service in which PagerDuty takes events and opens nothing (facts A.2, A.6).
_CLOSED = {"disabled": NotOpened.DISABLED, "maintenance": NotOpened.MAINTENANCE}
#: States of a service that has open incidents (facts A.6).
_BUSY = ("warning", "critical")
#: For so long a service's state is taken for that of the next delivery too: many are told of it at once.
_FRESH_S = 5.0
_MOST_KEPT = 1000
_UNKNOWN = Incident(IncidentState.UNKNOWN)
_LEEWAY = timedelta(seconds=5)


class OnCallBook(Protocol):
    """What is asked of the catalog."""

    @property
    def state(self) -> CatalogState:
        """Whether all of it is known."""
        ...

    def service(self, service_id: str) -> Service | None:
        """Give the service with this id, or None."""
        ...

    def oncalls_of(self, policy_id: str | None) -> Sequence[OnCall]:
        """Give who is on call for an escalation policy."""
        ...


class Absence:
    """Finds the reason, for one account."""

    def __init__(self, reader: IncidentsReader, rate: Rate, catalog: OnCallBook, clock: Clock) -> None:
        self._reader = reader
        self._rate = rate
        self._catalog = catalog
        self._clock = clock
        self._fresh: dict[str, tuple[float, ServiceSeen | None]] = {}

    async def early(self, sought: Sought) -> Incident | None:
        """Give the reason before the wait is over, where the service can open nothing; None: not known yet.

        Asks PagerDuty only where the catalog says that it is so.
        """
        known = self._catalog.service(sought.service_id or "")
        if known is None or known.status not in _CLOSED:
            return None
        service = await self._service(known.id)
        return _closed(service)

    async def why(self, sought: Sought) -> Incident:
        """Give the reason now that the wait is over; state *unknown* where nobody can tell.

        Raises:
            OutsideFailure: PagerDuty did not say; to be asked again later.
        """
        if sought.service_id is None:
            return (
                _UNKNOWN  # perhaps another account's key: an incident may stand where this token does not see
            )
        service = await self._service(sought.service_id)
        if service is None:
            return _UNKNOWN
        if closed := _closed(service):
            return closed
        if grouped := await self._grouped(service, sought):
            return grouped
        is_nobody = self._is_nobody_on_call(service)
        return _not_opened(NotOpened.NOBODY_ON_CALL if is_nobody else NotOpened.SUPPRESSED, is_inferred=True)

    async def _grouped(self, service: ServiceSeen, sought: Sought) -> Incident | None:
        """An older incident of the service that changed since then has most likely taken the alert in."""
        if service.status not in _BUSY:
            return None
        await self._rate.turn()
        found = await self._reader.open_of_service(service.id)
        took = next((one for one in found if _took(one, sought)), None)
        return already_open(took, sought, is_inferred=True) if took else None

    def _is_nobody_on_call(self, service: ServiceSeen) -> bool:
        state = self._catalog.state
        if not state.is_complete or state.oncalls_fetched_at is None:
            return False
        known = self._catalog.service(service.id)
        policy_id = service.policy_id or (known.policy_id if known else None)
        now = self._clock.now()
        oncalls = self._catalog.oncalls_of(policy_id) if policy_id else ()
        return policy_id is not None and not any(one.user_id and not one.is_over(now) for one in oncalls)

    async def _service(self, service_id: str) -> ServiceSeen | None:
        """Give a service's state, a few seconds old at most; None when PagerDuty does not know it (any more)."""
        now = self._clock.monotonic()
        at, service = self._fresh.get(service_id, (float("-inf"), None))
        if now - at < _FRESH_S:
            return service
        await self._rate.turn()
        try:
            service = await self._reader.service(service_id)
        except OutsideFailure as failure:
            if failure.reason is not Reason.NOT_FOUND:
                raise
            service = None
        if len(self._fresh) >= _MOST_KEPT:
            self._fresh.clear()
        self._fresh[service_id] = self._clock.monotonic(), service
        return service


def _closed(service: ServiceSeen | None) -> Incident | None:
    reason = _CLOSED.get(service.status) if service else None
    return _not_opened(reason) if reason else None


def _took(one: IncidentSeen, sought: Sought) -> bool:
    if one.created_at is None or one.updated_at is None:
        return False
    is_older = one.created_at < from_ms(sought.created_at) - _LEEWAY
    return is_older and one.updated_at >= from_ms(sought.accepted_at)


def _not_opened(reason: NotOpened, *, is_inferred: bool = False) -> Incident:
    return Incident(IncidentState.NOT_OPENED, reason, is_inferred=is_inferred)
