"""The queue of Back-Channel Logout."""

import uuid
from datetime import datetime

from sqlmodel import Field

from core.tables import Table, instant
from oidc.tables import SCHEMA

OUTCOMES = ("delivered", "refused", "given-up", "dropped")


class LogoutMessageRow(Table, table=True):
    """One logout that a client is to be told of.

    sid: the session; without one, all sessions of the person at that client. due_at: when it may be (re)tried; a
    try moves it ahead first, so that a worker that dies in the middle is followed by another. outcome: how it ended
    (`refused`: the client answered 400; `dropped`: the client wants none any more); None while it waits.
    """

    __tablename__ = "logout_messages"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    message_id: uuid.UUID = Field(primary_key=True)
    client_id: str
    sid: str | None = None
    created_at: datetime = Field(sa_column=instant())
    due_at: datetime = Field(sa_column=instant())
    attempts: int = 0
    last_error: str | None = None
    outcome: str | None = None
    settled_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
