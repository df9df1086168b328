"""The records of an incident: what opened it, its alert, its history."""

from __future__ import annotations

from collections import deque
from datetime import datetime

import msgspec

from masthead.simulator.organisation import Policy, Route, Service, User

__all__ = ["Agent", "Alert", "Incident", "LogEntry", "Note", "Opening", "Signal"]

_LOG_KEPT = 100


class Agent(msgspec.Struct, frozen=True):
    """Who did something: a user, or the integration or service through which an event came."""

    type: str
    id: str
    name: str

    @classmethod
    def of_user(cls, user: User) -> Agent:
        """Give the agent that *user* is."""
        return cls("user_reference", user.id, user.name)

    @classmethod
    def of_route(cls, route: Route) -> Agent:
        """Give the agent that an event over *route* is."""
        if route.integration is None:
            return cls("service_reference", route.service.id, route.service.name)
        return cls(f"{route.integration.type}_reference", route.integration.id, route.integration.name)


class Signal(msgspec.Struct, frozen=True):
    """A valid event, whichever API it came through."""

    protocol: str
    action: str
    dedup_key: str
    summary: str
    severity: str | None
    body: bytes


class Alert(msgspec.Struct):
    """The alert that belongs to an incident on a service that makes alerts."""

    id: str
    key: str
    summary: str
    severity: str | None
    body: bytes


class LogEntry(msgspec.Struct, frozen=True):
    """One line of an incident's history."""

    id: str
    at: datetime
    type: str
    summary: str
    agent: Agent


class Note(msgspec.Struct, frozen=True):
    """A remark somebody left on an incident."""

    id: str
    at: datetime
    user: Agent
    content: str


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What an incident is opened with."""

    service: Service
    policy: Policy
    key: str
    title: str
    urgency: str
    agent: Agent
    assignees: list[User]
    #: The routing key of an event; None when a person opened it by REST.
    routing_key: str | None = None
    alert: Alert | None = None
    details: str = ""


class Incident(msgspec.Struct, kw_only=True):
    """One incident; ``opening`` never changes, the rest does."""

    id: str
    number: int
    opening: Opening
    created_at: datetime
    changed_at: datetime
    changed_by: Agent
    visible_from: float
    assigned: list[User]
    status: str = "triggered"
    events: int = 1
    acknowledged: list[tuple[datetime, Agent]] = []
    resolved_at: datetime | None = None
    resolution: str | None = None
    notes: list[Note] = []
    log: deque[LogEntry] = msgspec.field(default_factory=lambda: deque(maxlen=_LOG_KEPT))

    @property
    def is_open(self) -> bool:
        """Say whether it still waits to be resolved."""
        return self.status != "resolved"
