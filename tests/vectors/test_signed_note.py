"""Ed25519 is deterministic: our signer must give the published note byte by byte, our reader must accept it."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacy.journal.note import Signer, verifier_key
from privacy.journal.verify_notes import NoteBroken, opened, public_key_of

VECTOR = json.loads(Path(__file__).with_name("signed_note.json").read_text())
NAME = "PeterNeumann"
NOTE = VECTOR["text"] + "\n" + VECTOR["signature_line"]
SEED = base64.b64decode(VECTOR["signer_key"].split("+", 4)[4])[1:]
SIGNER = Signer(NAME, Ed25519PrivateKey.from_private_bytes(SEED))
PUBLIC = public_key_of(VECTOR["verifier_key"])[1]


def test_the_signer_gives_the_published_note() -> None:
    assert SIGNER.sign(VECTOR["text"]) == NOTE
    assert verifier_key(NAME, SIGNER.public_key) == VECTOR["verifier_key"]


def test_both_readers_accept_it() -> None:
    assert opened(NOTE, NAME, PUBLIC) == VECTOR["text"]
    assert SIGNER.wrote(NOTE) == VECTOR["text"]


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    other = Signer("witness.example/w1", Ed25519PrivateKey.generate())
    note = NOTE + other.sign(VECTOR["text"]).rpartition("\n\n")[2]
    assert opened(note, NAME, PUBLIC) == VECTOR["text"]
    assert SIGNER.wrote(note) == VECTOR["text"]


@pytest.mark.parametrize(
    "broken",
    [
        NOTE.replace("cryptography", "cryptographY"),
        NOTE.replace("x08go", "x08gp"),
        NOTE.replace("/ZJkuB", "/ZJkuC"),
        NOTE.replace("— Peter", "- Peter"),
        NOTE.replace("— PeterNeumann", "— Somebody"),
        NOTE[:-1],
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("answer", "ans\twer"),
        VECTOR["text"],
        "",
    ],
)
def test_anything_else_is_refused(broken: str) -> None:
    with pytest.raises(NoteBroken):
        opened(broken, NAME, PUBLIC)


def test_the_sequencer_does_not_believe_a_changed_note() -> None:
    assert SIGNER.wrote(NOTE.replace("cryptography", "cryptographY")) is None
    assert SIGNER.wrote(VECTOR["text"]) is None


@pytest.mark.parametrize(
    "mangled",
    [
        VECTOR["verifier_key"].replace("c74f20a3", "c74f20a4"),
        VECTOR["verifier_key"].replace("PeterNeumann", "PeterNeuman"),
        VECTOR["verifier_key"][:-4],
        "PeterNeumann",
    ],
)
def test_a_mangled_verifier_key_is_refused(mangled: str) -> None:
    with pytest.raises(NoteBroken):
        public_key_of(mangled)
