import pytest

from core.ids import new_id
from privacy.pseudonyms.api import SUBJECT_LENGTH, Pseudonyms

KEY = bytes(32)


def test_a_subject_is_stable_and_opaque() -> None:
    person = new_id()
    subject = Pseudonyms(KEY).subject("portal.example.vn", person)
    assert subject == Pseudonyms(KEY).subject("portal.example.vn", person)
    assert len(subject) == SUBJECT_LENGTH
    assert person.hex not in subject
    assert subject.replace("-", "").replace("_", "").isalnum()


def test_sectors_persons_and_keys_share_nothing() -> None:
    person, other = new_id(), new_id()
    subjects = {
        Pseudonyms(KEY).subject("a.example", person),
        Pseudonyms(KEY).subject("b.example", person),
        Pseudonyms(KEY).subject("a.example", other),
        Pseudonyms(bytes(31) + b"\x01").subject("a.example", person),
    }
    assert len(subjects) == 4


def test_wrong_use_is_refused_and_the_key_hidden() -> None:
    with pytest.raises(ValueError):
        Pseudonyms(b"short")
    with pytest.raises(ValueError):
        Pseudonyms(KEY).subject("", new_id())
    assert "x00" not in repr(Pseudonyms(KEY))
