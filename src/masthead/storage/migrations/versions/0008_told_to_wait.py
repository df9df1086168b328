"""Until when a delivery is left alone because PagerDuty said so; what only backs off may be tried when its key is through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery", sa.Column("not_before_at", sa.BigInteger(), nullable=True))
