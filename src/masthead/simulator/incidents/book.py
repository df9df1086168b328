"""The incidents of the account: what opens one, what joins one, who acknowledges and resolves it.

Source of the rules: PagerDuty's developer documentation, "Events API v1/v2" and "Incidents" - a resolved
key never reopens, acknowledge and resolve work only through the routing key that triggered, and nobody
on call, maintenance or a disabled service mean that an accepted event opens nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from masthead.simulator.clock import Clock
from masthead.simulator.incidents.records import Agent, Alert, Incident, LogEntry, Note, Opening, Signal
from masthead.simulator.oncall import first_on_call
from masthead.simulator.organisation import Directory, Route, Service, User
from masthead.simulator.settings import Settings

__all__ = ["IncidentBook", "Listener"]

#: Called with ``incident.triggered`` and so on, the incident, and who did it.
Listener = Callable[[str, Incident, Agent], None]
_OpenKey = tuple[str, str | None, str]


class IncidentBook:
    """All incidents, oldest first, with the indices that events and REST need."""

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        settings: Callable[[], Settings],
        *,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._settings = settings
        self._listeners = listeners
        self._all: dict[str, Incident] = {}
        self._open: dict[_OpenKey, Incident] = {}
        self._resolved: dict[str, None] = {}
        self._by_key: dict[str, list[Incident]] = {}
        self._by_service: dict[str, dict[str, Incident]] = {}
        self._last_at: dict[str, datetime] = {}
        self._count = 0

    # -- events ---------------------------------------------------------------------------------

    def receive(self, signal: Signal, route: Route) -> tuple[str, Incident | None]:
        """Do what *signal* asks and say what became of it, in a few words."""
        known = self._open.get((route.service.id, route.key, signal.dedup_key))
        agent = Agent.of_route(route)
        if signal.action == "trigger":
            return self._join(known, signal, agent) if known else self._trigger(signal, route, agent)
        if known is None:
            return "dropped: no open incident with this key", None
        status = "acknowledged" if signal.action == "acknowledge" else "resolved"
        self.set_status(known, status, agent)
        return status, known

    def _join(self, incident: Incident, signal: Signal, agent: Agent) -> tuple[str, Incident]:
        incident.events += 1
        if incident.opening.alert is not None:
            incident.opening.alert.severity = signal.severity
        self._log(incident, "trigger_log_entry", f"Triggered again: {signal.summary}", agent)
        return "appended", incident

    def _trigger(self, signal: Signal, route: Route, agent: Agent) -> tuple[str, Incident | None]:
        service = route.service
        policy = self._directory.policies[service.policy]
        assignees = first_on_call(self._directory, policy, self._clock.now())
        reason = _why_not(service, signal, assignees)
        if reason:
            return f"not opened: {reason}", None
        opening = Opening(
            service=service,
            policy=policy,
            key=signal.dedup_key,
            title=signal.summary,
            urgency=_urgency(service, signal.severity),
            agent=agent,
            assignees=assignees,
            routing_key=route.key,
            alert=self._alert(service, signal),
        )
        return "opened", self.open(opening)

    def _alert(self, service: Service, signal: Signal) -> Alert | None:
        if service.alert_creation == "create_incidents":
            return None
        id_ = _long_id("alert", self._count + 1)
        return Alert(id_, signal.dedup_key, signal.summary, signal.severity, signal.body)

    # -- people ---------------------------------------------------------------------------------

    def open(self, opening: Opening) -> Incident:
        """Open an incident; the caller has made sure that none is open under its key."""
        self._count += 1
        now = self._clock.now()
        incident = Incident(
            id=_long_id("incident", self._count),
            number=self._count,
            opening=opening,
            created_at=now,
            changed_at=now,
            changed_by=opening.agent,
            visible_from=self._clock.monotonic() + self._settings().incident_delay_ms / 1000,
            assigned=list(opening.assignees),
        )
        self._all[incident.id] = incident
        self._open[_open_key(incident)] = incident
        self._by_key.setdefault(opening.key, []).append(incident)
        self._by_service.setdefault(opening.service.id, {})[incident.id] = incident
        self._last_at[opening.service.id] = now
        self._log(incident, "trigger_log_entry", f"Triggered through {opening.agent.name}", opening.agent)
        self._tell("incident.triggered", incident, opening.agent)
        self._make_room()
        return incident

    def set_status(self, incident: Incident, status: str, agent: Agent) -> None:
        """Acknowledge or resolve *incident*; a resolved one stays as it is."""
        if not incident.is_open:
            return
        now = self._clock.now()
        incident.status, incident.changed_at, incident.changed_by = status, now, agent
        if status == "acknowledged":
            incident.acknowledged = [*incident.acknowledged, (now, agent)]
            self._log(incident, "acknowledge_log_entry", f"Acknowledged by {agent.name}", agent)
        else:
            self._resolve(incident, now)
            self._log(incident, "resolve_log_entry", f"Resolved by {agent.name}", agent)
        self._tell(f"incident.{status}", incident, agent)

    def annotate(self, incident: Incident, content: str, agent: Agent) -> Note:
        """Leave a remark on *incident*."""
        note = Note(
            _long_id(f"note/{incident.id}", len(incident.notes) + 1), self._clock.now(), agent, content
        )
        incident.notes = [*incident.notes, note]
        self._log(incident, "annotate_log_entry", f"Note added by {agent.name}", agent)
        self._tell("incident.annotated", incident, agent)
        return note

    def _resolve(self, incident: Incident, now: datetime) -> None:
        incident.resolved_at, incident.assigned = now, []
        self._open.pop(_open_key(incident), None)
        self._by_service.get(incident.opening.service.id, {}).pop(incident.id, None)
        self._resolved[incident.id] = None

    # -- questions ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Incident]:
        return iter(self._all.values())

    def find(self, text: str) -> Incident | None:
        """Give the incident with this id or number."""
        if text.isdecimal():
            return next((found for found in self if found.number == int(text)), None)
        return self._all.get(text)

    def with_key(self, key: str) -> list[Incident]:
        """Give all incidents that were opened with this incident key or alert key, oldest first."""
        return list(self._by_key.get(key, ()))

    def open_with(self, service_id: str, key: str) -> Incident | None:
        """Give the open incident of a service with this key, whoever opened it."""
        for incident in self._by_key.get(key, ()):
            if incident.is_open and incident.opening.service.id == service_id:
                return incident
        return None

    def is_visible(self, incident: Incident) -> bool:
        """Say whether REST shows it already."""
        return incident.visible_from <= self._clock.monotonic()

    def status_of(self, service: Service) -> str:
        """Give a service's status as REST shows it: open incidents make it warning or critical."""
        waiting = self._by_service.get(service.id)
        if service.status != "active" or not waiting:
            return service.status
        return "critical" if any(i.status == "triggered" for i in waiting.values()) else "warning"

    def last_at(self, service: Service) -> datetime | None:
        """Give when a service's newest incident was opened."""
        return self._last_at.get(service.id)

    # -- inside ---------------------------------------------------------------------------------

    def _log(self, incident: Incident, type_: str, summary: str, agent: Agent) -> None:
        id_ = _long_id(f"log/{incident.id}/{type_}/{incident.events}", len(incident.log) + 1)
        incident.log.append(LogEntry(id_, self._clock.now(), type_, summary, agent))

    def _tell(self, event: str, incident: Incident, agent: Agent) -> None:
        for listener in self._listeners:
            listener(event, incident, agent)

    def _make_room(self) -> None:
        while len(self._all) > self._settings().keep_incidents:
            id_ = next(iter(self._resolved or self._all))
            self._forget(self._all[id_])

    def _forget(self, incident: Incident) -> None:
        if incident.is_open:
            self._resolve(incident, self._clock.now())
        self._resolved.pop(incident.id, None)
        del self._all[incident.id]
        left = [other for other in self._by_key[incident.opening.key] if other is not incident]
        if left:
            self._by_key[incident.opening.key] = left
        else:
            del self._by_key[incident.opening.key]


def _why_not(service: Service, signal: Signal, assignees: list[User]) -> str:
    """Say why *signal* opens nothing; empty when it does."""
    if service.status == "disabled":
        return "the service is disabled"
    if service.status == "maintenance":
        return "the service is in maintenance"
    if signal.severity in service.suppress:
        return "suppressed by the service's event rules"
    if signal.protocol == "v2" and service.alert_creation == "create_incidents":
        return "Events v2 needs a service that creates alerts and incidents"
    if not assignees:
        return "nobody is on call"
    return ""


def _urgency(service: Service, severity: str | None) -> str:
    if service.urgency == "severity_based":
        return "low" if severity in ("warning", "info") else "high"
    return service.urgency


def _open_key(incident: Incident) -> _OpenKey:
    opening = incident.opening
    return opening.service.id, opening.routing_key, opening.key


def _long_id(kind: str, number: int) -> str:
    """Make one of PagerDuty's longer ids: ``Q`` and thirteen characters."""
    value = int.from_bytes(hashlib.sha256(f"{kind}/{number}".encode()).digest()[:10], "big")
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "Q" + "".join(digits[value // 36**place % 36] for place in range(13))
