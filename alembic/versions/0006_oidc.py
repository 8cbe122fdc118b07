"""oidc."""

from alembic import op

from core.migrations import create_schema, forward_only

revision = "0006_oidc"
down_revision = "0005_consent"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_schema(op, "oidc")


def downgrade() -> None:
    forward_only()
