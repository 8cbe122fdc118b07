"""A vault and a journal on a test module's database, with simulators of a guard and of a database owner."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.clock import Clock, FixedClock
from core.database import Database, Tx
from core.ids import new_id
from privacy.journal.api import ActorRef, Journal, Line, LogKey, Sequencer, VerifyReport, verify
from privacy.vault.api import KeyEncryptionKeys, Vault

ISSUER = "https://id.example.vn"
START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


async def make_vault(owner: Database, folder: Path) -> Vault:
    """Keys for an empty database, and the vault of a process that loads them."""
    keks = KeyEncryptionKeys.create(folder / f"kek-{os.urandom(4).hex()}.json")
    async with owner.raw() as tx:
        await Vault.create_missing_keys(tx, keks)
    async with owner.raw() as tx:
        return await Vault.load(tx, keks)


class ListedGuard:
    """Refuses the lines whose basis says so; remembers how many it was asked at once."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def refused(self, tx: Tx, asked: Sequence[tuple[Line, Mapping[str, Any]]]) -> Mapping[int, str]:
        self.batches.append(len(asked))
        return {at: str(basis["refuse"]) for at, (_, basis) in enumerate(asked) if "refuse" in basis}


@dataclass
class JournalRoom:
    """A journal with everything around it."""

    web: Database
    worker: Database
    reader: Database
    owner: Database
    vault: Vault
    clock: FixedClock = field(default_factory=lambda: FixedClock(START))
    guard: ListedGuard = field(default_factory=ListedGuard)
    log_key: LogKey = field(default_factory=lambda: LogKey(Ed25519PrivateKey.generate()))

    def __post_init__(self) -> None:
        self.journal = Journal(self.web, self.clock, self.vault, self.guard)
        self.sequencer = self.another_sequencer()

    def another_sequencer(self, clock: Clock | None = None, issuer: str = ISSUER) -> Sequencer:
        return Sequencer(self.worker, clock or self.clock, self.log_key.signer(issuer))

    async def act(self, person_id: UUID | None = None, **changes: Any) -> UUID:
        """Writes an act; gives its line_id."""
        async with self.web.raw() as tx:
            return (await self.journal.write(tx, line(person_id, kind="act", **changes))).line_id

    async def check(self, **asked: Any) -> VerifyReport:
        async with self.reader.raw() as tx:
            return await verify(tx, self.vault, self.log_key.public_key, now=self.clock.now(), **asked)

    async def tamper(self, sql: str, *values: Any) -> None:
        """What the owner of the database can do: switch the triggers off, and change rows."""
        tables = ("journal_lines", "journal_leaves", "journal_checkpoints")
        async with self.owner.raw() as tx:
            for table in tables:
                await tx.conn.execute(f"ALTER TABLE privacy.{table} DISABLE TRIGGER only_added")
            status = await tx.conn.execute(sql, *values)
            assert not status.endswith(" 0"), f"nothing was tampered with: {status}"
            for table in tables:
                await tx.conn.execute(f"ALTER TABLE privacy.{table} ENABLE TRIGGER only_added")

    async def empty(self) -> None:
        """An empty journal for the next test."""
        async with self.owner.raw() as tx:
            for table in ("journal_lines", "journal_leaves", "journal_checkpoints"):
                for name in ("only_added", "only_added_whole"):
                    await tx.conn.execute(f"ALTER TABLE privacy.{table} DISABLE TRIGGER {name}")
            for part in await tx.conn.fetch(
                "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
                " WHERE inhparent = 'privacy.journal_lines'::regclass"
            ):
                await tx.conn.execute(f"ALTER TABLE {part['name']} DISABLE TRIGGER only_added_whole")
            await tx.conn.execute(
                "TRUNCATE privacy.journal_lines, privacy.journal_pending, privacy.journal_leaves,"
                " privacy.journal_checkpoints"
            )
            for part in await tx.conn.fetch(
                "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
                " WHERE inhparent = 'privacy.journal_lines'::regclass"
            ):
                await tx.conn.execute(f"ALTER TABLE {part['name']} ENABLE TRIGGER only_added_whole")
            for table in ("journal_lines", "journal_leaves", "journal_checkpoints"):
                for name in ("only_added", "only_added_whole"):
                    await tx.conn.execute(f"ALTER TABLE privacy.{table} ENABLE TRIGGER {name}")


def line(person_id: UUID | None = None, *, kind: str = "disclosure", **changes: Any) -> Line:
    """A plausible line."""
    values: dict[str, Any] = {
        "kind": kind,
        "action": "lookup.records",
        "subject": person_id or new_id(),
        "actor": ActorRef("client", "client-1", agency="HN-01", name_hint="Một cửa Hà Nội"),
        "agency": "HN-01",
        "purpose": "school-enrolment",
        "legal_basis": "consent",
        "procedure": "1.001193",
        "dossier": "HS-2026-0001",
        "fields": ("full_name", "birth_date"),
        "outcome": "answered",
        "details": {"consent": "c-1"},
    }
    return Line(**{**values, **changes})
