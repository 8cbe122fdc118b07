"""privacy."""

from alembic import op

from core.migrations import create_schema, forward_only

revision = "0002_privacy"
down_revision = "0001_core"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_schema(op, "privacy")


def downgrade() -> None:
    forward_only()
