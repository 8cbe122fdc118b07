"""Identity: what people say of themselves, apart from the registry.

Revision ID: 0012_identity_self_declared
Revises: 0011_oidc_keys
"""

from core.migrations import forward_only

revision = "0012_identity_self_declared"
down_revision = "0011_oidc_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    forward_only()
