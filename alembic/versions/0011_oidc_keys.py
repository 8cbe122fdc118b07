"""OpenID Provider: signing keys with a life of their own.

Revision ID: 0011_oidc_keys
Revises: 0010_oidc_registration
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from core.migrations import forward_only, grant

revision = "0011_oidc_keys"
down_revision = "0010_oidc_registration"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("signing_keys", "sealed", nullable=True, schema="oidc")
    for column in (
        sa.Column("token_label", sa.Text),
        sa.Column("public_jwk", JSONB),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("signing_keys", column, schema="oidc")
    op.create_check_constraint(
        # Either here, sealed, or in a token; erased only from a key that is out of use.
        "ck_signing_keys_held",
        "signing_keys",
        "num_nonnulls(sealed, token_label) = 1 "
        "OR num_nonnulls(sealed, token_label) = 0 AND num_nonnulls(retired_at, revoked_at) > 0",
        schema="oidc",
    )
    op.create_check_constraint(
        "ck_signing_keys_public_jwk", "signing_keys", "token_label IS NULL OR public_jwk IS NOT NULL", schema="oidc"
    )
    op.execute(
        """
        CREATE FUNCTION oidc.signing_keys_ended_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
                RAISE EXCEPTION 'a revoked key stays revoked' USING ERRCODE = 'check_violation';
            END IF;
            IF num_nonnulls(OLD.sealed, OLD.token_label) = 0 AND num_nonnulls(NEW.sealed, NEW.token_label) > 0 THEN
                RAISE EXCEPTION 'an erased key stays erased' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER signing_keys_ended_once BEFORE UPDATE ON oidc.signing_keys "
        "FOR EACH ROW EXECUTE FUNCTION oidc.signing_keys_ended_once()"
    )
    grant(op, "oidc.signing_keys", worker="UPDATE (sealed, token_label, active_at, revoked_at)")


def downgrade() -> None:
    forward_only()
