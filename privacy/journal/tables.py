"""The journal's tables. Rows of all but `journal_pending` are only ever added."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Column, SmallInteger
from sqlmodel import Field

from core.tables import Table, blob, instant


class JournalLine(Table, table=True):
    """A line: a few clear columns for counting, and salt ‖ canonical line sealed under the subject's key.

    Partitioned by month of recorded_at. person_id: the subject, or the nil UUID.
    """

    __tablename__ = "journal_lines"
    __table_args__ = {"schema": "privacy"}

    person_id: uuid.UUID = Field(primary_key=True)
    recorded_at: datetime = Field(sa_column=instant(primary_key=True))
    line_id: uuid.UUID = Field(primary_key=True)
    schema_version: int = Field(sa_column=Column(SmallInteger, nullable=False))
    kind: str
    action: str
    outcome: str
    agency: str | None = None
    purpose: str | None = None
    actor_kind: str
    actor_id: str
    sealed: bytes = Field(sa_column=blob())


class JournalPending(Table, table=True):
    """A committed line that has no place in the tree yet. Written with the line, taken by the sequencer."""

    __tablename__ = "journal_pending"
    __table_args__ = {"schema": "privacy"}

    line_id: uuid.UUID = Field(primary_key=True)
    recorded_at: datetime = Field(sa_column=instant())
    leaf_hash: bytes = Field(sa_column=blob())


class JournalLeaf(Table, table=True):
    """A leaf of the tree."""

    __tablename__ = "journal_leaves"
    __table_args__ = {"schema": "privacy"}

    leaf_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    leaf_hash: bytes = Field(sa_column=blob())
    line_id: uuid.UUID = Field(unique=True)
    recorded_at: datetime = Field(sa_column=instant())


class JournalCheckpoint(Table, table=True):
    """A signed state of the tree."""

    __tablename__ = "journal_checkpoints"
    __table_args__ = {"schema": "privacy"}

    serial: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    tree_size: int = Field(sa_column=Column(BigInteger, nullable=False, unique=True))
    root_hash: bytes = Field(sa_column=blob())
    frontier: bytes = Field(sa_column=blob())
    signed_at: datetime = Field(sa_column=instant())
    note: str
    statement: str
