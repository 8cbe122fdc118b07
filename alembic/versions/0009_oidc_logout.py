"""OpenID Provider: logout messages to clients, waiting to be delivered.

Revision ID: 0009_oidc_logout
Revises: 0008_oidc_asked_elsewhere
"""

from core.migrations import forward_only

revision = "0009_oidc_logout"
down_revision = "0008_oidc_asked_elsewhere"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    forward_only()
