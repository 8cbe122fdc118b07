"""OpenID Provider: requests that are answered on another device (CIBA, device authorization).

Revision ID: 0008_oidc_asked_elsewhere
Revises: 0007_oidc_profiles
"""

from core.migrations import forward_only

revision = "0008_oidc_asked_elsewhere"
down_revision = "0007_oidc_profiles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    forward_only()
