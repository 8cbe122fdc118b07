"""Identity: what people say of themselves, apart from the registry.

Revision ID: 0012_identity_self_declared
Revises: 0011_oidc_keys
"""

import sqlalchemy as sa
from alembic import op

from core.migrations import forward_only, grant

revision = "0012_identity_self_declared"
down_revision = "0011_oidc_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "self_declared",
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_self_declared"),
        # Only who has an account says anything of himself here.
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity.accounts.person_id"], name="fk_self_declared_person_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("version >= 1", name="ck_self_declared_version"),
        schema="identity",
    )
    # Its holder changes and erases it by the pages; the worker erases what retention says.
    grant(op, "identity.self_declared", web="SELECT, INSERT, UPDATE, DELETE", worker="SELECT, DELETE", reader="")
    # Counting needs no content.
    op.execute("GRANT SELECT (person_id, version, updated_at) ON identity.self_declared TO dinhdanh_reader")


def downgrade() -> None:
    forward_only()
