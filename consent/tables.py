"""The tables of the schema `consent`. None holds a value of a record: only names of fields.

Purposes and policies are reference tables; consents, answers and receipts are about a person and have
`person_id` first. Agencies belong to identity: their id and code are copied here, without a foreign key
across schemas, because a consent must stay readable after the agency is gone.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Column, SmallInteger
from sqlmodel import Field

from core.tables import Table, blob, instant, jsonb, text_array

SCHEMA = {"schema": "consent"}

LEGAL_BASES = (
    "consent",  # Law 91/2025 art. 9
    "vital-interest",  # art. 19.1 a: urgent protection of life, health, dignity, rights
    "emergency",  # art. 19.1 b: emergency, national security, riot, terror, crime prevention
    "statutory-duty",  # art. 19.1 c: a state body doing its statutory work
    "contract",  # art. 19.1 d: performing an agreement of the data subject
    "other-law",  # art. 19.1 đ: cases named by other laws
)
"""Grounds for processing, by their code in policies, requests and journal lines."""

ANSWERS = ("match", "fields")
"""How far a policy lets an answer go: match / no match only, or the fields themselves as well."""

LOCALES = ("vi", "en")
CHANNELS = ("web",)
ENDED_BY = ("subject", "representative", "operator", "life-event")
DECISIONS = ("allow", "refuse")
ACTS = ("given", "withdrawn")


def _small(nullable: bool = False) -> Any:
    return Column(SmallInteger, nullable=nullable)


class PurposeRow(Table, table=True):
    """One version of a purpose (mục đích xử lý) and its texts. A new major asks every citizen again.

    text_hash: SHA-256 over the canonical texts (purposes.text_hash). if_refused: what happens without it.
    At most one version per code has no valid_to.
    """

    __tablename__ = "purposes"
    __table_args__ = SCHEMA

    purpose_code: str = Field(primary_key=True)
    major: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    minor: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    title_vi: str
    title_en: str
    description_vi: str
    description_en: str
    if_refused_vi: str
    if_refused_en: str
    legal_source_vi: str
    legal_source_en: str
    text_hash: bytes = Field(sa_column=blob())
    legal_bases: list[str] = Field(sa_column=text_array())
    valid_from: datetime = Field(sa_column=instant())
    valid_to: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    published_at: datetime = Field(sa_column=instant())


class PolicyRow(Table, table=True):
    """What one agency may get for one purpose (chính sách chia sẻ), in one version.

    fields: every field it may ask for; mandatory_fields: those without which the purpose cannot be served.
    legal_bases: the grounds it may name. max_answer: see ANSWERS. keep_days: how long the recipient may keep
    what it got. consent_days: how long a consent lasts. procedures: allowed procedure codes, empty = any.
    """

    __tablename__ = "policies"
    __table_args__ = SCHEMA

    agency_id: uuid.UUID = Field(primary_key=True)
    purpose_code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    agency_code: str
    fields: list[str] = Field(sa_column=text_array())
    mandatory_fields: list[str] = Field(sa_column=text_array())
    legal_bases: list[str] = Field(sa_column=text_array())
    max_answer: str
    min_aal: int = Field(sa_column=_small())
    min_ial: int = Field(sa_column=_small())
    needs_dossier: bool
    needs_procedure: bool
    procedures: list[str] = Field(sa_column=text_array())
    keep_days: int
    consent_days: int
    valid_from: datetime = Field(sa_column=instant())
    valid_to: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    published_at: datetime = Field(sa_column=instant())


class AnswerRow(Table, table=True):
    """A citizen's one answer to one question: the claim that makes a double submit harmless.

    answer_key: SHA-256 over interaction and question. Refusals are kept as well: they are answers.
    """

    __tablename__ = "answers"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    answer_key: bytes = Field(sa_column=blob(primary_key=True))
    decision: str
    agency_id: uuid.UUID
    client_id: str
    result: dict[str, Any] = Field(sa_column=jsonb())
    answered_at: datetime = Field(sa_column=instant())


class ConsentRow(Table, table=True):
    """One consent (sự đồng ý): person × recipient × purpose → fields. Only its end is ever written later.

    reference: random, for pages and agencies; it opens nothing by itself, so it is kept readable: every use
    is checked against the session's person or the client's agency. keep_days, text_hash: as they were shown.
    """

    __tablename__ = "consents"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    consent_id: uuid.UUID = Field(primary_key=True)
    reference: str
    answer_key: bytes = Field(sa_column=blob())
    agency_id: uuid.UUID
    agency_code: str
    client_id: str
    client_name: str
    purpose_code: str
    purpose_major: int = Field(sa_column=_small())
    purpose_minor: int = Field(sa_column=_small())
    policy_version: int
    text_hash: bytes = Field(sa_column=blob())
    locale: str
    channel: str
    fields: list[str] = Field(sa_column=text_array())
    aal: int = Field(sa_column=_small())
    ial: int = Field(sa_column=_small())
    keep_days: int
    given_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    withdrawn_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    withdrawn_by: str | None = None


class DeclinedRow(Table, table=True):
    """A voluntary field that was offered and left unticked, so that it is not offered at every sign-in."""

    __tablename__ = "declined"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    agency_id: uuid.UUID = Field(primary_key=True)
    purpose_code: str = Field(primary_key=True)
    field_code: str = Field(primary_key=True)
    purpose_major: int = Field(sa_column=_small())
    expires_at: datetime = Field(sa_column=instant())


class ReceiptRow(Table, table=True):
    """The receipt of one act (biên nhận): its whole content as it was, and the hash of that. Never changed.

    body: the text as shown, field names and labels, recipient, instants. body_hash: SHA-256 over its
    canonical JSON (receipts.canonical).
    """

    __tablename__ = "receipts"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    receipt_id: uuid.UUID = Field(primary_key=True)
    reference: str
    consent_id: uuid.UUID
    act: str
    body: dict[str, Any] = Field(sa_column=jsonb())
    body_hash: bytes = Field(sa_column=blob())
    issued_at: datetime = Field(sa_column=instant())
