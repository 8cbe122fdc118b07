"""The vault's tables. Nothing in them is of use without the key-encryption keys."""

import uuid

from sqlalchemy import Column, Integer, SmallInteger
from sqlmodel import Field

from core.tables import Table, blob


class VaultKey(Table, table=True):
    """A wrapped data key: one per purpose, bucket and version.

    purpose: a field group, or one of the vault's own (`person`, `index`, `system`, `pseudonyms`).
    state: `next` is known but not used yet, `active` seals, `previous` only opens.
    """

    __tablename__ = "vault_keys"
    __table_args__ = {"schema": "privacy"}

    purpose: str = Field(primary_key=True)
    bucket: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    key_version: int = Field(sa_column=Column(Integer, primary_key=True))
    state: str
    kek_id: str
    wrapped: bytes = Field(sa_column=blob())


class PersonKeyRow(Table, table=True):
    """A person's key, sealed by the data key of his bucket. Deleting the row erases what it sealed."""

    __tablename__ = "person_keys"
    __table_args__ = {"schema": "privacy"}

    person_id: uuid.UUID = Field(primary_key=True)
    sealed: bytes = Field(sa_column=blob())
