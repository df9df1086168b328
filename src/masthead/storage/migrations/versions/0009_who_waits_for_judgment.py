"""Which executions wait for somebody's judgment, and those of a pipeline's name."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_AWAITS = "awaits = 'manualJudgment'"
_execution = sa.table(
    "execution", *(sa.column(name) for name in ("id", "type", "status", "document", "awaits"))
)


def upgrade() -> None:
    """Apply."""
    op.add_column("execution", sa.Column("awaits", sa.Text(), nullable=True))
    _fill(op.get_bind())
    op.create_index("ix_execution_type_name_build_at", "execution", ["type", "name", "build_at", "id"])
    op.create_index(
        "ix_execution_judgment",
        "execution",
        ["build_at", "id"],
        sqlite_where=sa.text(_AWAITS),
        postgresql_where=sa.text(_AWAITS),
    )


def _fill(connection: sa.Connection) -> None:
    """Mark those that wait now: nothing else writes them before somebody has decided."""
    columns = _execution.c
    may = (
        columns.type == "PIPELINE",
        columns.status == "RUNNING",
        columns.document.contains("manualJudgment"),
    )
    found = connection.execute(sa.select(columns.id, columns.document).where(*may))
    waiting = [row.id for row in found if any(map(_waits, json.loads(row.document).get("stages") or ()))]
    marked = sa.update(_execution).where(columns.id == sa.bindparam("id_")).values(awaits="manualJudgment")
    if waiting:
        connection.execute(marked, [{"id_": one} for one in waiting])


def _waits(stage: dict[str, object]) -> bool:
    return stage.get("type") == "manualJudgment" and stage.get("status") == "RUNNING"
