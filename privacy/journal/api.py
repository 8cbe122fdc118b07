"""The door of the journal. `dinhdanh journal verify` calls `privacy.journal.verify.verify`."""

from privacy.journal.errors import DisclosureRefused, JournalBroken
from privacy.journal.journal import Journal
from privacy.journal.line import NOBODY, ActorRef, BadLine, Line, LineRef, StoredLine
from privacy.journal.log_key import LogKey, LogKeyError
from privacy.journal.note import origin_of
from privacy.journal.partitions import make_months
from privacy.journal.protocols import DisclosureGuard, PersonKey, PersonKeys
from privacy.journal.rights import excess_rights, writable
from privacy.journal.sequencer import Sequencer
from privacy.journal.verify import verify
from privacy.journal.verify_notes import NoteBroken, public_key_of
from privacy.journal.verify_report import Finding, Progress, VerifyReport

__all__ = [
    "NOBODY",
    "ActorRef",
    "BadLine",
    "DisclosureGuard",
    "DisclosureRefused",
    "Finding",
    "Journal",
    "JournalBroken",
    "Line",
    "LineRef",
    "LogKey",
    "LogKeyError",
    "NoteBroken",
    "PersonKey",
    "PersonKeys",
    "Progress",
    "Sequencer",
    "StoredLine",
    "VerifyReport",
    "excess_rights",
    "make_months",
    "origin_of",
    "public_key_of",
    "verify",
    "writable",
]
