"""The tables of registration: tokens to register with, publishers of software statements, what awaits a second person.

They are about agencies and their clients, not about persons: reference tables. Tokens lie there hashed.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Column, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from core.tables import Table, blob, instant, jsonb, text_array

SCHEMA = {"schema": "oidc"}
REVIEW_KINDS = ("registration", "change")
DECISIONS = ("approved", "refused")


class InitialTokenRow(Table, table=True):
    """An initial access token (RFC 7591 §3) of an agency. profiles: those that may be registered with it, the
    default first. uses_left: counted down at each registration. seconded_by: who, beside made_by, stands for
    clients of a profile that needs two people."""

    __tablename__ = "initial_access_tokens"
    __table_args__ = SCHEMA

    token_id: uuid.UUID = Field(primary_key=True)
    token_hash: bytes = Field(sa_column=blob())
    agency_id: uuid.UUID
    agency_code: str
    profiles: list[str] = Field(sa_column=text_array())
    uses_left: int = Field(sa_column=Column(SmallInteger, nullable=False))
    note: str
    made_by: str
    seconded_by: str | None = None
    made_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    revoked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class PublisherRow(Table, table=True):
    """Somebody whose software statements (RFC 7591 §2.3) are believed. issuer: their `iss`. agency_id: for
    registrations of that agency alone; None for all."""

    __tablename__ = "software_publishers"
    __table_args__ = SCHEMA

    issuer: str = Field(primary_key=True)
    jwks: dict[str, Any] = Field(sa_column=jsonb())
    agency_id: uuid.UUID | None = None
    trusted_by: str
    trusted_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class ReviewRow(Table, table=True):
    """A registration or a change that a second person of the agency has to look at.

    metadata: of a change, as it will be; a new client's lies in its own row, which is pending. based_on: the
    client's changed_at when it was proposed. proposed_by, decided_by: who, as `person:<id>` or `operator:<name>`;
    *_title: what people are shown of them.
    """

    __tablename__ = "client_reviews"
    __table_args__ = SCHEMA

    review_id: uuid.UUID = Field(primary_key=True)
    client_id: str
    agency_id: uuid.UUID
    kind: str
    metadata_: dict[str, Any] | None = Field(
        default=None, sa_column=Column("metadata", JSONB(none_as_null=True), nullable=True)
    )
    based_on: datetime = Field(sa_column=instant())
    proposed_by: str
    proposed_title: str
    proposed_at: datetime = Field(sa_column=instant())
    decided_by: str | None = None
    decided_title: str | None = None
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    decision: str | None = None
    reason: str | None = None
