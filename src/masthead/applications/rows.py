"""The rows of applications: every statement that touches them, each a function of a connection.

Every version is kept in ``application_history``, numbered from 1 for each name; a deletion is a version
too, with ``"deleted": true`` in it and none of the attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from masthead.kernel.errors import InvalidRequest
from masthead.storage.schema import application, application_history
from masthead.storage.statements import insert_if_absent

__all__ = ["add", "change", "fetch", "fetch_all", "fetch_some", "lock", "mark", "remove", "versions"]

#: Names in one IN (…): SQLite takes 32,766 parameters, PostgreSQL 65,535.
_NAMES_AT_ONCE = 1_000
_decoder = msgspec.json.Decoder(dict[str, Any])


def fetch(connection: Connection, name: str) -> dict[str, Any] | None:
    """Give the document stored under the id *name*."""
    row = connection.execute(select(application.c.document).where(application.c.name == name)).first()
    return None if row is None else _decoder.decode(row.document)


def lock(connection: Connection, name: str) -> dict[str, Any] | None:
    """Give the document under *name* and let nobody else change it before this transaction ends."""
    statement = select(application.c.document).where(application.c.name == name).with_for_update()
    row = connection.execute(statement).first()
    return None if row is None else _decoder.decode(row.document)


def fetch_some(connection: Connection, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Give the documents of those *names* that exist, by id."""
    wanted, found = sorted(set(names)), {}
    for start in range(0, len(wanted), _NAMES_AT_ONCE):
        chunk = wanted[start : start + _NAMES_AT_ONCE]
        columns = select(application.c.name, application.c.document).where(application.c.name.in_(chunk))
        found.update({row.name: _decoder.decode(row.document) for row in connection.execute(columns)})
    return found


def fetch_all(connection: Connection) -> list[dict[str, Any]]:
    """Give every document, sorted by name; sorted here, because the databases' collations differ."""
    rows = connection.execute(select(application.c.name, application.c.document)).all()
    return [_decoder.decode(row.document) for row in sorted(rows, key=lambda row: row.name)]


def mark(connection: Connection) -> tuple[int, int]:
    """Give what differs whenever an application was added, changed or removed."""
    newest = func.coalesce(func.max(application.c.updated_at), 0)
    count, at = connection.execute(select(func.count(), newest).select_from(application)).one()
    return int(count), int(at)


def add(connection: Connection, name: str, document: Mapping[str, Any]) -> bool:
    """Store a first version; False when the name is taken, and then nothing is stored."""
    at, by = int(document["updateTs"]), document["lastModifiedBy"]
    values = {"document": _encode(document), "created_at": at, "updated_at": at, "updated_by": by}
    if not insert_if_absent(connection, application, {"name": name, **values}, key=["name"]):
        return False
    _remember(connection, name, document)
    return True


def change(connection: Connection, name: str, document: Mapping[str, Any]) -> None:
    """Store another version of an application that :func:`lock` gave."""
    changed = update(application).where(application.c.name == name)
    at, by = int(document["updateTs"]), document["lastModifiedBy"]
    connection.execute(changed.values(document=_encode(document), updated_at=at, updated_by=by))
    _remember(connection, name, document)


def remove(connection: Connection, name: str, tombstone: Mapping[str, Any]) -> None:
    """Delete the application and remember *tombstone* as its last version."""
    connection.execute(delete(application).where(application.c.name == name))
    _remember(connection, name, tombstone)


def versions(connection: Connection, name: str, limit: int) -> list[dict[str, Any]]:
    """Give the newest *limit* versions, newest first; empty when there was none."""
    history = application_history.c
    statement = select(history.document).where(history.name == name).order_by(history.number.desc())
    rows = connection.execute(statement.limit(limit)).scalars()
    return [_decoder.decode(document) for document in rows]


def _remember(connection: Connection, name: str, document: Mapping[str, Any]) -> None:
    history = application_history.c
    latest = connection.execute(select(func.max(history.number)).where(history.name == name)).scalar()
    connection.execute(
        insert(application_history).values(
            name=name,
            number=(latest or 0) + 1,
            document=_encode(document),
            updated_at=int(document["updateTs"]),
            updated_by=document["lastModifiedBy"],
        )
    )


def _encode(document: Mapping[str, Any]) -> str:
    try:
        return msgspec.json.encode(document).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise InvalidRequest("The application holds a value that JSON cannot carry.") from None
