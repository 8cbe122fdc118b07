"""OpenID Provider: the reader's login counts and needs no secret, hashed or sealed, to do so.

Revision ID: 0014_oidc_reader
Revises: 0013_oidc_suspended_by
"""

from alembic import op

from core.migrations import forward_only, grant

revision = "0014_oidc_reader"
down_revision = "0013_oidc_suspended_by"
branch_labels = None
depends_on = None

SEEN = {
    "clients": "client_id, agency_id, agency_code, profile, state, suspended_by, name_vi, name_en, auth_method, "
    "secret_expires_at, origin, redirect_uris, grant_types, scopes, audiences, sector, purpose, dpop_bound, mtls_bound, "
    "requires_par, created_at, changed_at",
    "grants": "person_id, gid, client_id, agency_id, scopes, acr, aal, ial, amr, auth_time, kind, resources, granted_at, "
    "refresh_until, revoked_at, revoked_reason",
    "refresh_tokens": "person_id, gid, client_id, scopes, issued_at, rotated_at",
    "signing_keys": "kid, alg, public_jwk, published_at, active_at, retired_at, revoked_at",
}
"""Table → what is left of the right to see all of it. A new column is not seen until somebody says so."""


def upgrade() -> None:
    for table, columns in SEEN.items():
        op.execute(f"REVOKE SELECT ON oidc.{table} FROM dinhdanh_reader")
        grant(op, f"oidc.{table}", reader=f"SELECT ({columns})")


def downgrade() -> None:
    forward_only()
