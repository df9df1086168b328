"""A new database has the schema that the revisions lead an old one to."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from masthead.storage.engine import database_url as read_url
from masthead.storage.engine import writer_engine
from masthead.storage.migrate import HEAD, migrate, upgrade
from masthead.storage.migrations import versions
from masthead.storage.schema import metadata

_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


@pytest.fixture
def engine(database_url: str) -> Engine:
    """An empty database."""
    engine = writer_engine(read_url(database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def new_engine(request, tmp_path: Path, engine: Engine) -> Engine:
    """Another one of the same kind."""
    url = f"{tmp_path}/new.db"
    if engine.dialect.name == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
    engine = writer_engine(read_url(url))
    yield engine
    engine.dispose()


def test_a_new_database_is_as_one_that_was_brought_there_by_every_revision(engine, new_engine):
    """Tables, columns with their types and defaults, keys and indexes with their conditions."""
    with engine.begin() as connection:
        upgrade(connection, "0001")
    migrate(engine)
    migrate(new_engine)
    with engine.connect() as old, new_engine.connect() as new:
        assert _schema(new) == _schema(old)


def test_nobody_changed_a_table_without_a_revision(engine):
    """The schema of the code is that of a database at the newest revision."""
    with engine.begin() as connection:
        upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_head_is_the_newest_revision():
    """HEAD lets a start skip Alembic, so it must be right."""
    newest = max(p.name for p in Path(versions.__file__).parent.glob("[0-9]*.py"))
    assert newest.startswith(HEAD)


def test_who_waits_for_judgment_is_known_after_an_upgrade(engine):
    """Those that waited before are written by nobody until somebody decides."""
    judgment = {"type": "manualJudgment", "status": "RUNNING"}
    given = {
        "waits": ("RUNNING", [{"type": "wait", "status": "SUCCEEDED"}, judgment]),
        "decided": ("RUNNING", [{**judgment, "status": "SUCCEEDED"}]),
        "ended": ("CANCELED", [judgment]),
        "bare": ("RUNNING", None),
    }
    row = "INSERT INTO execution (id, type, application, name, status, build_at, version, document) VALUES (:id, 'PIPELINE', 'demo', 'p', :status, 1, 1, :document)"
    with engine.begin() as connection:
        upgrade(connection, "0008")
        for name, (status, stages) in given.items():
            document = json.dumps({"stages": stages, "comment": "manualJudgment"})
            connection.execute(text(row), {"id": name, "status": status, "document": document})
    migrate(engine)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT id, awaits FROM execution WHERE awaits IS NOT NULL")).all()
    assert [tuple(one) for one in found] == [("waits", "manualJudgment")]


def _schema(connection: Connection) -> dict[str, object]:
    found = inspect(connection)
    return {
        "columns": {
            (table, one["name"]): (str(one["type"]), one["nullable"], one["default"])
            for table in found.get_table_names()
            for one in found.get_columns(table)
        },
        "keys": {
            table: (found.get_pk_constraint(table), found.get_foreign_keys(table), _unique(found, table))
            for table in found.get_table_names()
        },
        "indexes": {
            name: re.sub(r'\s+|"', " ", sql)
            for name, sql in connection.execute(text(_INDEXES[connection.dialect.name]))
        },
        "revision": connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all(),
    }


def _unique(found: object, table: str) -> list[object]:
    return sorted((one["name"], one["column_names"]) for one in found.get_unique_constraints(table))
