"""Statements that SQLite and PostgreSQL both know but SQLAlchemy spells per dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from masthead.storage.prepared import Prepared

__all__ = ["insert_if_absent", "insert_into_if_absent", "upsert"]


def upsert(connection: Connection, table: Table, values: Mapping[str, Any], *, key: Sequence[str]) -> None:
    """Insert *values*, or update every other column of the row that has the same *key* columns."""
    statement = _insert(connection, table).values(dict(values))
    changed = {name: statement.excluded[name] for name in values if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


def insert_if_absent(
    connection: Connection, table: Table, values: Mapping[str, Any], *, key: Sequence[str]
) -> bool:
    """Insert *values* unless a row has the same *key* columns; tell whether it was inserted."""
    statement = _insert(connection, table).values(dict(values))
    statement = statement.on_conflict_do_nothing(index_elements=list(key))
    return connection.execute(statement.returning(table.c[key[0]])).first() is not None


def insert_into_if_absent(table: Table, columns: Sequence[str], *, key: str) -> Prepared:
    """Prepare an insert of *columns* that gives a row only when no other has the same *key* column."""

    def build(connection: Connection) -> Executable:
        statement = _insert(connection, table).values({name: bindparam(name) for name in columns})
        return statement.on_conflict_do_nothing(index_elements=[key]).returning(table.c[key])

    return Prepared(build)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
