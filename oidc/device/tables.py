"""The table of device requests."""

import uuid
from datetime import datetime

from sqlmodel import Field

from core.tables import Table, blob, instant

SCHEMA = {"schema": "oidc"}


class DeviceRequestRow(Table, table=True):
    """One request of a kiosk. It is about nobody until it is answered, so it is not distributed by person.

    bucket: of the user code's MAC; both codes lead to it, so both find the shard. secret_hash: of the device_code.
    user_code_mac: keyed, since eight letters could be tried out. sealed: JSON of the checked parameters and the user
    code, which the page shows. person_id, gid: set when it is approved; the grant lies with the person.
    """

    __tablename__ = "device_requests"
    __table_args__ = SCHEMA

    bucket: int = Field(primary_key=True)
    request_id: uuid.UUID = Field(primary_key=True)
    secret_hash: bytes = Field(sa_column=blob())
    user_code_mac: bytes = Field(sa_column=blob())
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
    person_id: uuid.UUID | None = None
