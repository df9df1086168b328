"""When cron triggers fire next, and how long a subject wants to rest beyond the longest rest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cron_trigger",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_cron_trigger")),
    )
    op.add_column("burst", sa.Column("until_at", sa.BigInteger(), nullable=True))
    op.add_column("burst", sa.Column("until_generation", sa.BigInteger(), nullable=True))
