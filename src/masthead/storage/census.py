"""How many there are: counts for metrics, each over an index that holds little."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, func, select

from masthead.storage.machines import Rhythm
from masthead.storage.schema import burst, machine

__all__ = ["count_bursts", "count_machines"]


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
