"""The index of triggers; masthead.triggers fills it at every start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "pipeline_trigger",
        sa.Column("pipeline_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pipeline_id", "position", name=op.f("pk_pipeline_trigger")),
    )
    op.create_index("ix_pipeline_trigger_type_subject", "pipeline_trigger", ["type", "subject"])
