"""OpenID Provider: logout messages to clients, waiting to be delivered.

Revision ID: 0009_oidc_logout
Revises: 0008_oidc_asked_elsewhere
"""

import sqlalchemy as sa
from alembic import op

from core.migrations import forward_only, grant

revision = "0009_oidc_logout"
down_revision = "0008_oidc_asked_elsewhere"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "logout_messages",
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("sid", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("settled_at", INSTANT),
        sa.PrimaryKeyConstraint("person_id", "message_id", name="pk_logout_messages"),
        # A session ends once: an event that is handled twice tells each client once.
        sa.UniqueConstraint("person_id", "client_id", "sid", name="uq_logout_messages_session"),
        sa.ForeignKeyConstraint(["client_id"], ["oidc.clients.client_id"], name="fk_logout_messages_client_id"),
        sa.CheckConstraint("attempts >= 0", name="ck_logout_messages_attempts"),
        sa.CheckConstraint(
            "outcome IN ('delivered', 'refused', 'given-up', 'dropped')", name="ck_logout_messages_outcome"
        ),
        sa.CheckConstraint("(outcome IS NULL) = (settled_at IS NULL)", name="ck_logout_messages_settled"),
        schema="oidc",
    )
    op.execute("CREATE INDEX ix_logout_messages_due_at ON oidc.logout_messages (due_at) WHERE outcome IS NULL")
    op.execute("CREATE INDEX ix_logout_messages_settled_at ON oidc.logout_messages (settled_at)")
    grant(
        op,
        "oidc.logout_messages",
        web="SELECT, INSERT",
        worker="SELECT, INSERT, UPDATE (due_at, attempts, last_error, outcome, settled_at), DELETE",
    )
    # The clients of a session are found by the session.
    op.execute("CREATE INDEX ix_grants_sid ON oidc.grants (person_id, sid) WHERE sid IS NOT NULL")


def downgrade() -> None:
    forward_only()
