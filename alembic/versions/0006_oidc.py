"""OpenID Provider: clients, grants, refresh tokens, standing grants, signing keys.

Revision ID: 0006_oidc
Revises: 0005_consent
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.migrations import create_schema, forward_only, grant

revision = "0006_oidc"
down_revision = "0005_consent"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text)


def upgrade() -> None:
    create_schema(op, "oidc")
    _clients()
    _grants()
    _refresh_tokens()
    _standing_grants()
    _signing_keys()


def _clients() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("agency_id", sa.Uuid, nullable=False),
        sa.Column("agency_code", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("name_vi", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("auth_method", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary),
        sa.Column("assertion_alg", sa.Text),
        sa.Column("jwks", JSONB),
        sa.Column("redirect_uris", TEXTS, nullable=False),
        sa.Column("post_logout_redirect_uris", TEXTS, nullable=False),
        sa.Column("grant_types", TEXTS, nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("audiences", TEXTS, nullable=False),
        sa.Column("sector", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("id_token_alg", sa.Text, nullable=False),
        sa.Column("dpop_bound", sa.Boolean, nullable=False),
        sa.Column("requires_par", sa.Boolean, nullable=False),
        sa.Column("default_max_age", sa.Integer),
        sa.Column("default_acr_values", TEXTS, nullable=False),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("client_id", name="pk_clients"),
        sa.CheckConstraint("profile IN ('standard', 'fapi2')", name="ck_clients_profile"),
        sa.CheckConstraint("state IN ('active', 'suspended')", name="ck_clients_state"),
        sa.CheckConstraint(
            "auth_method IN ('private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none')",
            name="ck_clients_auth_method",
        ),
        sa.CheckConstraint(
            "(auth_method LIKE 'client_secret_%') = (secret_hash IS NOT NULL)", name="ck_clients_secret"
        ),
        sa.CheckConstraint("secret_hash IS NULL OR octet_length(secret_hash) = 32", name="ck_clients_secret_hash"),
        sa.CheckConstraint("auth_method <> 'private_key_jwt' OR jwks IS NOT NULL", name="ck_clients_jwks"),
        # What a profile demands holds in the database too: no later code can weaken a FAPI client.
        sa.CheckConstraint(
            "profile <> 'fapi2' OR (auth_method = 'private_key_jwt' AND dpop_bound AND requires_par)",
            name="ck_clients_fapi2",
        ),
        sa.CheckConstraint(
            "auth_method <> 'none' OR NOT 'client_credentials' = ANY (grant_types)", name="ck_clients_public"
        ),
        sa.CheckConstraint("id_token_alg IN ('ES256', 'RS256')", name="ck_clients_id_token_alg"),
        sa.CheckConstraint("sector <> ''", name="ck_clients_sector"),
        sa.CheckConstraint("default_max_age IS NULL OR default_max_age >= 0", name="ck_clients_default_max_age"),
        schema="oidc",
    )
    grant(op, "oidc.clients", web="SELECT, INSERT, UPDATE (state, changed_at)", worker="SELECT")


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("gid", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("agency_id", sa.Uuid, nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("purposes", JSONB, nullable=False),
        sa.Column("consent_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("acr", sa.Text, nullable=False),
        sa.Column("aal", sa.SmallInteger, nullable=False),
        sa.Column("ial", sa.SmallInteger, nullable=False),
        sa.Column("amr", TEXTS, nullable=False),
        sa.Column("auth_time", INSTANT, nullable=False),
        sa.Column("sid", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("code_hash", sa.LargeBinary, nullable=False),
        sa.Column("code_challenge", sa.Text, nullable=False),
        sa.Column("code_expires_at", INSTANT, nullable=False),
        sa.Column("code_used_at", INSTANT),
        sa.Column("dpop_jkt", sa.Text),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.Column("refresh_until", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.Column("revoked_reason", sa.Text),
        sa.PrimaryKeyConstraint("person_id", "gid", name="pk_grants"),
        sa.UniqueConstraint("person_id", "code_hash", name="uq_grants_code_hash"),
        sa.ForeignKeyConstraint(["client_id"], ["oidc.clients.client_id"], name="fk_grants_client_id"),
        sa.CheckConstraint("octet_length(code_hash) = 32", name="ck_grants_code_hash"),
        # S256 in base64url, never a plain challenge.
        sa.CheckConstraint("code_challenge ~ '^[A-Za-z0-9_-]{43}$'", name="ck_grants_code_challenge"),
        # FAPI 2.0 §5.3.2.1: a code lives 60 seconds at the most.
        sa.CheckConstraint(
            "code_expires_at > granted_at AND code_expires_at <= granted_at + interval '60 seconds'",
            name="ck_grants_code_expires_at",
        ),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_reason IS NULL)", name="ck_grants_revoked"),
        sa.CheckConstraint("aal BETWEEN 1 AND 4", name="ck_grants_aal"),
        sa.CheckConstraint("ial BETWEEN 1 AND 2", name="ck_grants_ial"),
        schema="oidc",
    )
    # Found by what comes back from outside; unique within a person by the constraints above.
    op.create_index("ix_grants_gid", "grants", ["gid"], schema="oidc")
    op.create_index("ix_grants_code_hash", "grants", ["code_hash"], schema="oidc")
    op.execute("CREATE INDEX ix_grants_live ON oidc.grants (person_id, client_id) WHERE revoked_at IS NULL")
    _ended_once("grants")
    grant(
        op,
        "oidc.grants",
        web="SELECT, INSERT, UPDATE (code_used_at, revoked_at, revoked_reason)",
        worker="SELECT, UPDATE (revoked_at, revoked_reason), DELETE",
    )


def _ended_once(table: str) -> None:
    """What was revoked stays revoked, whoever writes."""
    op.execute(
        f"""
        CREATE FUNCTION oidc.{table}_ended_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
                RAISE EXCEPTION 'a revoked grant stays revoked' USING ERRCODE = 'check_violation';
            END IF;
            IF OLD.code_used_at IS NOT NULL AND NEW.code_used_at IS DISTINCT FROM OLD.code_used_at THEN
                RAISE EXCEPTION 'a code is used once' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER {table}_ended_once BEFORE UPDATE ON oidc.{table} "
        f"FOR EACH ROW EXECUTE FUNCTION oidc.{table}_ended_once()"
    )


