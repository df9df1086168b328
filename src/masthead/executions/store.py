"""The execution table: every statement that reads or writes it. Documents come and go as JSON text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from masthead.executions.matching import Search
from masthead.executions.model import JUDGMENT, Document, Execution, ExecutionType, from_document, to_document
from masthead.executions.status import Status
from masthead.kernel.clock import from_ms
from masthead.storage.prepared import Prepared
from masthead.storage.schema import application
from masthead.storage.schema import execution as table
from masthead.storage.statements import insert_into_if_absent

__all__ = [
    "Latest",
    "Run",
    "awaiting",
    "correlated",
    "find",
    "find_documents",
    "find_running_correlated",
    "find_to_change",
    "ids_made_between",
    "insert",
    "keep_others_out",
    "latest",
    "made_between",
    "newest_of_config",
    "remove",
    "runs_of_config",
    "save",
    "status_of",
    "tasks_of",
    "version_of",
]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()
_COMPLETE = tuple(status.value for status in Status if status.is_complete)
#: Only runs of pipelines that run have it. No parameter, or no index of some rows would be looked at.
_AWAITS = table.c.awaits == literal_column(f"'{JUDGMENT}'")
#: Ids in one statement; SQLite allows 32,766 variables, PostgreSQL 65,535.
_IDS = 1000


@dataclass(frozen=True, slots=True)
class Run:
    """An execution as lists show it; instants in milliseconds since 1970."""

    id: str
    status: str
    build_at: int
    start_at: int | None
    end_at: int | None


def insert(connection: Connection, execution: Execution) -> bool:
    """Store a new execution; False when there is one with its id."""
    return _INSERT.first(connection, {"id": execution.id, "version": 1, **_columns(execution)}) is not None


def save(connection: Connection, execution: Execution) -> None:
    """Write the whole execution over the stored one."""
    _SAVE.run(connection, [{"id_": execution.id, **_columns(execution)}])


def remove(connection: Connection, execution_id: str) -> None:
    """Delete the execution."""
    connection.execute(delete(table).where(table.c.id == execution_id))


def find(connection: Connection, execution_id: str) -> Execution | None:
    """Give the execution, or None."""
    return _execution(_FIND.first(connection, {"id_": execution_id}))


def find_to_change(
    connection: Connection, execution_id: str, kind: ExecutionType | None = None
) -> Execution | None:
    """Give the execution, of *kind* if given, or None; nobody else changes it before the commit."""
    execution = _execution(_FIND_TO_CHANGE.first(connection, {"id_": execution_id}))
    return execution if execution is None or kind in (None, execution.type) else None


def find_documents(
    connection: Connection, ids: Sequence[str], kind: ExecutionType | None = None
) -> list[Document]:
    """Give the stored documents of *ids*, in that order; unknown ones are passed over."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), _IDS):
        query = select(table.c.id, table.c.document).where(table.c.id.in_(ids[start : start + _IDS]))
        found.update((row.id, row.document) for row in connection.execute(_of_kind(query, kind)))
    return [_decoder.decode(found[each]) for each in dict.fromkeys(ids) if each in found]


def status_of(connection: Connection, execution_id: str) -> Status | None:
    """Give the status, or None when there is no such execution."""
    row = _STATUS.first(connection, {"id_": execution_id})
    return None if row is None else Status(row[0])


def version_of(connection: Connection, execution_id: str) -> int | None:
    """Give the number of the last write, or None when there is no such execution."""
    return connection.execute(select(table.c.version).where(table.c.id == execution_id)).scalar()


