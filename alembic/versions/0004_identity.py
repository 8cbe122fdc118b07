"""Identity: accounts, tries, sign-in history, agencies, units, appointments.

Revision ID: 0004_identity
Revises: 0003_population_db
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.migrations import create_schema, forward_only, grant

revision = "0004_identity"
down_revision = "0003_population_db"
branch_labels = None
depends_on = None

# Written out, not imported: a migration says what was true when it was written.
_REASONS = "ARRAY['holder','terms','card','death','authority','attempts']"
_OUTCOMES = (
    "'signed-in','stepped-up','password-wrong','code-wrong','refused-locked','locked','unlocked','session-ended'"
)


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _array(name: str) -> sa.Column:
    return sa.Column(name, postgresql.ARRAY(sa.Text), nullable=False)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False)


def _uuid(name: str) -> sa.Column:
    return sa.Column(name, sa.Uuid, nullable=False)


def upgrade() -> None:
    create_schema(op, "identity")
    _accounts()
    _attempts()
    _events()
    _agencies()
    _appointments()


def _accounts() -> None:
    op.create_table(
        "accounts",
        _uuid("person_id"),
        _uuid("account_id"),
        sa.Column("ial", sa.SmallInteger, nullable=False),
        _text("status"),
        _array("lock_reasons"),
        _instant("locked_at", nullable=True),
        _text("password_hash"),
        sa.Column("totp_sealed", sa.LargeBinary, nullable=True),
        sa.Column("last_totp_step", sa.BigInteger, nullable=False),
        sa.Column("code_tries", sa.Integer, nullable=False),
        _instant("code_next_try_at"),
        _instant("credentials_changed_at"),
        _instant("enrolled_at"),
        sa.PrimaryKeyConstraint("person_id", "account_id", name="pk_accounts"),
        sa.UniqueConstraint("person_id", name="uq_accounts_person_id"),
        sa.CheckConstraint("ial IN (1, 2)", name="ck_accounts_ial"),
        sa.CheckConstraint(
            "status = CASE WHEN cardinality(lock_reasons) = 0 THEN 'active' ELSE 'locked' END",
            name="ck_accounts_status",
        ),
        sa.CheckConstraint(f"lock_reasons <@ {_REASONS}", name="ck_accounts_lock_reasons"),
        sa.CheckConstraint("(status = 'locked') = (locked_at IS NOT NULL)", name="ck_accounts_locked_at"),
        sa.CheckConstraint("password_hash LIKE '$argon2id$%'", name="ck_accounts_password_hash"),
        sa.CheckConstraint("code_tries >= 0", name="ck_accounts_code_tries"),
        schema="identity",
    )
    grant(op, "identity.accounts", web="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE", reader="")
    # Counting needs no hash and no seed.
    op.execute(
        "GRANT SELECT (person_id, account_id, ial, status, lock_reasons, locked_at, enrolled_at)"
        " ON identity.accounts TO dinhdanh_reader"
    )


def _attempts() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("mac", sa.LargeBinary, nullable=False),
        _text("lane"),
        sa.Column("tries", sa.Integer, nullable=False),
        _instant("last_at"),
        _instant("next_try_at"),
        sa.PrimaryKeyConstraint("mac", "lane", name="pk_sign_in_attempts"),
        sa.CheckConstraint("octet_length(mac) = 32", name="ck_sign_in_attempts_mac"),
        sa.CheckConstraint("tries >= 1", name="ck_sign_in_attempts_tries"),
        schema="identity",
    )
    op.create_index("ix_sign_in_attempts_last_at", "sign_in_attempts", ["last_at"], schema="identity")
    rights = "SELECT, INSERT, UPDATE, DELETE"
    grant(op, "identity.sign_in_attempts", web=rights, worker="SELECT, DELETE", reader="")


def _events() -> None:
    op.create_table(
        "sign_in_events",
        _uuid("person_id"),
        _uuid("event_id"),
        _uuid("account_id"),
        _instant("at"),
        _text("outcome"),
        sa.Column("aal", sa.SmallInteger, nullable=False),
        _array("amr"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "event_id", name="pk_sign_in_events"),
        sa.ForeignKeyConstraint(
            ["person_id", "account_id"],
            ["identity.accounts.person_id", "identity.accounts.account_id"],
            name="fk_sign_in_events_person_id_account_id",
        ),
        sa.CheckConstraint(f"outcome IN ({_OUTCOMES})", name="ck_sign_in_events_outcome"),
        sa.CheckConstraint("aal BETWEEN 0 AND 4", name="ck_sign_in_events_aal"),
        schema="identity",
    )
    # History: written, read, never altered by those who serve.
    grant(op, "identity.sign_in_events", web="SELECT, INSERT", worker="SELECT, INSERT")
    op.create_index("ix_sign_in_events_at", "sign_in_events", ["person_id", "at"], schema="identity")


def _agencies() -> None:
    op.create_table(
        "agencies",
        _uuid("agency_id"),
        _text("code"),
        _text("name_vi"),
        _text("name_en"),
        _instant("made_at"),
        sa.PrimaryKeyConstraint("agency_id", name="pk_agencies"),
        sa.UniqueConstraint("code", name="uq_agencies_code"),
        sa.CheckConstraint("code ~ '^[A-Z0-9][A-Za-z0-9.-]{1,39}$'", name="ck_agencies_code"),
        schema="identity",
    )
    grant(op, "identity.agencies", web="SELECT, INSERT", worker="SELECT")
    op.create_table(
        "units",
        _uuid("agency_id"),
        _text("unit_code"),
        _text("name_vi"),
        _text("name_en"),
        _instant("made_at"),
        sa.PrimaryKeyConstraint("agency_id", "unit_code", name="pk_units"),
        sa.ForeignKeyConstraint(["agency_id"], ["identity.agencies.agency_id"], name="fk_units_agency_id"),
        schema="identity",
    )
    grant(op, "identity.units", web="SELECT, INSERT", worker="SELECT")


def _appointments() -> None:
    op.create_table(
        "appointments",
        _uuid("person_id"),
        _uuid("appointment_id"),
        _uuid("agency_id"),
        _text("unit_code"),
        _text("title"),
        _array("areas"),
        _array("permissions"),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=True),
        _instant("made_at"),
        _instant("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("person_id", "appointment_id", name="pk_appointments"),
        sa.ForeignKeyConstraint(
            ["agency_id", "unit_code"],
            ["identity.units.agency_id", "identity.units.unit_code"],
            name="fk_appointments_agency_id_unit_code",
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="ck_appointments_validity"),
        # No rule configured means refuse: an appointment names its area and what it allows.
        sa.CheckConstraint("cardinality(areas) > 0 AND cardinality(permissions) > 0", name="ck_appointments_not_empty"),
        schema="identity",
    )
    grant(
        op,
        "identity.appointments",
        web="SELECT, INSERT, UPDATE (ended_at)",
        worker="SELECT, UPDATE (ended_at)",
    )


def downgrade() -> None:
    forward_only()
