"""Where the numbers come from that are looked up at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from masthead.catalog import CatalogState
from masthead.executions import BURST as EXECUTION
from masthead.kernel.clock import Clock, to_ms
from masthead.paging.backlog import count_pending
from masthead.storage.census import count_bursts, count_machines
from masthead.storage.database import Database
from masthead.storage.machines import Rhythm
from masthead.telemetry.readings import Backlog, BudgetUse, CatalogSize, Readings

__all__ = ["readings_of"]


def readings_of(
    database: Database,
    clock: Clock,
    *,
    catalogs: Callable[[], Mapping[str, CatalogState]],
    budget: Callable[[], tuple[float, int]] | None = None,
) -> Readings:
    """Give the readings of a running Masthead.

    Args:
        database: What counts are read from.
        clock: What ages are measured by.
        catalogs: Account to the state of its catalog; one without a token is left out of the metrics.
        budget: The used part of the most used key's budget (0 to 1) and the number of keys that have none left.
    """

    async def backlog() -> Backlog:
        return await database.read(lambda connection: count_pending(connection, to_ms(clock.now())))

    async def machines() -> int:
        return await database.read(
            lambda connection: count_machines(connection, database.now_ms(connection), Rhythm())
        )

    async def executions() -> int:
        return await database.read(lambda connection: count_bursts(connection, EXECUTION))

    return Readings(
        backlog=backlog,
        budget=None if budget is None else lambda: BudgetUse(*budget()),
        catalogs=lambda: _sizes(catalogs(), clock.now()),
        machines_alive=machines,
        executions_unfinished=executions,
    )


def _sizes(states: Mapping[str, CatalogState], now: datetime) -> Sequence[CatalogSize]:
    return [
        CatalogSize(
            account,
            state.services,
            state.oncalls,
            _age_s(state.services_fetched_at, now),
            _age_s(state.oncalls_fetched_at, now),
        )
        for account, state in states.items()
        if state.is_configured
    ]


def _age_s(fetched_at: datetime | None, now: datetime) -> float | None:
    return None if fetched_at is None else (now - fetched_at).total_seconds()
