"""OpenID Provider: requests that are answered on another device (CIBA, device authorization).

Revision ID: 0008_oidc_asked_elsewhere
Revises: 0007_oidc_profiles
"""

import sqlalchemy as sa
from alembic import op

from core.migrations import forward_only, grant

revision = "0008_oidc_asked_elsewhere"
down_revision = "0007_oidc_profiles"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
STATE_RULE = "state IN ('waiting', 'approved', 'denied')"


def upgrade() -> None:
    _ciba_requests()
    _ciba_subjects()
    _device_requests()


def _common() -> list[sa.Column]:
    """What both kinds have: who asks for what, how it stands, how often the client may poll."""
    return [
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("interval_seconds", sa.Integer, nullable=False),
        sa.Column("next_poll_at", INSTANT, nullable=False),
        sa.Column("too_fast", sa.Boolean, nullable=False),
        sa.Column("decided_at", INSTANT),
        sa.Column("gid", sa.Uuid),
        sa.Column("redeemed_at", INSTANT),
    ]


def _common_rules(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(["client_id"], ["oidc.clients.client_id"], name=f"fk_{table}_client_id"),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=f"ck_{table}_secret_hash"),
        sa.CheckConstraint(STATE_RULE, name=f"ck_{table}_state"),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=f"ck_{table}_decided_at"),
        sa.CheckConstraint("(state = 'approved') = (gid IS NOT NULL)", name=f"ck_{table}_gid"),
        sa.CheckConstraint("redeemed_at IS NULL OR state = 'approved'", name=f"ck_{table}_redeemed_at"),
        sa.CheckConstraint("expires_at > requested_at", name=f"ck_{table}_expires_at"),
        sa.CheckConstraint("interval_seconds >= 5", name=f"ck_{table}_interval_seconds"),
    ]


def _ciba_requests() -> None:
    op.create_table(
        "ciba_requests",
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("request_id", sa.Uuid, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        *_common(),
        sa.Column("ping_sealed", sa.LargeBinary),
        sa.Column("ping_due_at", INSTANT),
        sa.Column("ping_attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "request_id", name="pk_ciba_requests"),
        sa.UniqueConstraint("person_id", "secret_hash", name="uq_ciba_requests_secret_hash"),
        *_common_rules("ciba_requests"),
        # What is due is there to be sent, and only what was decided is due.
        sa.CheckConstraint(
            "ping_due_at IS NULL OR (ping_sealed IS NOT NULL AND state <> 'waiting')", name="ck_ciba_requests_ping"
        ),
        schema="oidc",
    )
    # Found by what comes back from outside; unique within a person by the constraint above.
    op.create_index("ix_ciba_requests_secret_hash", "ciba_requests", ["secret_hash"], schema="oidc")
    op.execute(
        "CREATE INDEX ix_ciba_requests_waiting ON oidc.ciba_requests (person_id, expires_at) WHERE state = 'waiting'"
    )
    op.execute("CREATE INDEX ix_ciba_requests_ping ON oidc.ciba_requests (ping_due_at) WHERE ping_due_at IS NOT NULL")
    op.create_index("ix_ciba_requests_expires_at", "ciba_requests", ["expires_at"], schema="oidc")
    _answered_once("ciba_requests")
    grant(
        op,
        "oidc.ciba_requests",
        web="SELECT, INSERT, UPDATE (state, expires_at, interval_seconds, next_poll_at, too_fast, decided_at, gid, "
        "redeemed_at, ping_due_at)",
        worker="SELECT, UPDATE (state, decided_at, ping_sealed, ping_due_at, ping_attempts), DELETE",
        # Sealed contents are of no use to the reader.
        reader="SELECT (person_id, request_id, client_id, state, requested_at, expires_at, decided_at, redeemed_at, "
        "ping_due_at, ping_attempts)",
    )


def _ciba_subjects() -> None:
    """Whom a client knows by which `sub`, for id_token_hint; distributed by the subject's hash."""
    op.create_table(
        "ciba_subjects",
        sa.Column("subject_hash", sa.LargeBinary, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("subject_hash", name="pk_ciba_subjects"),
        sa.CheckConstraint("octet_length(subject_hash) = 32", name="ck_ciba_subjects_subject_hash"),
        schema="oidc",
    )
    op.create_index("ix_ciba_subjects_person_id", "ciba_subjects", ["person_id"], schema="oidc")
    grant(op, "oidc.ciba_subjects", web="SELECT, INSERT", worker="SELECT, DELETE", reader="")


def _device_requests() -> None:
    op.create_table(
        "device_requests",
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("request_id", sa.Uuid, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("user_code_mac", sa.LargeBinary, nullable=False),
        *_common(),
        sa.Column("person_id", sa.Uuid),
        sa.PrimaryKeyConstraint("bucket", "request_id", name="pk_device_requests"),
        sa.UniqueConstraint("bucket", "secret_hash", name="uq_device_requests_secret_hash"),
        sa.UniqueConstraint("bucket", "user_code_mac", name="uq_device_requests_user_code_mac"),
        *_common_rules("device_requests"),
        sa.CheckConstraint("bucket BETWEEN 0 AND 65535", name="ck_device_requests_bucket"),
        sa.CheckConstraint("octet_length(user_code_mac) = 32", name="ck_device_requests_user_code_mac"),
        sa.CheckConstraint("gid IS NULL OR person_id IS NOT NULL", name="ck_device_requests_person_id"),
        schema="oidc",
    )
    op.create_index("ix_device_requests_expires_at", "device_requests", ["expires_at"], schema="oidc")
    _answered_once("device_requests")
    grant(
        op,
        "oidc.device_requests",
        web="SELECT, INSERT, UPDATE (state, expires_at, interval_seconds, next_poll_at, too_fast, decided_at, gid, "
        "redeemed_at, person_id)",
        worker="SELECT, DELETE",
        reader="SELECT (bucket, request_id, client_id, state, requested_at, expires_at, decided_at, redeemed_at)",
    )


def _answered_once(table: str) -> None:
    """An answer stays what it was, and is collected once, whoever writes."""
    op.execute(
        f"""
        CREATE FUNCTION oidc.{table}_answered_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.state <> 'waiting' AND (NEW.state <> OLD.state OR NEW.gid IS DISTINCT FROM OLD.gid) THEN
                RAISE EXCEPTION 'an answer stays what it was' USING ERRCODE = 'check_violation';
            END IF;
            IF OLD.redeemed_at IS NOT NULL AND NEW.redeemed_at IS DISTINCT FROM OLD.redeemed_at THEN
                RAISE EXCEPTION 'an answer is collected once' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        f"CREATE TRIGGER {table}_answered_once BEFORE UPDATE ON oidc.{table} "
        f"FOR EACH ROW EXECUTE FUNCTION oidc.{table}_answered_once()"
    )


def downgrade() -> None:
    forward_only()
