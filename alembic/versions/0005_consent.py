"""Consent: purposes, policies, answers, consents, declined fields, receipts.

Revision ID: 0005_consent
Revises: 0004_identity
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.migrations import create_schema, forward_only, grant

revision = "0005_consent"
down_revision = "0004_identity"
branch_labels = None
depends_on = None

# Written out, not imported: a migration says what was true when it was written.
_LEGAL_BASES = "ARRAY['consent','vital-interest','emergency','statutory-duty','contract','other-law']"
_CODE = "'^[a-z][a-z0-9-]{1,62}$'"


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _array(name: str) -> sa.Column:
    return sa.Column(name, postgresql.ARRAY(sa.Text), nullable=False)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False)


def _small(name: str) -> sa.Column:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def _int(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=False)


def _uuid(name: str) -> sa.Column:
    return sa.Column(name, sa.Uuid, nullable=False)


def _hash(name: str) -> sa.Column:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def upgrade() -> None:
    create_schema(op, "consent")
    _purposes()
    _policies()
    _answers()
    _consents()
    _declined()
    _receipts()


def _purposes() -> None:
    op.create_table(
        "purposes",
        _text("purpose_code"),
        _small("major"),
        _small("minor"),
        _text("title_vi"),
        _text("title_en"),
        _text("description_vi"),
        _text("description_en"),
        _text("if_refused_vi"),
        _text("if_refused_en"),
        _text("legal_source_vi"),
        _text("legal_source_en"),
        _hash("text_hash"),
        _array("legal_bases"),
        _instant("valid_from"),
        _instant("valid_to", nullable=True),
        _instant("published_at"),
        sa.PrimaryKeyConstraint("purpose_code", "major", "minor", name="pk_purposes"),
        sa.CheckConstraint(f"purpose_code ~ {_CODE}", name="ck_purposes_code"),
        sa.CheckConstraint("major >= 1 AND minor >= 0", name="ck_purposes_version"),
        sa.CheckConstraint("octet_length(text_hash) = 32", name="ck_purposes_text_hash"),
        sa.CheckConstraint(
            f"cardinality(legal_bases) > 0 AND legal_bases <@ {_LEGAL_BASES}", name="ck_purposes_legal_bases"
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="ck_purposes_validity"),
        schema="consent",
    )
    # One open version per code; PostgreSQL without btree_gist has no exclusion over text and ranges.
    op.create_index(
        "uq_purposes_open",
        "purposes",
        ["purpose_code"],
        unique=True,
        schema="consent",
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    # What was published stays as it was: only its end may be written.
    grant(op, "consent.purposes", web="SELECT, INSERT, UPDATE (valid_to)", worker="SELECT")


def _policies() -> None:
    op.create_table(
        "policies",
        _uuid("agency_id"),
        _text("purpose_code"),
        _int("version"),
        _text("agency_code"),
        _array("fields"),
        _array("mandatory_fields"),
        _array("legal_bases"),
        _text("max_answer"),
        _small("min_aal"),
        _small("min_ial"),
        sa.Column("needs_dossier", sa.Boolean, nullable=False),
        sa.Column("needs_procedure", sa.Boolean, nullable=False),
        _array("procedures"),
        _int("keep_days"),
        _int("consent_days"),
        _instant("valid_from"),
        _instant("valid_to", nullable=True),
        _instant("published_at"),
        sa.PrimaryKeyConstraint("agency_id", "purpose_code", "version", name="pk_policies"),
        sa.CheckConstraint("version >= 1", name="ck_policies_version"),
        sa.CheckConstraint("cardinality(fields) > 0 AND mandatory_fields <@ fields", name="ck_policies_fields"),
        sa.CheckConstraint(
            f"cardinality(legal_bases) > 0 AND legal_bases <@ {_LEGAL_BASES}", name="ck_policies_legal_bases"
        ),
        sa.CheckConstraint("max_answer IN ('match', 'fields')", name="ck_policies_max_answer"),
        sa.CheckConstraint("min_aal BETWEEN 1 AND 4 AND min_ial BETWEEN 1 AND 2", name="ck_policies_levels"),
        # Nothing is kept or consented without end (five years are the longest).
        sa.CheckConstraint("keep_days BETWEEN 0 AND 36525", name="ck_policies_keep_days"),
        sa.CheckConstraint("consent_days BETWEEN 1 AND 1827", name="ck_policies_consent_days"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="ck_policies_validity"),
        schema="consent",
    )
    op.create_index(
        "uq_policies_open",
        "policies",
        ["agency_id", "purpose_code"],
        unique=True,
        schema="consent",
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    grant(op, "consent.policies", web="SELECT, INSERT, UPDATE (valid_to)", worker="SELECT")


def _answers() -> None:
    op.create_table(
        "answers",
        _uuid("person_id"),
        _hash("answer_key"),
        _text("decision"),
        _uuid("agency_id"),
        _text("client_id"),
        sa.Column("result", postgresql.JSONB, nullable=False),
        _instant("answered_at"),
        sa.PrimaryKeyConstraint("person_id", "answer_key", name="pk_answers"),
        sa.CheckConstraint("octet_length(answer_key) = 32", name="ck_answers_answer_key"),
        sa.CheckConstraint("decision IN ('allow', 'refuse')", name="ck_answers_decision"),
        schema="consent",
    )
    grant(op, "consent.answers", web="SELECT, INSERT", worker="SELECT")


def _consents() -> None:
    op.create_table(
        "consents",
        _uuid("person_id"),
        _uuid("consent_id"),
        _text("reference"),
        _hash("answer_key"),
        _uuid("agency_id"),
        _text("agency_code"),
        _text("client_id"),
        _text("client_name"),
        _text("purpose_code"),
        _small("purpose_major"),
        _small("purpose_minor"),
        _int("policy_version"),
        _hash("text_hash"),
        _text("locale"),
        _text("channel"),
        _array("fields"),
        _small("aal"),
        _small("ial"),
        _int("keep_days"),
        _instant("given_at"),
        _instant("expires_at"),
        _instant("withdrawn_at", nullable=True),
        sa.Column("withdrawn_by", sa.Text, nullable=True),
        *_consent_constraints(),
        schema="consent",
    )
    op.create_index(
        "ix_consents_live",
        "consents",
        ["person_id", "agency_id", "purpose_code"],
        schema="consent",
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index("ix_consents_reference", "consents", ["reference"], schema="consent")
    # A consent is evidence (Decree 356/2025 art. 6.2): only its end may be written, once (see the trigger).
    ended = "SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_by)"
    grant(op, "consent.consents", web=ended, worker=ended)
    _end_is_final()


def _consent_constraints() -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("person_id", "consent_id", name="pk_consents"),
        sa.UniqueConstraint("person_id", "reference", name="uq_consents_person_id_reference"),
        sa.UniqueConstraint(
            "person_id", "answer_key", "purpose_code", name="uq_consents_person_id_answer_key_purpose_code"
        ),
        sa.ForeignKeyConstraint(
            ["person_id", "answer_key"],
            ["consent.answers.person_id", "consent.answers.answer_key"],
            name="fk_consents_person_id_answer_key",
        ),
        sa.ForeignKeyConstraint(
            ["purpose_code", "purpose_major", "purpose_minor"],
            ["consent.purposes.purpose_code", "consent.purposes.major", "consent.purposes.minor"],
            name="fk_consents_purpose",
        ),
        sa.ForeignKeyConstraint(
            ["agency_id", "purpose_code", "policy_version"],
            ["consent.policies.agency_id", "consent.policies.purpose_code", "consent.policies.version"],
            name="fk_consents_policy",
        ),
        sa.CheckConstraint("octet_length(text_hash) = 32", name="ck_consents_text_hash"),
        sa.CheckConstraint("locale IN ('vi', 'en')", name="ck_consents_locale"),
        sa.CheckConstraint("channel IN ('web')", name="ck_consents_channel"),
        sa.CheckConstraint("cardinality(fields) > 0", name="ck_consents_fields"),
        sa.CheckConstraint("aal BETWEEN 1 AND 4 AND ial BETWEEN 1 AND 2", name="ck_consents_levels"),
        sa.CheckConstraint("expires_at > given_at", name="ck_consents_expiry"),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND (withdrawn_at IS NULL OR withdrawn_at >= given_at)",
            name="ck_consents_withdrawal",
        ),
        sa.CheckConstraint(
            "withdrawn_by IN ('subject', 'representative', 'operator', 'life-event')",
            name="ck_consents_withdrawn_by",
        ),
    ]


def _end_is_final() -> None:
    op.execute(
        """
        CREATE FUNCTION consent.ended_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.withdrawn_at IS NOT NULL THEN
                RAISE EXCEPTION 'a withdrawn consent is final' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER ended_once BEFORE UPDATE ON consent.consents FOR EACH ROW EXECUTE FUNCTION consent.ended_once()"
    )


