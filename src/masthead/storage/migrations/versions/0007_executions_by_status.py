"""Executions found by their status, and the newest of all."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_execution_type_status_build_at", "execution", ["type", "status", "build_at", "id"])
