"""OpenID Provider: registration of clients by themselves and by their agencies, and what is known of their use.

Revision ID: 0010_oidc_registration
Revises: 0009_oidc_logout
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.migrations import forward_only, grant

revision = "0010_oidc_registration"
down_revision = "0009_oidc_logout"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TEXTS = ARRAY(sa.Text)

CHANGED_BY_MANAGEMENT = (
    "name_vi, name_en, auth_method, secret_hash, secret_expires_at, former_secret_hash, former_secret_expires_at, "
    "registration_token_hash, assertion_alg, jwks, jwks_uri, redirect_uris, post_logout_redirect_uris, grant_types, "
    "scopes, id_token_alg, access_token_alg, dpop_bound, mtls_bound, requires_par, default_max_age, "
    "default_acr_values, options, details, state, changed_at"
)
"""What a registration may become by management. Not among them: whose client it is, its profile, its sector (the
pseudonyms of people hang on it), the audiences it serves, its purpose."""


def upgrade() -> None:
    _clients()
    _initial_access_tokens()
    _software_publishers()
    _client_reviews()


def _clients() -> None:
    for column in (
        sa.Column("secret_expires_at", INSTANT),
        sa.Column("former_secret_hash", sa.LargeBinary),
        sa.Column("former_secret_expires_at", INSTANT),
        sa.Column("registration_token_hash", sa.LargeBinary),
        sa.Column("origin", sa.Text, nullable=False, server_default="operator"),
    ):
        op.add_column("clients", column, schema="oidc")
    op.execute("ALTER TABLE oidc.clients ALTER COLUMN origin DROP DEFAULT")
    for name, rule in (
        ("origin", "origin IN ('operator', 'registration', 'agency')"),
        ("secret_expires_at", "secret_expires_at IS NULL OR secret_hash IS NOT NULL"),
        ("former_secret", "(former_secret_hash IS NULL) = (former_secret_expires_at IS NULL)"),
        ("former_secret_hash", "former_secret_hash IS NULL OR octet_length(former_secret_hash) = 32"),
        ("former_secret_method", "former_secret_hash IS NULL OR secret_hash IS NOT NULL"),
        ("registration_token", "registration_token_hash IS NULL OR octet_length(registration_token_hash) = 32"),
        ("deleted", "state <> 'deleted' OR registration_token_hash IS NULL"),
    ):
        op.create_check_constraint(f"ck_clients_{name}", "clients", rule, schema="oidc")
    op.create_index("ix_clients_agency_id", "clients", ["agency_id"], schema="oidc")
    # Origins that browsers may call from are looked up among the few clients without a secret.
    op.execute("CREATE INDEX ix_clients_public ON oidc.clients (client_id) WHERE auth_method = 'none'")
    op.execute(
        """
        CREATE FUNCTION oidc.clients_deleted_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.state = 'deleted' THEN
                RAISE EXCEPTION 'a deleted client stays deleted' USING ERRCODE = 'check_violation';
            END IF;
            IF NEW.state = 'pending' AND OLD.state <> 'pending' THEN
                RAISE EXCEPTION 'a client does not become pending again' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER clients_deleted_once BEFORE UPDATE ON oidc.clients "
        "FOR EACH ROW EXECUTE FUNCTION oidc.clients_deleted_once()"
    )
    grant(op, "oidc.clients", web=f"UPDATE ({CHANGED_BY_MANAGEMENT})", reader="")


def _initial_access_tokens() -> None:
    op.create_table(
        "initial_access_tokens",
        sa.Column("token_id", sa.Uuid, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("agency_id", sa.Uuid, nullable=False),
        sa.Column("agency_code", sa.Text, nullable=False),
        sa.Column("profiles", TEXTS, nullable=False),
        sa.Column("uses_left", sa.SmallInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("seconded_by", sa.Text),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("token_id", name="pk_initial_access_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_initial_access_tokens_token_hash"),
        sa.CheckConstraint("octet_length(token_hash) = 32", name="ck_initial_access_tokens_token_hash"),
        sa.CheckConstraint("uses_left >= 0", name="ck_initial_access_tokens_uses_left"),
        sa.CheckConstraint("expires_at > made_at", name="ck_initial_access_tokens_expires_at"),
        sa.CheckConstraint(
            "cardinality(profiles) > 0 AND profiles <@ "
            "ARRAY['standard', 'openid-core', 'fapi2', 'fapi2-message-signing']::text[]",
            name="ck_initial_access_tokens_profiles",
        ),
        sa.CheckConstraint("seconded_by <> made_by", name="ck_initial_access_tokens_two_people"),
        schema="oidc",
    )
    op.create_index("ix_initial_access_tokens_agency_id", "initial_access_tokens", ["agency_id"], schema="oidc")
    grant(op, "oidc.initial_access_tokens", web="SELECT, INSERT, UPDATE (uses_left, revoked_at)", reader="")


def _software_publishers() -> None:
    op.create_table(
        "software_publishers",
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("jwks", JSONB, nullable=False),
        sa.Column("agency_id", sa.Uuid),
        sa.Column("trusted_by", sa.Text, nullable=False),
        sa.Column("trusted_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("issuer", name="pk_software_publishers"),
        schema="oidc",
    )
    grant(
        op,
        "oidc.software_publishers",
        web="SELECT, INSERT, UPDATE (jwks, agency_id, trusted_by, trusted_at, ended_at)",
    )


def _client_reviews() -> None:
    op.create_table(
        "client_reviews",
        sa.Column("review_id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("agency_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("metadata", JSONB),
        sa.Column("based_on", INSTANT, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_title", sa.Text, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_title", sa.Text),
        sa.Column("decided_at", INSTANT),
        sa.Column("decision", sa.Text),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("review_id", name="pk_client_reviews"),
        sa.ForeignKeyConstraint(["client_id"], ["oidc.clients.client_id"], name="fk_client_reviews_client_id"),
        sa.CheckConstraint("kind IN ('registration', 'change')", name="ck_client_reviews_kind"),
        sa.CheckConstraint("(kind = 'change') = (metadata IS NOT NULL)", name="ck_client_reviews_metadata"),
        sa.CheckConstraint("decision IN ('approved', 'refused')", name="ck_client_reviews_decision"),
        sa.CheckConstraint(
            "num_nonnulls(decided_by, decided_title, decided_at, decision) IN (0, 4)", name="ck_client_reviews_decided"
        ),
        # Four eyes, whoever writes: nobody approves what he proposed.
        sa.CheckConstraint(
            "decision IS DISTINCT FROM 'approved' OR decided_by <> proposed_by", name="ck_client_reviews_two_people"
        ),
        schema="oidc",
    )
    op.execute("CREATE UNIQUE INDEX uq_client_reviews_open ON oidc.client_reviews (client_id) WHERE decided_at IS NULL")
    op.create_index("ix_client_reviews_agency_id", "client_reviews", ["agency_id"], schema="oidc")
    op.execute(
        """
        CREATE FUNCTION oidc.client_reviews_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.decided_at IS NOT NULL THEN
                RAISE EXCEPTION 'a review is decided once' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER client_reviews_decided_once BEFORE UPDATE ON oidc.client_reviews "
        "FOR EACH ROW EXECUTE FUNCTION oidc.client_reviews_decided_once()"
    )
    grant(
        op,
        "oidc.client_reviews",
        web="SELECT, INSERT, UPDATE (decided_by, decided_title, decided_at, decision, reason)",
    )


def downgrade() -> None:
    forward_only()
