"""The index of triggers: which pipelines wait for the end of another one, for a webhook's source, or for a time.

It holds the enabled triggers of enabled pipelines only, moves with every write of a pipeline, and only says where to
look: who finds a pipeline here reads its document before starting it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from masthead.pipelines.document import is_storable
from masthead.pipelines.listing import is_enabled, is_enabled_trigger
from masthead.storage.schema import pipeline, pipeline_trigger

__all__ = ["cron_subject", "differs", "find_documents", "find_kind", "forget", "is_awaited", "keep"]

#: Type → the key of what such a trigger waits for.
_SUBJECTS = {"pipeline": "pipeline", "webhook": "source"}
#: PostgreSQL's indexes take no long values.
_LONGEST = 200
_columns = pipeline_trigger.c


def keep(connection: Connection, document: Mapping[str, Any]) -> None:
    """Write the rows of the pipeline *document* over those that are there."""
    forget(connection, document["id"])
    rows = _rows(document)
    if rows:
        connection.execute(insert(pipeline_trigger), rows)


def forget(connection: Connection, pipeline_id: str) -> None:
    """Take the rows of a pipeline away."""
    connection.execute(delete(pipeline_trigger).where(_columns.pipeline_id == pipeline_id))


def differs(connection: Connection, document: Mapping[str, Any]) -> bool:
    """Tell whether the rows of *document* are other than they must be."""
    query = select(pipeline_trigger).where(_columns.pipeline_id == document["id"])
    found = connection.execute(query.order_by(_columns.position)).mappings()
    return [dict(row) for row in found] != _rows(document)


def is_awaited(connection: Connection, kind: str, subject: str) -> bool:
    """Tell whether a pipeline may have a trigger of type *kind* that waits for *subject*."""
    query = select(_columns.position).where(*_waits(kind, subject)).limit(1)
    return connection.execute(query).first() is not None


def find_documents(connection: Connection, kind: str, subject: str) -> list[str]:
    """Give the JSON of the pipelines that may have a trigger of type *kind* on *subject*, by their ids."""
    waiting = select(_columns.pipeline_id).where(*_waits(kind, subject))
    query = select(pipeline.c.document).where(pipeline.c.id.in_(waiting)).order_by(pipeline.c.id)
    return list(connection.execute(query).scalars())


def find_kind(connection: Connection, kind: str) -> list[str]:
    """Give the JSON of every pipeline that has an enabled trigger of type *kind*, by their ids."""
    having = select(_columns.pipeline_id).where(_columns.type == kind)
    query = select(pipeline.c.document).where(pipeline.c.id.in_(having)).order_by(pipeline.c.id)
    return list(connection.execute(query).scalars())


def cron_subject(pipeline_id: str, trigger_id: str) -> str:
    """Give the name of a cron trigger: the same for ever, as short as databases like it."""
    digest = blake2b(digest_size=16)
    for part in (pipeline_id, trigger_id):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.hexdigest()


def _waits(kind: str, subject: str) -> tuple[Any, ...]:
    return _columns.type == kind, _columns.subject == _cut(subject)


def _rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(_each(document)) if is_enabled(document) else []


def _each(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for position, trigger in enumerate(document.get("triggers") or ()):
        kind = trigger.get("type")
        subject = _subject(document["id"], kind, trigger) if isinstance(kind, str) else None
        if is_enabled_trigger(trigger) and isinstance(subject, str):
            yield {
                "pipeline_id": document["id"],
                "position": position,
                "type": kind,
                "subject": _cut(subject),
            }


def _subject(pipeline_id: str, kind: str, trigger: Mapping[str, Any]) -> Any:
    if kind == "cron":
        return cron_subject(pipeline_id, str(trigger.get("id")))
    return trigger.get(_SUBJECTS.get(kind, ""))


def _cut(subject: str) -> str:
    return subject[:_LONGEST] if is_storable(subject) else ""
