"""Identifiers: time-ordered internal ones, and random references that go outside.

A reference carries two bytes of bucket, so that a sharded database finds its shard, beside 192 random
bits or more. Public references are never UUIDv7, which tells the time of making.
"""

import hashlib
import secrets
import uuid

import uuid_utils
from asyncpg.pgproto.pgproto import UUID

from core import base64url

_RANDOM_BYTES = 24


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 (RFC 9562), for internal keys only."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def random_id(person_id: uuid.UUID) -> uuid.UUID:
    """A random (version 4) identifier that ends in the person's bucket, so that a shard can be found."""
    return _id(uuid_utils.uuid4().bytes[:-2] + person_id.bytes[-2:])


def read_id(text: str) -> uuid.UUID:
    """An identifier out of its text. Raises ValueError."""
    return _id(text)


def _id(written: str | bytes) -> uuid.UUID:
    # The database driver's own kind of UUID, as rows have it: it is read and written in a seventh of the time.
    made: uuid.UUID = UUID(written)
    return made


def bucket_of(person_id: uuid.UUID) -> int:
    """The bucket of a person, 0..65535: the last two (random) bytes of the identifier."""
    return person_id.int & 0xFFFF


def new_reference(person_id: uuid.UUID | None = None, *, random_bytes: int = _RANDOM_BYTES) -> str:
    """A reference to hand out: base64url, 35 characters unless more random bytes are asked for, bucket first.

    Without a person the bucket is random too.
    """
    if person_id is None:
        return base64url.encode(secrets.token_bytes(2 + random_bytes))
    return base64url.encode(bucket_of(person_id).to_bytes(2, "big") + secrets.token_bytes(random_bytes))


def hash_reference(reference: str) -> bytes:
    """What is stored of a reference: its SHA-256, 32 bytes. Enough for 192 random bits, no salt needed."""
    return hashlib.sha256(reference.encode()).digest()
