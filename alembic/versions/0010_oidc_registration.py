"""OpenID Provider: registration of clients by themselves and by their agencies, and what is known of their use.

Revision ID: 0010_oidc_registration
Revises: 0009_oidc_logout
"""

from core.migrations import forward_only

revision = "0010_oidc_registration"
down_revision = "0009_oidc_logout"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    forward_only()
