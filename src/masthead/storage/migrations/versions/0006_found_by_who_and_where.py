"""Pages found by who asked and by service, proofs by incident; and when a change happened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("page", sa.Column("happened_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_page_user_id", "page", ["user", "id"])
    op.create_index(
        "ix_delivery_service_id",
        "delivery",
        ["service_id", "page_id"],
        sqlite_where=sa.text("service_id IS NOT NULL"),
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_index(
        "ix_proof_incident_id",
        "proof",
        ["incident_id"],
        sqlite_where=sa.text("incident_id IS NOT NULL"),
        postgresql_where=sa.text("incident_id IS NOT NULL"),
    )
