"""The tables of the schema `population_db`. None of them holds personal data in clear.

Names, numbers, dates and addresses are in `sealed` columns (privacy.vault) or stand as keyed digests
(`mac`). What is readable: internal identifiers, status codes, source codes, and instants of recording.
`Mac` tables are found by digest and can be distributed by it; all others have `person_id` first.
"""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, SmallInteger
from sqlmodel import Field

from core.tables import Table, blob, instant, jsonb

SCHEMA = {"schema": "population_db"}

STATUSES = ("alive", "dead", "missing", "renounced")
"""Person status: sống, đã chết, mất tích, thôi quốc tịch."""

NUMBER_STATUSES = ("active", "cancelled")


class Person(Table, table=True):
    """One person. `version` grows with every change and decides which of two events at once wins.

    status_since: when this service recorded the status, not the day of the event (that one is sealed).
    run_id, run_line: the import and the line the person first came with; null when made by hand.
    """

    __tablename__ = "persons"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    status: str
    status_since: datetime = Field(sa_column=instant())
    version: int
    recorded_at: datetime = Field(sa_column=instant())
    run_id: uuid.UUID | None = None
    run_line: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


class PersonNumber(Table, table=True):
    """One of the 12-digit numbers a person has or had, sealed. At most one is active."""

    __tablename__ = "person_numbers"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    ordinal: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    status: str
    sealed: bytes = Field(sa_column=blob())
    reason: str | None = None
    cancelled_on: date | None = None
    recorded_at: datetime = Field(sa_column=instant())


class NumberIndex(Table, table=True):
    """Digest of a 12-digit number → person. Unique: a number is never given to another person (art. 12)."""

    __tablename__ = "number_index"
    __table_args__ = SCHEMA

    mac: bytes = Field(sa_column=blob(primary_key=True))
    key_version: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    person_id: uuid.UUID
    status: str


class SearchIndex(Table, table=True):
    """Digest of what is searched → persons, of which there may be several.

    kind: name-date, name-year-province, old-id (9-digit numbers are not trusted as unique).
    """

    __tablename__ = "search_index"
    __table_args__ = SCHEMA

    mac: bytes = Field(sa_column=blob(primary_key=True))
    key_version: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    person_id: uuid.UUID = Field(primary_key=True)
    kind: str


class PersonGroup(Table, table=True):
    """One version of one field group of one person: a sealed JSON object {field code: value}.

    content_mac: keyed digest of person, group and content, to see that a row of an import says nothing new.
    valid_from: the day from which the content holds as the source says it; recorded_at, superseded_at: when
    this service learned it and learned better. Exactly one version has no superseded_at.
    """

    __tablename__ = "person_groups"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    group_code: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    sealed: bytes = Field(sa_column=blob())
    content_mac: bytes = Field(sa_column=blob())
    source: str
    as_of: date
    valid_from: date
    recorded_at: datetime = Field(sa_column=instant())
    superseded_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class Household(Table, table=True):
    """A household (hộ gia đình), known by the digest of its key at the source."""

    __tablename__ = "households"
    __table_args__ = SCHEMA

    household_id: uuid.UUID = Field(primary_key=True)
    key_version: int = Field(sa_column=Column(SmallInteger, nullable=False))
    key_mac: bytes = Field(sa_column=blob())
    recorded_at: datetime = Field(sa_column=instant())


class HouseholdMember(Table, table=True):
    """Who belonged to which household from when to when; a person is in one household at a time."""

    __tablename__ = "household_members"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    household_id: uuid.UUID = Field(primary_key=True)
    recorded_at: datetime = Field(sa_column=instant(primary_key=True))
    valid_from: date
    valid_to: date | None = None


class ImportRun(Table, table=True):
    """One import of one file; unfinished ones can be resumed by importing the same file again."""

    __tablename__ = "import_runs"
    __table_args__ = SCHEMA

    run_id: uuid.UUID = Field(primary_key=True)
    file_digest: bytes = Field(sa_column=blob())
    file_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    batch_size: int
    started_at: datetime = Field(sa_column=instant())
    finished_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class ImportBatch(Table, table=True):
    """A batch that is in the registry: written in the batch's own transaction, so it is done or it is not.

    rejects: [[line, byte offset, reason code, field], …]; no value of the row is kept.
    """

    __tablename__ = "import_batches"
    __table_args__ = SCHEMA

    run_id: uuid.UUID = Field(primary_key=True)
    batch: int = Field(primary_key=True)
    first_line: int = Field(sa_column=Column(BigInteger, nullable=False))
    bytes_done: int = Field(sa_column=Column(BigInteger, nullable=False))
    rows_read: int
    inserted: int
    updated: int
    unchanged: int
    rejected: int
    rejects: list[Any] = Field(sa_column=jsonb())
    recorded_at: datetime = Field(sa_column=instant())


class ImportSeen(Table, table=True):
    """Numbers met in an unfinished run whose person was there before, to find the same number twice in a file.

    New persons carry their run and line themselves. Emptied when the run ends.
    """

    __tablename__ = "import_seen"
    __table_args__ = SCHEMA

    run_id: uuid.UUID = Field(primary_key=True)
    mac: bytes = Field(sa_column=blob(primary_key=True))
    line: int = Field(sa_column=Column(BigInteger, nullable=False))