def _declined() -> None:
    op.create_table(
        "declined",
        _uuid("person_id"),
        _uuid("agency_id"),
        _text("purpose_code"),
        _text("field_code"),
        _small("purpose_major"),
        _instant("expires_at"),
        sa.PrimaryKeyConstraint("person_id", "agency_id", "purpose_code", "field_code", name="pk_declined"),
        schema="consent",
    )
    grant(op, "consent.declined", web="SELECT, INSERT, UPDATE", worker="SELECT, DELETE")


def _receipts() -> None:
    op.create_table(
        "receipts",
        _uuid("person_id"),
        _uuid("receipt_id"),
        _text("reference"),
        _uuid("consent_id"),
        _text("act"),
        sa.Column("body", postgresql.JSONB, nullable=False),
        _hash("body_hash"),
        _instant("issued_at"),
        sa.PrimaryKeyConstraint("person_id", "receipt_id", name="pk_receipts"),
        sa.UniqueConstraint("person_id", "reference", name="uq_receipts_person_id_reference"),
        sa.UniqueConstraint("person_id", "consent_id", "act", name="uq_receipts_person_id_consent_id_act"),
        sa.ForeignKeyConstraint(
            ["person_id", "consent_id"],
            ["consent.consents.person_id", "consent.consents.consent_id"],
            name="fk_receipts_person_id_consent_id",
        ),
        sa.CheckConstraint("act IN ('given', 'withdrawn')", name="ck_receipts_act"),
        sa.CheckConstraint("octet_length(body_hash) = 32", name="ck_receipts_body_hash"),
        schema="consent",
    )
    grant(op, "consent.receipts", web="SELECT, INSERT", worker="SELECT, INSERT")


def downgrade() -> None:
    forward_only()