def keep_others_out(connection: Connection, correlation_id: str) -> None:
    """On PostgreSQL, let machines that start the same *correlation_id* at once wait for each other's commit.

    Neither sees what the other has not committed. SQLite has one writer, which is enough.
    """
    if connection.dialect.name == "postgresql":
        name = f"execution correlated {correlation_id}"
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def find_running_correlated(connection: Connection, correlation_id: str) -> str | None:
    """Give the id of the execution that has *correlation_id* and is not complete, or None."""
    return connection.execute(
        select(table.c.id)
        .where(table.c.correlation_id == correlation_id, table.c.status.not_in(_COMPLETE))
        .limit(1)
    ).scalar()


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest run of an application."""

    id: str
    name: str
    status: str
    #: When it was asked for.
    at: datetime


def latest(connection: Connection, applications: Collection[str] | None = None) -> Mapping[str, Latest]:
    """Give the newest run of a pipeline of each of *applications* (None: of all) that has one."""
    newest = (
        select(table.c.id)
        .where(table.c.application == application.c.name, table.c.type == ExecutionType.PIPELINE)
        .order_by(table.c.build_at.desc())
        .limit(1)
        .correlate(application)
        .scalar_subquery()
    )
    named = select(application.c.name.label("of"), newest.label("run"))
    if applications is not None:
        named = named.where(application.c.name.in_(applications))
    found = named.subquery()
    columns = found.c.of, table.c.id, table.c.name, table.c.status, table.c.build_at
    rows = connection.execute(select(*columns).join(table, table.c.id == found.c.run))
    return {row.of: Latest(row.id, row.name, row.status, from_ms(row.build_at)) for row in rows}


def newest_of_config(
    connection: Connection,
    config_id: str,
    *,
    limit: int,
    statuses: Sequence[str] = (),
    since_ms: int | None = None,
) -> list[Document]:
    """Give the newest executions of a pipeline, newest first.

    Args:
        connection: To read with.
        config_id: The pipeline's id.
        limit: At most so many.
        statuses: Only these, if any are given.
        since_ms: Only those that started then or later, or not at all.
    """
    conditions: list[ColumnElement[bool]] = [table.c.pipeline_config_id == config_id]
    return _newest(connection, conditions, limit=limit, offset=0, statuses=statuses, since_ms=since_ms)


def runs_of_config(connection: Connection, config_id: str, *, limit: int) -> list[Run]:
    """Give the newest executions of a pipeline, newest first, without reading their documents."""
    columns = table.c
    query = select(columns.id, columns.status, columns.build_at, columns.start_at, columns.end_at)
    query = query.where(columns.pipeline_config_id == config_id)
    query = query.order_by(columns.build_at.desc(), columns.id.desc()).limit(limit)
    return [Run(*row) for row in connection.execute(query)]


def tasks_of(
    connection: Connection,
    application: str | None,
    *,
    limit: int,
    offset: int,
    statuses: Sequence[str],
    since_ms: int,
) -> list[Document]:
    """Give the task executions of *application* (None for all), newest first."""
    conditions: list[ColumnElement[bool]] = [table.c.type == ExecutionType.ORCHESTRATION]
    if application is not None:
        conditions.append(table.c.application == application)
    return _newest(connection, conditions, limit=limit, offset=offset, statuses=statuses, since_ms=since_ms)


def made_between(connection: Connection, search: Search, *, limit: int, offset: int) -> list[Document]:
    """Give runs of pipelines by what their columns say of *search*; their triggers are not looked at."""
    columns = (table.c.build_at, table.c.id)
    order = columns if search.is_oldest_first else tuple(each.desc() for each in columns)
    query = select(table.c.document).where(*_asked(search)).order_by(*order).limit(limit).offset(offset)
    return [_decoder.decode(text) for text in connection.execute(query).scalars()]


def ids_made_between(connection: Connection, search: Search, *, limit: int) -> list[str]:
    """Give the ids of the runs of pipelines that :func:`made_between` finds, newest first, without their documents."""
    if search.application or search.name or search.config_id or search.is_awaiting:
        return [row.id for row in connection.execute(_newest_ids(search, limit))]
    # So many of each status, which the index gives in this order, however many are stored.
    statuses = search.statuses or tuple(Status)
    each = (_newest_ids(replace(search, statuses=(one,)), limit).subquery() for one in statuses)
    found = union_all(*(select(one.c.id, one.c.build_at) for one in each)).subquery()
    query = select(found.c.id).order_by(found.c.build_at.desc(), found.c.id.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def _newest_ids(search: Search, limit: int) -> Select[tuple[str, int]]:
    query = select(table.c.id, table.c.build_at).where(*_asked(search))
    return query.order_by(table.c.build_at.desc(), table.c.id.desc()).limit(limit)


def _asked(search: Search) -> list[ColumnElement[bool]]:
    """Give what *search* asks of the columns."""
    columns = table.c
    conditions = [_AWAITS] if search.is_awaiting else [columns.type == ExecutionType.PIPELINE]
    for column, value in (
        (columns.application, search.application),
        (columns.name, search.name),
        (columns.pipeline_config_id, search.config_id),
    ):
        if value is not None:
            conditions.append(column == value)
    if search.statuses and not search.is_awaiting:
        conditions.append(columns.status.in_(search.statuses))
    if search.from_ms is not None:
        conditions.append(columns.build_at >= search.from_ms)
    if search.to_ms is not None:
        conditions.append(columns.build_at <= search.to_ms)
    if search.after is not None:
        at, last = search.after
        conditions += [columns.build_at <= at, or_(columns.build_at < at, columns.id < last)]
    return conditions


def awaiting(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Give those of *ids* that wait for somebody's judgment now, however many there are."""
    found: set[str] = set()
    for start in range(0, len(ids), _IDS):
        query = select(table.c.id).where(table.c.id.in_(ids[start : start + _IDS]), _AWAITS)
        found.update(connection.execute(query).scalars())
    return found


