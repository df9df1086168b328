"""Folding, budgets, deadlines of their own, follow-ups, and proof."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _pages()
    _deliveries()
    _attempts()
    _proofs()


def _pages() -> None:
    op.add_column("page", sa.Column("fingerprint", sa.Text(), nullable=True))
    op.add_column("page", sa.Column("kind", sa.Text(), server_default="trigger", nullable=False))
    op.add_column("page", sa.Column("parent_id", sa.Text(), nullable=True))
    op.drop_index("ix_page_created_at", table_name="page")
    op.drop_index("ix_page_execution_id", table_name="page")
    op.create_index("ix_page_application_id", "page", ["application", "id"])
    _partial("ix_page_execution_id", "page", ["execution_id"], "execution_id IS NOT NULL")
    _partial("ix_page_fingerprint", "page", ["fingerprint", "created_at"], "fingerprint IS NOT NULL")
    _partial("ix_page_parent_id", "page", ["parent_id"], "parent_id IS NOT NULL")


def _deliveries() -> None:
    for column in (
        sa.Column("account", sa.Text(), server_default="default", nullable=False),
        sa.Column("action", sa.Text(), server_default="trigger", nullable=False),
        sa.Column("is_uncertain", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("folded_into", sa.Text(), nullable=True),
        sa.Column("says", sa.Text(), server_default="", nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), server_default="0", nullable=False),
    ):
        op.add_column("delivery", column)
    # What waits from before keeps the deadline that was then the default: one hour.
    op.execute("UPDATE delivery SET deadline_at = created_at + 3600000")
    op.drop_index("ix_delivery_due_at", table_name="delivery")
    _partial("ix_delivery_state", "delivery", ["state", "page_id"], "state IN ('rejected', 'expired')")
    _partial("ix_delivery_folded_into", "delivery", ["folded_into"], "folded_into IS NOT NULL")


def _attempts() -> None:
    op.add_column("attempt", sa.Column("key_hash", sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE attempt SET key_hash = "
        "(SELECT delivery.key_hash FROM delivery WHERE delivery.id = attempt.delivery_id)"
    )
    op.create_index("ix_attempt_key_hash", "attempt", ["key_hash", "at"])


def _proofs() -> None:
    op.create_table(
        "proof",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("is_inferred", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("incident_number", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("checks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_proof_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_proof")),
    )
    _partial("ix_proof_due_at", "proof", ["account", "due_at"], "due_at IS NOT NULL")


def _partial(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )
