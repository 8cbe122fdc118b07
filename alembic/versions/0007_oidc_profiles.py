"""OpenID Provider: clients of every profile, grants that were not made by a code, signing keys of more algorithms.

Revision ID: 0007_oidc_profiles
Revises: 0006_oidc
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.migrations import forward_only

revision = "0007_oidc_profiles"
down_revision = "0006_oidc"
branch_labels = None
depends_on = None

TEXTS = ARRAY(sa.Text)
FAPI = "('fapi2', 'fapi2-message-signing')"


def upgrade() -> None:
    _clients()
    _grants()
    _signing_keys()


def _clients() -> None:
    for column in (
        sa.Column("jwks_uri", sa.Text),
        sa.Column("mtls_bound", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("access_token_alg", sa.Text, nullable=False, server_default="ES256"),
        sa.Column("options", JSONB, nullable=False, server_default="{}"),
    ):
        op.add_column("clients", column, schema="oidc")
    _recheck("clients", "profile", "profile IN ('standard', 'openid-core', 'fapi2', 'fapi2-message-signing')")
    _recheck("clients", "state", "state IN ('pending', 'active', 'suspended', 'deleted')")
    _recheck(
        "clients",
        "auth_method",
        "auth_method IN ('private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth', "
        "'client_secret_basic', 'client_secret_post', 'none')",
    )
    _recheck(
        "clients",
        "jwks",
        "auth_method NOT IN ('private_key_jwt', 'self_signed_tls_client_auth') OR num_nonnulls(jwks, jwks_uri) = 1",
    )
    op.create_check_constraint("ck_clients_one_jwks", "clients", "num_nonnulls(jwks, jwks_uri) <= 1", schema="oidc")
    # What a profile demands holds in the database too: no later code can weaken a FAPI client.
    _recheck(
        "clients",
        "fapi2",
        f"profile NOT IN {FAPI} OR (requires_par AND (dpop_bound OR mtls_bound) AND id_token_alg <> 'RS256' "
        "AND auth_method IN ('private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'))",
    )
    op.create_check_constraint(
        "ck_clients_message_signing",
        "clients",
        "profile <> 'fapi2-message-signing' OR (options ->> 'require_signed_request_object')::boolean IS TRUE",
        schema="oidc",
    )
    # Only a client that proves itself may do without PKCE.
    op.create_check_constraint(
        "ck_clients_openid_core",
        "clients",
        "profile <> 'openid-core' OR auth_method IN ('private_key_jwt', 'client_secret_basic', 'client_secret_post')",
        schema="oidc",
    )
    _recheck("clients", "id_token_alg", "id_token_alg IN ('ES256', 'PS256', 'EdDSA', 'RS256')")
    op.create_check_constraint(
        "ck_clients_access_token_alg", "clients", "access_token_alg IN ('ES256', 'PS256', 'EdDSA')", schema="oidc"
    )
    op.execute("ALTER TABLE oidc.clients ALTER COLUMN mtls_bound DROP DEFAULT")
    op.execute("ALTER TABLE oidc.clients ALTER COLUMN access_token_alg DROP DEFAULT")
    op.execute("ALTER TABLE oidc.clients ALTER COLUMN options DROP DEFAULT")


def _grants() -> None:
    for column in (
        sa.Column("kind", sa.Text, nullable=False, server_default="code"),
        sa.Column("resources", TEXTS, nullable=False, server_default="{}"),
        sa.Column("authorization_details", JSONB, nullable=False, server_default="[]"),
        sa.Column("claims", JSONB, nullable=False, server_default="{}"),
    ):
        op.add_column("grants", column, schema="oidc")
    for name in ("kind", "resources", "authorization_details", "claims"):
        op.execute(f"ALTER TABLE oidc.grants ALTER COLUMN {name} DROP DEFAULT")
    for name in ("redirect_uri", "code_hash", "code_challenge", "code_expires_at", "sid"):
        op.alter_column("grants", name, nullable=True, schema="oidc")
    op.create_check_constraint("ck_grants_kind", "grants", "kind IN ('code', 'ciba', 'device')", schema="oidc")
    op.create_check_constraint(
        "ck_grants_code",
        "grants",
        "(kind = 'code') = (code_hash IS NOT NULL) AND (kind = 'code') = (redirect_uri IS NOT NULL) "
        "AND (kind = 'code') = (code_expires_at IS NOT NULL) AND (kind = 'code' OR code_challenge IS NULL)",
        schema="oidc",
    )


def _signing_keys() -> None:
    _recheck("signing_keys", "alg", "alg IN ('ES256', 'PS256', 'EdDSA', 'RS256')")


def _recheck(table: str, name: str, rule: str) -> None:
    op.drop_constraint(f"ck_{table}_{name}", table, schema="oidc", type_="check")
    op.create_check_constraint(f"ck_{table}_{name}", table, rule, schema="oidc")


def downgrade() -> None:
    forward_only()
