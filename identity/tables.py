"""The tables of the schema `identity`. None holds a number, a name or an address in clear.

Everything about a person has `person_id` first. `sign_in_attempts` is found by a keyed digest of the number
that was typed, so that it also counts numbers that have no account. Agencies and units are reference tables.
"""

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, Column, SmallInteger
from sqlmodel import Field

from core.tables import Table, blob, instant, text_array

SCHEMA = {"schema": "identity"}


class Account(Table, table=True):
    """The account of a person; at most one each.

    password_hash: Argon2id in PHC form. totp_sealed: the seed of the second factor, sealed by the vault's
    system key for the place `totp_place(account_id)`. last_totp_step: the last step spent. code_tries:
    codes tried since the last right one; code_next_try_at: not before. credentials_changed_at: sign-ins
    older than this no longer hold. locked_at: since when there is a reason without interruption.
    """

    __tablename__ = "accounts"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    account_id: uuid.UUID = Field(primary_key=True)
    ial: int = Field(sa_column=Column(SmallInteger, nullable=False))
    status: str
    lock_reasons: list[str] = Field(sa_column=text_array())
    locked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    password_hash: str
    totp_sealed: bytes | None = Field(default=None, sa_column=blob(nullable=True))
    last_totp_step: int = Field(sa_column=Column(BigInteger, nullable=False))
    code_tries: int
    code_next_try_at: datetime = Field(sa_column=instant())
    credentials_changed_at: datetime = Field(sa_column=instant())
    enrolled_at: datetime = Field(sa_column=instant())


class SignInAttempt(Table, table=True):
    """Tries of a number in one lane (see attempts.py), found by the keyed digest of the number typed."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = SCHEMA

    mac: bytes = Field(sa_column=blob(primary_key=True))
    lane: str = Field(primary_key=True)
    tries: int
    last_at: datetime = Field(sa_column=instant())
    next_try_at: datetime = Field(sa_column=instant())


class SignInEvent(Table, table=True):
    """One line of the holder's sign-in history, kept five years at least (Decree 59/2022 art. 21).

    sealed: JSON {client, agency, browser, network} under the person's own key: which portals somebody uses
    is sensitive (Decree 356/2025 art. 4).
    """

    __tablename__ = "sign_in_events"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    event_id: uuid.UUID = Field(primary_key=True)
    account_id: uuid.UUID
    at: datetime = Field(sa_column=instant())
    outcome: str
    aal: int = Field(sa_column=Column(SmallInteger, nullable=False))
    amr: list[str] = Field(sa_column=text_array())
    sealed: bytes = Field(sa_column=blob())


class AgencyRow(Table, table=True):
    """An agency (cơ quan) by its code, e.g. H26.12 (Decision 20/2020/QĐ-TTg)."""

    __tablename__ = "agencies"
    __table_args__ = SCHEMA

    agency_id: uuid.UUID = Field(primary_key=True)
    code: str
    name_vi: str
    name_en: str
    made_at: datetime = Field(sa_column=instant())


class UnitRow(Table, table=True):
    """A unit (đơn vị) of an agency, e.g. its one-stop desk."""

    __tablename__ = "units"
    __table_args__ = SCHEMA

    agency_id: uuid.UUID = Field(primary_key=True)
    unit_code: str = Field(primary_key=True)
    name_vi: str
    name_en: str
    made_at: datetime = Field(sa_column=instant())


class AppointmentRow(Table, table=True):
    """An official's appointment. valid_from, valid_to: days in Viet Nam, both included. ended_at: cut short."""

    __tablename__ = "appointments"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    appointment_id: uuid.UUID = Field(primary_key=True)
    agency_id: uuid.UUID
    unit_code: str
    title: str
    areas: list[str] = Field(sa_column=text_array())
    permissions: list[str] = Field(sa_column=text_array())
    valid_from: date
    valid_to: date | None = None
    made_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class SelfDeclaredRow(Table, table=True):
    """What a person says of himself; no fact of the registry. At most one row a person.

    sealed: JSON of the members that are said, under the person's own key, bound to this version of the row.
    """

    __tablename__ = "self_declared"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    version: int
    sealed: bytes = Field(sa_column=blob())
    updated_at: datetime = Field(sa_column=instant())
