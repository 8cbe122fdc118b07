"""The tables of CIBA. What a client wrote lies sealed; secrets are kept as hashes."""

import uuid
from datetime import datetime

from sqlmodel import Field

from core.tables import Table, blob, instant

SCHEMA = {"schema": "oidc"}
STATES = ("waiting", "approved", "denied")


class CibaRequestRow(Table, table=True):
    """One request about one person. A request about nobody has a person that does not exist (person.py).

    secret_hash: of the auth_req_id. request_id: random, ends in the person's bucket; stands in the address of the
    person's page. sealed: JSON of the checked parameters. state: waiting, approved, denied. interval_seconds,
    next_poll_at, too_fast: see collect.py. gid: the grant that was made. ping_sealed: JSON {token, auth_req_id} until
    the client was told; ping_due_at: not before, set when the request is decided.
    """

    __tablename__ = "ciba_requests"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    request_id: uuid.UUID = Field(primary_key=True)
    secret_hash: bytes = Field(sa_column=blob())
    client_id: str
    sealed: bytes = Field(sa_column=blob())
    state: str
    requested_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    interval_seconds: int
    next_poll_at: datetime = Field(sa_column=instant())
    too_fast: bool
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    gid: uuid.UUID | None = None
    redeemed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ping_sealed: bytes | None = Field(default=None, sa_column=blob(nullable=True))
    ping_due_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ping_attempts: int


class CibaSubjectRow(Table, table=True):
    """Whom a `sub` means that a client may send back as a hint. subject_hash: SHA-256 of the subject, a MAC itself."""

    __tablename__ = "ciba_subjects"
    __table_args__ = SCHEMA

    subject_hash: bytes = Field(sa_column=blob(primary_key=True))
    person_id: uuid.UUID
