"""How many there are: counts for metrics, each over an index that holds little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, func, select

from masthead.storage.machines import Rhythm
from masthead.storage.schema import burst, machine

__all__ = ["MachineRow", "count_bursts", "count_machines", "list_machines"]


def count_machines(connection: Connection, now_ms: int, rhythm: Rhythm) -> int:
    """Count the machines that are not dead to the others.

    Args:
        connection: A reading one.
        now_ms: The database's own time, of :meth:`masthead.storage.database.Database.now_ms`.
        rhythm: What silence means.
    """
    since = now_ms - rhythm.dead_after // timedelta(milliseconds=1)
    return int(
        connection.execute(
            select(func.count()).select_from(machine).where(machine.c.beat_at >= since)
        ).scalar_one()
    )


def count_bursts(connection: Connection, kind: str) -> int:
    """Count the subjects of *kind* that are not finished."""
    return int(
        connection.execute(select(func.count()).select_from(burst).where(burst.c.kind == kind)).scalar_one()
    )


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine as its row says; instants in milliseconds since 1970 by the database's time."""

    id: str
    host: str
    version: str
    started_at: int
    beat_at: int
    is_alive: bool


def list_machines(connection: Connection, now_ms: int, rhythm: Rhythm) -> Sequence[MachineRow]:
    """Give the machines that nobody buried, the oldest first; arguments as of :func:`count_machines`."""
    since = now_ms - rhythm.dead_after // timedelta(milliseconds=1)
    rows = connection.execute(select(machine).order_by(machine.c.started_at, machine.c.id))
    return [
        MachineRow(row.id, row.host, row.version, row.started_at, row.beat_at, row.beat_at >= since)
        for row in rows
    ]