def _refresh_tokens() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("gid", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("dpop_jkt", sa.Text),
        sa.Column("successor_salt", sa.LargeBinary, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("rotated_at", INSTANT),
        sa.PrimaryKeyConstraint("person_id", "token_hash", name="pk_refresh_tokens"),
        sa.ForeignKeyConstraint(
            ["person_id", "gid"],
            ["oidc.grants.person_id", "oidc.grants.gid"],
            name="fk_refresh_tokens_grant",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("octet_length(token_hash) = 32", name="ck_refresh_tokens_token_hash"),
        sa.CheckConstraint("octet_length(successor_salt) = 32", name="ck_refresh_tokens_successor_salt"),
        schema="oidc",
    )
    op.create_index("ix_refresh_tokens_token_hash", "refresh_tokens", ["token_hash"], schema="oidc")
    op.create_index("ix_refresh_tokens_gid", "refresh_tokens", ["person_id", "gid"], schema="oidc")
    grant(op, "oidc.refresh_tokens", web="SELECT, INSERT, UPDATE (rotated_at)", worker="SELECT, DELETE")


def _standing_grants() -> None:
    op.create_table(
        "standing_grants",
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("gid", sa.Uuid, nullable=False),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("revoked_reason", sa.Text),
        sa.PrimaryKeyConstraint("client_id", name="pk_standing_grants"),
        sa.UniqueConstraint("gid", name="uq_standing_grants_gid"),
        sa.ForeignKeyConstraint(["client_id"], ["oidc.clients.client_id"], name="fk_standing_grants_client_id"),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_reason IS NULL)", name="ck_standing_grants_revoked"),
        schema="oidc",
    )
    grant(
        op,
        "oidc.standing_grants",
        web="SELECT, INSERT, UPDATE (gid, granted_at, revoked_at, revoked_reason)",
        worker="SELECT, UPDATE (revoked_at, revoked_reason)",
    )


def _signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("alg", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.Column("active_at", INSTANT, nullable=False),
        sa.Column("retired_at", INSTANT),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
        sa.CheckConstraint("alg IN ('ES256', 'RS256')", name="ck_signing_keys_alg"),
        sa.CheckConstraint("active_at >= published_at", name="ck_signing_keys_active_at"),
        sa.CheckConstraint("retired_at IS NULL OR retired_at > active_at", name="ck_signing_keys_retired_at"),
        schema="oidc",
    )
    grant(op, "oidc.signing_keys", web="SELECT, INSERT", worker="SELECT, INSERT, UPDATE (retired_at)")


def downgrade() -> None:
    forward_only()
