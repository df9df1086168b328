"""What the doors open to: the domain's objects, filled in by the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from masthead.access import Access
from masthead.api.body import Limits
from masthead.applications import Applications
from masthead.catalog import Catalog
from masthead.config import Settings
from masthead.executions import Executions
from masthead.kernel.clock import Clock
from masthead.kernel.ids import Ids
from masthead.ownership import CheckKey, Lint, Ownership, Preflights
from masthead.pagerduty import Protocol
from masthead.paging import Paging
from masthead.paging.audit import Audit
from masthead.pipelines import Pipelines
from masthead.telemetry.diagnosis import Diagnose
from masthead.telemetry.metrics import Metrics
from masthead.triggers import Triggers

__all__ = ["HealthCheck", "Services"]

#: Gives the components of Spring's health document: name → ``{"status": "UP" | "DOWN" | "UNKNOWN", …}``.
HealthCheck = Callable[[], Awaitable[Mapping[str, Mapping[str, Any]]]]


@dataclass(frozen=True)
class Services:
    """Everything a handler may call; handlers hold no rules of their own."""

    applications: Applications
    pipelines: Pipelines
    executions: Executions
    triggers: Triggers
    paging: Paging
    audit: Audit
    catalog: Catalog
    ownership: Ownership
    settings: Settings
    clock: Clock
    ids: Ids
    health: HealthCheck
    version: str
    metrics: Metrics = field(default_factory=Metrics)
    #: Looks this server over; None without one.
    diagnose: Diagnose | None = None
    #: Who may ask; the server gives the real one, a test without it lets everybody in.
    access: Access = field(default_factory=Access.unguarded)
    #: Asks PagerDuty whether it takes a key; None where nobody can be asked.
    check_key: CheckKey | None = None

    @cached_property
    def limits(self) -> Limits:
        """What a request may bring."""
        server = self.settings.server
        return Limits(body_bytes=server.max_body_bytes, body_depth=server.max_depth)

    @cached_property
    def preflights(self) -> Preflights:
        """What finds out what a page would do."""
        events = self.settings.events
        return Preflights(
            self.applications,
            self.catalog,
            self.clock,
            unknown_key_protocol=Protocol(events.unknown_key_protocol),
            prefer_v1=events.prefer_v1,
            is_enabled=events.enabled,
        )

    @cached_property
    def lint(self) -> Lint:
        """What looks at applications and pipelines before it matters."""
        return Lint(
            self.applications,
            self.pipelines,
            self.preflights,
            is_required=self.settings.deck.required,
            check_key=self.check_key,
        )
