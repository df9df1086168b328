"""What is looked up when somebody scrapes: how much waits, how old the catalog is, who is alive.

A reading is an awaitable that the server hands in, because the numbers belong to packages above this one. A reading
that fails or is slow costs its own metrics and nothing else; ``masthead_reading_failed`` then says which.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from masthead.kernel.errors import StorageUnavailable

__all__ = ["Backlog", "BudgetUse", "CatalogSize", "Readings"]

log = structlog.get_logger(__name__)
#: Prometheus gives a scrape ten seconds by default; what is slower than this is left out.
_PATIENCE_S = 4.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is pending."""

    #: Number of deliveries: "sending", "waiting" for another attempt, "folded" into another's event.
    deliveries: Mapping[str, int]
    #: Seconds since the oldest of them was asked for; 0 when nothing is pending.
    oldest_age_s: float


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """How near routing keys are to their limit, as this machine counts them."""

    #: 0 to 1, of the most used key.
    used_part: float
    keys_at_limit: int


@dataclass(frozen=True, slots=True)
class CatalogSize:
    """What one account's catalog knows, and how old that is in seconds; an age of None: it never came."""

    account: str
    services: int
    oncalls: int
    services_age_s: float | None
    oncalls_age_s: float | None


@dataclass(frozen=True, slots=True)
class Readings:
    """Where the numbers come from; one that is None has no metrics."""

    backlog: Callable[[], Awaitable[Backlog]] | None = None
    budget: Callable[[], BudgetUse] | None = None
    #: The accounts that have a REST token.
    catalogs: Callable[[], Sequence[CatalogSize]] | None = None
    machines_alive: Callable[[], Awaitable[int]] | None = None
    executions_unfinished: Callable[[], Awaitable[int]] | None = None

    async def take(self) -> list[Metric]:
        """Read all of them at once and give their families; never raises for what failed."""
        named: dict[str, Awaitable[Any]] = {
            name: asyncio.wait_for(read(), _PATIENCE_S)
            for name, read in (
                ("backlog", self.backlog),
                ("machines", self.machines_alive),
                ("executions", self.executions_unfinished),
            )
            if read is not None
        }
        results = dict(zip(named, await asyncio.gather(*map(_tried, named.values())), strict=True))
        families: list[Metric] = [_failed({name: result is None for name, result in results.items()})]
        if backlog := results.get("backlog"):
            families += _backlog(backlog)
        if (alive := results.get("machines")) is not None:
            families.append(
                _one("masthead_machines_alive", "Processes on this database that are alive.", alive)
            )
        if (unfinished := results.get("executions")) is not None:
            families.append(
                _one("masthead_executions_unfinished", "Executions that have not ended.", unfinished)
            )
        if self.budget is not None:
            families += _budget(self.budget())
        if self.catalogs is not None:
            families += _catalogs(self.catalogs())
        return families


async def _tried(reading: Awaitable[Any]) -> Any:
    """Give the reading, or None when the database does not answer, or not in time."""
    try:
        return await reading
    except (StorageUnavailable, TimeoutError) as error:
        log.warning("metrics.not-read", error=str(error) or "no answer in time")
        return None


def _one(name: str, doc: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, doc, value=value)


def _failed(readings: Mapping[str, bool]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "masthead_reading_failed",
        "1 where the database did not answer this scrape: the metrics of that reading are missing.",
        labels=("reading",),
    )
    for name, has_failed in readings.items():
        family.add_metric((name,), float(has_failed))
    return family


def _backlog(backlog: Backlog) -> list[GaugeMetricFamily]:
    pending = GaugeMetricFamily(
        "masthead_deliveries_pending", "Deliveries that are not decided, by what they do.", labels=("doing",)
    )
    for doing, count in backlog.deliveries.items():
        pending.add_metric((doing,), count)
    oldest = _one(
        "masthead_oldest_pending_age_seconds",
        "Since the oldest pending delivery was asked for; 0 when nothing is pending.",
        backlog.oldest_age_s,
    )
    return [pending, oldest]


def _budget(use: BudgetUse) -> list[GaugeMetricFamily]:
    return [
        _one(
            "masthead_budget_used_ratio",
            "Used part of the most used routing key's budget, as this machine counts.",
            use.used_part,
        ),
        _one(
            "masthead_keys_at_budget_limit",
            "Routing keys that have no budget left now, as this machine counts.",
            use.keys_at_limit,
        ),
    ]


def _catalogs(sizes: Sequence[CatalogSize]) -> Iterator[GaugeMetricFamily]:
    entries = GaugeMetricFamily(
        "masthead_catalog_entries", "What the catalog knows.", labels=("account", "kind")
    )
    age = GaugeMetricFamily(
        "masthead_catalog_age_seconds",
        "Since PagerDuty last gave the list; +Inf when it never did.",
        labels=("account", "kind"),
    )
    for size in sizes:
        entries.add_metric((size.account, "services"), size.services)
        entries.add_metric((size.account, "oncalls"), size.oncalls)
        age.add_metric((size.account, "services"), _seconds(size.services_age_s))
        age.add_metric((size.account, "oncalls"), _seconds(size.oncalls_age_s))
    yield from (entries, age)


def _seconds(age_s: float | None) -> float:
    return math.inf if age_s is None else max(age_s, 0.0)
