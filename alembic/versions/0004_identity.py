"""identity."""

from alembic import op

from core.migrations import create_schema, forward_only

revision = "0004_identity"
down_revision = "0003_population_db"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_schema(op, "identity")


def downgrade() -> None:
    forward_only()