def correlated(connection: Connection, correlation_id: str) -> list[Document]:
    """Give the executions with *correlation_id*, newest first."""
    query = select(table.c.document).where(table.c.correlation_id == correlation_id)
    query = query.order_by(table.c.build_at.desc(), table.c.id.desc()).limit(_IDS)
    return [_decoder.decode(text) for text in connection.execute(query).scalars()]


def _newest(
    connection: Connection,
    conditions: list[ColumnElement[bool]],
    *,
    limit: int,
    offset: int,
    statuses: Sequence[str],
    since_ms: int | None,
) -> list[Document]:
    if statuses:
        conditions.append(table.c.status.in_(statuses))
    if since_ms is not None:
        conditions.append(or_(table.c.start_at.is_(None), table.c.start_at >= since_ms))
    query = select(table.c.document).where(*conditions)
    query = query.order_by(table.c.build_at.desc(), table.c.id.desc()).limit(max(limit, 0)).offset(offset)
    return [_decoder.decode(text) for text in connection.execute(query).scalars()]


def _execution(row: Any) -> Execution | None:
    return None if row is None else from_document(_decoder.decode(row[0]))


def _of_kind(query: Select[Any], kind: ExecutionType | None) -> Select[Any]:
    return query if kind is None else query.where(table.c.type == kind)


def _columns(execution: Execution) -> dict[str, Any]:
    return {
        "type": str(execution.type),
        "application": execution.application,
        "name": execution.title,
        "pipeline_config_id": execution.pipeline_config_id,
        "correlation_id": execution.correlation_id,
        "status": str(execution.status),
        "build_at": execution.build_time or 0,
        "start_at": execution.start_time,
        "end_at": execution.end_time,
        "awaits": execution.awaits,
        "document": _encoder.encode(to_document(execution)).decode(),
    }


#: The columns that every write of an execution sets.
_WRITTEN = (
    "type",
    "application",
    "name",
    "pipeline_config_id",
    "correlation_id",
    "status",
    "build_at",
    "start_at",
    "end_at",
    "awaits",
    "document",
)
_NAMED = table.c.id == bindparam("id_")
_INSERT = insert_into_if_absent(table, ["id", "version", *_WRITTEN], key="id")
_SAVE = Prepared(
    lambda _: (
        update(table)
        .where(_NAMED)
        .values(version=table.c.version + literal_column("1"), **{name: bindparam(name) for name in _WRITTEN})
    )
)
_FIND = Prepared(lambda _: select(table.c.document).where(_NAMED))
_FIND_TO_CHANGE = Prepared(lambda _: select(table.c.document).where(_NAMED).with_for_update())
_STATUS = Prepared(lambda _: select(table.c.status).where(_NAMED))
