"""What the pages show and do: the domain's objects, filled in by the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from masthead.access import Access
from masthead.applications import Applications
from masthead.catalog import Catalog, Roster
from masthead.config import Settings
from masthead.executions import Executions
from masthead.kernel.clock import Clock
from masthead.kernel.ids import Ids
from masthead.ownership import Lint, Ownership, Preflights
from masthead.paging import Paging
from masthead.paging.audit import Audit
from masthead.pipelines import Pipelines
from masthead.telemetry.diagnosis import Diagnose

__all__ = ["HealthCheck", "WebServices"]

#: Gives the components of the health document: name → ``{"status": "UP" | "DOWN" | "UNKNOWN", …}``.
HealthCheck = Callable[[], Awaitable[Mapping[str, Mapping[str, Any]]]]


@dataclass(frozen=True, kw_only=True)
class WebServices:
    """Everything a page may call; pages hold no rules of their own."""

    applications: Applications
    catalog: Catalog
    ownership: Ownership
    pipelines: Pipelines
    executions: Executions
    paging: Paging
    audit: Audit
    settings: Settings
    clock: Clock
    ids: Ids
    health: HealthCheck
    version: str
    preflights: Preflights
    lint: Lint
    roster: Roster
    access: Access
    #: Looks this server over; None without one.
    diagnose: Diagnose | None = None
