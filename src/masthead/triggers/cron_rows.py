"""The rows of cron triggers: when each fires next."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from masthead.storage.schema import cron_trigger
from masthead.storage.statements import upsert
from masthead.triggers.cron_trigger import CronTrigger

__all__ = ["find", "forget", "lines", "put"]


def put(connection: Connection, trigger: CronTrigger, next_at_ms: int | None) -> None:
    """Remember when *trigger* fires next; None when it never does."""
    values = {"subject": trigger.subject, "line": trigger.line_and_zone, "next_at": next_at_ms}
    upsert(connection, cron_trigger, values, key=("subject",))


def find(connection: Connection, subject: str) -> tuple[str, int | None] | None:
    """Give the line of a trigger, and when it fires next; None where nothing is known."""
    query = select(cron_trigger.c.line, cron_trigger.c.next_at).where(cron_trigger.c.subject == subject)
    row = connection.execute(query).first()
    return None if row is None else (row.line, row.next_at)


def lines(connection: Connection) -> dict[str, str]:
    """Give the line of every trigger, by its subject."""
    rows = connection.execute(select(cron_trigger.c.subject, cron_trigger.c.line))
    return {row.subject: row.line for row in rows}


def forget(connection: Connection, subjects: Sequence[str]) -> None:
    """Take rows away."""
    for subject in subjects:
        connection.execute(delete(cron_trigger).where(cron_trigger.c.subject == subject))
