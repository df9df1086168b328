"""How much is pending, and for how long: one query over what is pending, however many pages were ever decided."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select, text

from masthead.storage.schema import attempt, delivery
from masthead.telemetry.readings import Backlog

__all__ = ["count_pending", "labels_of"]

#: As the index says it, so that the planner sees that ``ix_delivery_key_hash`` has all of them.
_PENDING = text("state = 'pending'")
_is_folded = delivery.c.folded_into.is_not(None)
_is_sent = delivery.c.machine.is_not(None) & delivery.c.folded_into.is_(None)
_QUERY = select(
    func.count().label("pending"),
    func.count().filter(_is_folded).label("folded"),
    func.count().filter(_is_sent).label("sending"),
    func.min(delivery.c.created_at).label("oldest_at"),
).where(_PENDING)


def count_pending(connection: Connection, now_ms: int) -> Backlog:
    """Count the pending deliveries by what they do.

    Args:
        connection: A reading one.
        now_ms: Milliseconds since 1970 that ages are measured by.
    """
    row = connection.execute(_QUERY).one()
    return Backlog(
        deliveries={
            "sending": row.sending,
            "waiting": row.pending - row.folded - row.sending,
            "folded": row.folded,
        },
        oldest_age_s=0.0 if row.oldest_at is None else max(now_ms - row.oldest_at, 0) / 1000,
    )


def labels_of(connection: Connection, key_hashes: Iterable[str]) -> dict[str, str]:
    """Give what people see in the place of each key that was sent something: its service's name, or ``key …1234``."""
    found = {}
    for key_hash in key_hashes:
        last = (
            select(delivery.c.label)
            .join(attempt, attempt.c.delivery_id == delivery.c.id)
            .where(attempt.c.key_hash == key_hash)
            .order_by(attempt.c.at.desc())
            .limit(1)
        )
        if label := connection.execute(last).scalar():
            found[key_hash] = label
    return found
