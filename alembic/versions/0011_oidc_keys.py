"""OpenID Provider: signing keys with a life of their own.

Revision ID: 0011_oidc_keys
Revises: 0010_oidc_registration
"""

from core.migrations import forward_only

revision = "0011_oidc_keys"
down_revision = "0010_oidc_registration"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    forward_only()
