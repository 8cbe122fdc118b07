"""Core: the outbox.

Revision ID: 0001_core
Revises: —
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from core.migrations import create_schema, forward_only, grant, require_roles

revision = "0001_core"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    require_roles(op.get_bind())
    create_schema(op, "core")
    op.create_table(
        "outbox",
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("emitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("event_id", "handler", name="pk_outbox"),
        sa.CheckConstraint("attempts >= 0", name="ck_outbox_attempts"),
        schema="core",
    )
    op.execute("CREATE INDEX ix_outbox_due_at ON core.outbox (due_at) WHERE done_at IS NULL")
    grant(op, "core.outbox", web="SELECT, INSERT", worker="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    forward_only()
