"""population_db: persons, numbers, sealed groups, blind indexes, households, import runs."""

import sqlalchemy as sa
from alembic import op

from core.migrations import create_schema, forward_only, grant

revision = "0003_population_db"
down_revision = "0002_privacy"
branch_labels = None
depends_on = None

S = "population_db"
UUID = sa.Uuid
INSTANT = sa.DateTime(timezone=True)
BYTES = sa.LargeBinary
MAC_IS_32_BYTES = "octet_length(mac) = 32"
IS_CODE = "translate({0}, 'abcdefghijklmnopqrstuvwxyz-', '') = '' AND octet_length({0}) BETWEEN 1 AND 40"
"""Lower-case letters and hyphens. Not a regular expression: that took a fifth of the import's time."""


def upgrade() -> None:
    create_schema(op, S)
    _persons()
    _indexes()
    _groups()
    _households()
    _import()
    _person_must_exist()


def downgrade() -> None:
    forward_only()


def _persons() -> None:
    op.create_table(
        "persons",
        sa.Column("person_id", UUID, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("status_since", INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("run_id", UUID),
        sa.Column("run_line", sa.BigInteger),
        sa.PrimaryKeyConstraint("person_id", name="pk_persons"),
        sa.CheckConstraint("status IN ('alive', 'dead', 'missing', 'renounced')", name="ck_persons_status"),
        sa.CheckConstraint("version > 0", name="ck_persons_version"),
        sa.CheckConstraint("(run_id IS NULL) = (run_line IS NULL)", name="ck_persons_run"),
        schema=S,
    )
    op.create_table(
        "person_numbers",
        sa.Column("person_id", UUID, nullable=False),
        sa.Column("ordinal", sa.SmallInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("sealed", BYTES, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("cancelled_on", sa.Date),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "ordinal", name="pk_person_numbers"),
        sa.CheckConstraint("ordinal > 0", name="ck_person_numbers_ordinal"),
        sa.CheckConstraint(
            "(status = 'active' AND cancelled_on IS NULL) OR status = 'cancelled'",
            name="ck_person_numbers_status",
        ),
        # A code such as "sex-redetermined", never prose: prose could hold personal data.
        sa.CheckConstraint(IS_CODE.format("reason"), name="ck_person_numbers_reason"),
        schema=S,
    )
    op.create_index(
        "uq_person_numbers_active",
        "person_numbers",
        ["person_id"],
        unique=True,
        schema=S,
        postgresql_where=sa.text("status = 'active'"),
    )
    grant(op, f"{S}.persons", web="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE")
    grant(op, f"{S}.person_numbers", web="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE")


def _indexes() -> None:
    op.create_table(
        "number_index",
        sa.Column("mac", BYTES, nullable=False),
        sa.Column("key_version", sa.SmallInteger, nullable=False),
        sa.Column("person_id", UUID, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("mac", "key_version", name="pk_number_index"),
        sa.CheckConstraint(MAC_IS_32_BYTES, name="ck_number_index_mac"),
        sa.CheckConstraint("key_version > 0", name="ck_number_index_key_version"),
        sa.CheckConstraint("status IN ('active', 'cancelled')", name="ck_number_index_status"),
        schema=S,
    )
    op.create_table(
        "search_index",
        sa.Column("mac", BYTES, nullable=False),
        sa.Column("key_version", sa.SmallInteger, nullable=False),
        sa.Column("person_id", UUID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("mac", "key_version", "person_id", name="pk_search_index"),
        sa.CheckConstraint(MAC_IS_32_BYTES, name="ck_search_index_mac"),
        sa.CheckConstraint("key_version > 0", name="ck_search_index_key_version"),
        sa.CheckConstraint("kind IN ('name-date', 'name-year-province', 'old-id')", name="ck_search_index_kind"),
        schema=S,
    )
    grant(op, f"{S}.number_index", web="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE")
    # A changed name leaves no trace of the old one to find the person by: hence DELETE.
    grant(op, f"{S}.search_index", web="SELECT, INSERT, DELETE", worker="SELECT, INSERT, DELETE")


def _groups() -> None:
    op.create_table(
        "person_groups",
        sa.Column("person_id", UUID, nullable=False),
        sa.Column("group_code", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sealed", BYTES, nullable=False),
        sa.Column("content_mac", BYTES, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("superseded_at", INSTANT),
        sa.PrimaryKeyConstraint("person_id", "group_code", "version", name="pk_person_groups"),
        sa.CheckConstraint(
            "group_code IN ('civil', 'family', 'residence', 'contact', 'sensitive')", name="ck_person_groups_group_code"
        ),
        sa.CheckConstraint("version > 0", name="ck_person_groups_version"),
        sa.CheckConstraint(IS_CODE.format("source"), name="ck_person_groups_source"),
        sa.CheckConstraint("superseded_at >= recorded_at", name="ck_person_groups_superseded_at"),
        schema=S,
    )
    # What is sealed cannot be compressed: do not try.
    for table in ("person_groups", "person_numbers"):
        op.execute(f"ALTER TABLE {S}.{table} ALTER COLUMN sealed SET STORAGE EXTERNAL")
    # Finds the current version, and holds that there is only one.
    op.create_index(
        "uq_person_groups_current",
        "person_groups",
        ["person_id", "group_code"],
        unique=True,
        schema=S,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    # A version, once written, can only be superseded: never reworded, never removed.
    op.execute(f"GRANT SELECT, INSERT, UPDATE (superseded_at) ON {S}.person_groups TO dinhdanh_web, dinhdanh_worker")
    grant(op, f"{S}.person_groups")


def _households() -> None:
    op.create_table(
        "households",
        sa.Column("household_id", UUID, nullable=False),
        sa.Column("key_version", sa.SmallInteger, nullable=False),
        sa.Column("key_mac", BYTES, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("household_id", name="pk_households"),
        sa.UniqueConstraint("key_mac", "key_version", name="uq_households_key_mac_key_version"),
        sa.CheckConstraint("octet_length(key_mac) = 32", name="ck_households_key_mac"),
        schema=S,
    )
    op.create_table(
        "household_members",
        sa.Column("person_id", UUID, nullable=False),
        sa.Column("household_id", UUID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.PrimaryKeyConstraint("person_id", "household_id", "recorded_at", name="pk_household_members"),
        sa.CheckConstraint("valid_to >= valid_from", name="ck_household_members_valid_to"),
        schema=S,
    )
    op.create_index(
        "uq_household_members_current",
        "household_members",
        ["person_id"],
        unique=True,
        schema=S,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "ix_household_members_household_id",
        "household_members",
        ["household_id"],
        schema=S,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    grant(op, f"{S}.households", web="SELECT, INSERT", worker="SELECT, INSERT")
    grant(op, f"{S}.household_members", web="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE")


def _import() -> None:
    op.create_table(
        "import_runs",
        sa.Column("run_id", UUID, nullable=False),
        sa.Column("file_digest", BYTES, nullable=False),
        sa.Column("file_bytes", sa.BigInteger, nullable=False),
        sa.Column("batch_size", sa.Integer, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.PrimaryKeyConstraint("run_id", name="pk_import_runs"),
        sa.CheckConstraint("batch_size > 0", name="ck_import_runs_batch_size"),
        sa.CheckConstraint("octet_length(file_digest) = 32", name="ck_import_runs_file_digest"),
        schema=S,
    )
    op.create_index(
        "uq_import_runs_unfinished",
        "import_runs",
        ["file_digest"],
        unique=True,
        schema=S,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    counts = ("rows_read", "inserted", "updated", "unchanged", "rejected")
    op.create_table(
        "import_batches",
        sa.Column("run_id", UUID, nullable=False),
        sa.Column("batch", sa.Integer, nullable=False),
        sa.Column("first_line", sa.BigInteger, nullable=False),
        sa.Column("bytes_done", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in counts),
        sa.Column("rejects", sa.dialects.postgresql.JSONB, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "batch", name="pk_import_batches"),
        sa.ForeignKeyConstraint(["run_id"], [f"{S}.import_runs.run_id"], name="fk_import_batches_run_id"),
        sa.CheckConstraint("rows_read = inserted + updated + unchanged + rejected", name="ck_import_batches_rows_read"),
        schema=S,
    )
    op.create_table(
        "import_seen",
        sa.Column("run_id", UUID, nullable=False),
        sa.Column("mac", BYTES, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "mac", name="pk_import_seen"),
        schema=S,
    )
    grant(op, f"{S}.import_runs", worker="SELECT, INSERT, UPDATE")
    grant(op, f"{S}.import_batches", worker="SELECT, INSERT")
    grant(op, f"{S}.import_seen", worker="SELECT, INSERT, DELETE")


def _person_must_exist() -> None:
    """What a foreign key would say, asked once per statement and not once per row.

    An import copies ten rows per person; row by row a foreign key costs as much as the copy itself. The
    other half of a foreign key is not needed: no login but the owner may delete a person.
    """
    op.execute(f"""
        CREATE FUNCTION {S}.person_must_exist() RETURNS trigger LANGUAGE plpgsql
        -- Always by the key of persons: a plan kept from when the table was small would read all of it each time.
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM fresh WHERE NOT EXISTS (
                    SELECT FROM {S}.persons WHERE persons.person_id = fresh.person_id
                )
            ) THEN
                RAISE foreign_key_violation
                    USING MESSAGE = format('a row of %I names a person who is not there', TG_TABLE_NAME);
            END IF;
            RETURN NULL;
        END $$""")
    for table in ("person_numbers", "number_index", "search_index", "person_groups", "household_members"):
        op.execute(
            f"CREATE TRIGGER person_must_exist AFTER INSERT ON {S}.{table} REFERENCING NEW TABLE AS fresh "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {S}.person_must_exist()"
        )
