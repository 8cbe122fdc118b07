"""Privacy: keys of the vault, the journal.

Journal rows are only ever added. The logins get INSERT and SELECT, and a trigger refuses UPDATE, DELETE
and TRUNCATE to everybody, the owner too. Retention drops whole monthly partitions (no row trigger stands
in its way) or destroys a person's key; neither needs an exception here.

Revision ID: 0002_privacy
Revises: 0001_core
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from core.migrations import create_schema, forward_only, grant

revision = "0002_privacy"
down_revision = "0001_core"
branch_labels = None
depends_on = None

MONTHS_AHEAD = 3  # the worker makes the later ones; what has no month yet goes to the default partition

REFUSE_CHANGE = """
CREATE FUNCTION privacy.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'rows of %.% are only ever added', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$
"""

# The worker may have a month's partition made, and nothing else of the owner's. The default partition is
# looked at first: a month whose rows went there already stays there.
MAKE_MONTH = """
CREATE FUNCTION privacy.make_journal_month(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
    first_day date := date_trunc('month', month)::date;
    after_last date := (date_trunc('month', month) + interval '1 month')::date;
    part text := 'journal_lines_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass('privacy.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM privacy.journal_lines_default
               WHERE recorded_at >= first_day::timestamptz AND recorded_at < after_last::timestamptz) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE privacy.%I PARTITION OF privacy.journal_lines FOR VALUES FROM (%L) TO (%L)',
                   part, first_day::timestamptz, after_last::timestamptz);
    EXECUTE format('CREATE TRIGGER only_added_whole BEFORE TRUNCATE ON privacy.%I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION privacy.refuse_change()', part);
    RETURN true;
END
$$
"""


def upgrade() -> None:
    create_schema(op, "privacy")
    _vault()
    op.execute(REFUSE_CHANGE)
    _journal_lines()
    _journal_tree()


def _vault() -> None:
    op.create_table(
        "vault_keys",
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("bucket", sa.SmallInteger, nullable=False),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("kek_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("purpose", "bucket", "key_version", name="pk_vault_keys"),
        sa.CheckConstraint("bucket BETWEEN 0 AND 255", name="ck_vault_keys_bucket"),
        sa.CheckConstraint("key_version > 0", name="ck_vault_keys_key_version"),
        sa.CheckConstraint("state IN ('next', 'active', 'previous')", name="ck_vault_keys_state"),
        schema="privacy",
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_vault_keys_active ON privacy.vault_keys (purpose, bucket) WHERE state = 'active'"
    )
    op.create_table(
        "person_keys",
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_person_keys"),
        schema="privacy",
    )
    grant(op, "privacy.vault_keys", web="SELECT", worker="SELECT")
    grant(op, "privacy.person_keys", web="SELECT, INSERT", worker="SELECT, INSERT, DELETE")


def _journal_lines() -> None:
    op.execute(
        """
        CREATE TABLE privacy.journal_lines (
            person_id uuid NOT NULL,
            recorded_at timestamptz NOT NULL,
            line_id uuid NOT NULL,
            schema_version smallint NOT NULL,
            kind text NOT NULL CONSTRAINT ck_journal_lines_kind CHECK (kind IN ('disclosure', 'refusal', 'act')),
            action text NOT NULL,
            outcome text NOT NULL,
            agency text,
            purpose text,
            actor_kind text NOT NULL,
            actor_id text NOT NULL,
            sealed bytea NOT NULL,
            CONSTRAINT pk_journal_lines PRIMARY KEY (person_id, recorded_at, line_id)
        ) PARTITION BY RANGE (recorded_at)
        """
    )
    op.execute("CREATE INDEX ix_journal_lines_line_id ON privacy.journal_lines (line_id)")
    op.execute("CREATE TABLE privacy.journal_lines_default PARTITION OF privacy.journal_lines DEFAULT")
    _only_added("journal_lines")
    # A trigger on TRUNCATE is not inherited by partitions.
    op.execute(
        "CREATE TRIGGER only_added_whole BEFORE TRUNCATE ON privacy.journal_lines_default "
        "FOR EACH STATEMENT EXECUTE FUNCTION privacy.refuse_change()"
    )
    op.execute(MAKE_MONTH)
    op.execute("REVOKE ALL ON FUNCTION privacy.make_journal_month(date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION privacy.make_journal_month(date) TO dinhdanh_worker")
    now = datetime.now(UTC)
    for ahead in range(MONTHS_AHEAD + 1):
        year, month = divmod(now.year * 12 + now.month - 1 + ahead, 12)
        op.execute(f"SELECT privacy.make_journal_month('{year:04}-{month + 1:02}-01')")
    grant(op, "privacy.journal_lines", web="SELECT, INSERT", worker="SELECT, INSERT")


def _journal_tree() -> None:
    hash_of = "octet_length({}) = 32"
    op.create_table(
        "journal_pending",
        sa.Column("line_id", sa.Uuid, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("line_id", name="pk_journal_pending"),
        sa.CheckConstraint(hash_of.format("leaf_hash"), name="ck_journal_pending_leaf_hash"),
        schema="privacy",
    )
    op.create_table(
        "journal_leaves",
        sa.Column("leaf_index", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("line_id", sa.Uuid, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_journal_leaves"),
        sa.UniqueConstraint("line_id", name="uq_journal_leaves_line_id"),
        sa.CheckConstraint("leaf_index >= 0", name="ck_journal_leaves_leaf_index"),
        sa.CheckConstraint(hash_of.format("leaf_hash"), name="ck_journal_leaves_leaf_hash"),
        schema="privacy",
    )
    op.create_table(
        "journal_checkpoints",
        sa.Column("serial", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("tree_size", sa.BigInteger, nullable=False),
        sa.Column("root_hash", sa.LargeBinary, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_journal_checkpoints"),
        sa.UniqueConstraint("tree_size", name="uq_journal_checkpoints_tree_size"),
        sa.CheckConstraint("serial > 0", name="ck_journal_checkpoints_serial"),
        sa.CheckConstraint("tree_size > 0", name="ck_journal_checkpoints_tree_size"),
        sa.CheckConstraint(hash_of.format("root_hash"), name="ck_journal_checkpoints_root_hash"),
        schema="privacy",
    )
    for table in ("journal_leaves", "journal_checkpoints"):
        _only_added(table)
        grant(op, f"privacy.{table}", web="SELECT", worker="SELECT, INSERT")
    grant(op, "privacy.journal_pending", web="SELECT, INSERT", worker="SELECT, INSERT, DELETE")


def _only_added(table: str) -> None:
    for name, event, each in (
        ("only_added", "UPDATE OR DELETE", "ROW"),
        ("only_added_whole", "TRUNCATE", "STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON privacy.{table} "
            f"FOR EACH {each} EXECUTE FUNCTION privacy.refuse_change()"
        )


def downgrade() -> None:
    forward_only()
