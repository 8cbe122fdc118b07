"""OpenID Provider: who suspended a client, so that an agency cannot undo what the operator did.

Revision ID: 0013_oidc_suspended_by
Revises: 0012_identity_self_declared
"""

import sqlalchemy as sa
from alembic import op

from core.migrations import forward_only, grant

revision = "0013_oidc_suspended_by"
down_revision = "0012_identity_self_declared"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("suspended_by", sa.Text), schema="oidc")
    # Not known of clients suspended before, or by a process of before: then only the operator lets them in again.
    op.create_check_constraint(
        "ck_clients_suspended_by",
        "clients",
        "suspended_by IS NULL OR suspended_by IN ('agency', 'operator')",
        schema="oidc",
    )
    grant(op, "oidc.clients", web="UPDATE (suspended_by)", reader="")


def downgrade() -> None:
    forward_only()
