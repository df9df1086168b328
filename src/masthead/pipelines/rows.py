"""The rows of pipelines: every statement that touches them, each a function of a connection.

Every version is kept in ``pipeline_history``, numbered from 1 for each pipeline; a deletion is a version too.
A changed place in the list (index) is none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from masthead.kernel.errors import InvalidRequest
from masthead.pipelines import trigger_rows
from masthead.pipelines.document import application_id, folded, name_taken
from masthead.storage.schema import pipeline, pipeline_history

__all__ = [
    "fetch",
    "fetch_all",
    "fetch_matching",
    "fetch_named",
    "fetch_of",
    "fetch_triggered",
    "fetch_waiting",
    "lock",
    "lock_named",
    "lock_of",
    "next_index",
    "put_index",
    "remove",
    "store",
    "versions",
]

_decoder = msgspec.json.Decoder(dict[str, Any])


class _Indexed(msgspec.Struct):
    index: int = -1


_index_decoder = msgspec.json.Decoder(_Indexed)


def fetch(connection: Connection, pipeline_id: str) -> dict[str, Any] | None:
    """Give the pipeline of that id."""
    return _one(connection, _by_id(pipeline_id))


def fetch_named(connection: Connection, application: str, name: str) -> dict[str, Any] | None:
    """Give the pipeline that has the folded *name* in the application of that id."""
    return _one(connection, _by_name(application, name))


def fetch_of(connection: Connection, application: str) -> list[dict[str, Any]]:
    """Give the pipelines of the application of that id, in no order."""
    return _many(connection, _documents().where(pipeline.c.application == application))


def fetch_all(connection: Connection) -> list[dict[str, Any]]:
    """Give every pipeline, in no order."""
    return _many(connection, _documents())


def fetch_matching(connection: Connection, words: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """Give at most *limit* pipelines that have every folded word in their name or application, by both."""
    both = pipeline.c.application + " " + pipeline.c.folded_name
    matching = _documents().where(*(both.contains(word, autoescape=True) for word in words))
    return _many(connection, matching.order_by(pipeline.c.application, pipeline.c.folded_name).limit(limit))


def fetch_waiting(connection: Connection, kind: str, subject: str) -> list[dict[str, Any]]:
    """Give the pipelines that may have an enabled trigger of type *kind* on *subject*, by their ids."""
    return [_decoder.decode(text) for text in trigger_rows.find_documents(connection, kind, subject)]


def fetch_triggered(connection: Connection, kind: str) -> list[dict[str, Any]]:
    """Give the pipelines that have an enabled trigger of type *kind*, by their ids."""
    return [_decoder.decode(text) for text in trigger_rows.find_kind(connection, kind)]


def lock(connection: Connection, pipeline_id: str) -> dict[str, Any] | None:
    """Give the pipeline of that id and let nobody else change it before this transaction ends."""
    return _one(connection, _by_id(pipeline_id).with_for_update())


def lock_named(connection: Connection, application: str, name: str) -> dict[str, Any] | None:
    """Give the pipeline of that folded *name*, locked as by :func:`lock`."""
    return _one(connection, _by_name(application, name).with_for_update())


def lock_of(connection: Connection, application: str) -> list[dict[str, Any]]:
    """Give the application's pipelines, locked as by :func:`lock`, in one order for everybody."""
    wanted = _documents().where(pipeline.c.application == application).order_by(pipeline.c.id)
    return _many(connection, wanted.with_for_update())


def next_index(connection: Connection, application: str) -> int:
    """Give the index that puts a pipeline behind all others of the application."""
    wanted = _documents().where(pipeline.c.application == application)
    indices = [_index_decoder.decode(text).index for text in connection.execute(wanted).scalars()]
    return max(indices, default=-1) + 1


def store(connection: Connection, document: Mapping[str, Any], *, is_new: bool) -> None:
    """Store the next version of a pipeline.

    The unique index is what finds a taken name: it also does when two machines save in one moment.

    Raises:
        InvalidRequest: another pipeline of the application has the name, or the document is no JSON.
    """
    values = {
        "application": application_id(document["application"]),
        "folded_name": folded(document["name"]),
        "document": _encode(document),
        "updated_at": int(document["updateTs"]),
        "updated_by": document["lastModifiedBy"],
    }
    same = pipeline.c.id == document["id"]
    try:
        if is_new:
            connection.execute(insert(pipeline).values(id=document["id"], **values))
        else:
            connection.execute(update(pipeline).where(same).values(**values))
    except IntegrityError as error:
        raise name_taken(document) from error
    trigger_rows.keep(connection, document)
    _remember(connection, document)


def put_index(connection: Connection, document: Mapping[str, Any], index: int) -> None:
    """Give a locked pipeline another place in the list, without making a version of it."""
    changed = update(pipeline).where(pipeline.c.id == document["id"])
    connection.execute(changed.values(document=_encode({**document, "index": index})))


def remove(connection: Connection, tombstones: Collection[Mapping[str, Any]]) -> None:
    """Delete pipelines and remember for each its *tombstone* as the last version."""
    for tombstone in tombstones:
        connection.execute(delete(pipeline).where(pipeline.c.id == tombstone["id"]))
        trigger_rows.forget(connection, tombstone["id"])
        _remember(connection, tombstone)


def versions(connection: Connection, pipeline_id: str, limit: int) -> list[dict[str, Any]]:
    """Give the newest *limit* versions, newest first; empty when there was none."""
    history = pipeline_history.c
    statement = select(history.document).where(history.pipeline_id == pipeline_id)
    return _many(connection, statement.order_by(history.number.desc()).limit(limit))


def _documents() -> Select[str]:
    return select(pipeline.c.document)


def _by_id(pipeline_id: str) -> Select[str]:
    return _documents().where(pipeline.c.id == pipeline_id)


def _by_name(application: str, name: str) -> Select[str]:
    return _documents().where(pipeline.c.application == application, pipeline.c.folded_name == name)


def _one(connection: Connection, statement: Select[str]) -> dict[str, Any] | None:
    row: Row[str] | None = connection.execute(statement).first()
    return None if row is None else _decoder.decode(row[0])


def _many(connection: Connection, statement: Select[str]) -> list[dict[str, Any]]:
    return [_decoder.decode(text) for text in connection.execute(statement).scalars()]


def _remember(connection: Connection, document: Mapping[str, Any]) -> None:
    history = pipeline_history.c
    mine = history.pipeline_id == document["id"]
    latest = connection.execute(select(func.max(history.number)).where(mine)).scalar()
    connection.execute(
        insert(pipeline_history).values(
            pipeline_id=document["id"],
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
        raise InvalidRequest("The pipeline holds a value that JSON cannot carry.") from None
