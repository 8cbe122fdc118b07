"""Identifiers of the driver's own kind are UUIDs to everybody else."""

import uuid

import pytest

from core.ids import bucket_of, random_id, read_id


def test_what_is_read_is_the_same_identifier() -> None:
    text = str(uuid.uuid4())
    read = read_id(text)
    assert isinstance(read, uuid.UUID)
    assert (read, hash(read), str(read), read.bytes) == (uuid.UUID(text), hash(uuid.UUID(text)), text, read.bytes)


@pytest.mark.parametrize("text", ["", "x", "1" * 31, "1" * 33, "z" * 32, "urn:uuid:" + "1" * 32])
def test_what_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_id(text)


def test_random_ones_end_in_the_bucket_of_the_person() -> None:
    person_id = uuid.uuid4()
    made = [random_id(person_id) for _ in range(200)]
    assert len(set(made)) == 200
    assert {bucket_of(each) for each in made} == {bucket_of(person_id)}
    assert {(each.version, each.variant) for each in made} == {(4, uuid.RFC_4122)}
