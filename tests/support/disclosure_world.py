"""A registry with the personas, an agency with policies, and a disclosure door, on a test module's database.

Everything is real but the answer to "is this grant live": `ListedGrants` is a simulator whose list a test
empties to revoke.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import bindparam, insert, update

from consent.brake import Brake
from consent.consents import consent_row
from consent.coverage import GivenConsent
from consent.disclose import DisclosureDoor
from consent.disclosure import DisclosureRequest, PersonProof
from consent.drafts import PolicyDraft, PurposeDraft
from consent.guard import ConsentGuard
from consent.plugs import Recipient
from consent.publish import Publisher
from consent.purposes import PurposeTexts
from consent.tables import AnswerRow, ConsentRow
from core.actor import Actor
from core.cache import Cache
from core.clock import Clock, FixedClock
from core.database import Database, Query, Tx
from core.ids import new_id, new_reference
from core.outbox import Outbox
from identity.api import SelfDeclarations
from population_db.api import Registry
from population_db.import_run import import_file
from population_db.synthetic.personas import persona, personas
from privacy.journal.api import ActorRef, Journal, StoredLine
from privacy.vault.api import KeyEncryptionKeys, Vault

OPERATOR = ActorRef("operator", "tests")
AGENCY = Recipient(uuid.UUID("0199aaaa-0000-7000-8000-00000000000a"), "H26.12")
OTHER_AGENCY = Recipient(uuid.UUID("0199aaaa-0000-7000-8000-00000000000b"), "H40.01")
SCHOOL, PENSION, DESK = "school-enrolment", "pension-check", "desk-service"
PROCEDURE, DOSSIER = "1.004441", "H26.12-261102-0001"

_ADD_ANSWER = Query(insert(AnswerRow))
_ADD_CONSENT = Query(insert(ConsentRow))
_C: Any = ConsentRow.__table__.c  # type: ignore[attr-defined]
_WITHDRAW = Query(
    update(ConsentRow)
    .where(_C.person_id == bindparam("b_person"), _C.consent_id == bindparam("b_consent"))
    .values(withdrawn_at=bindparam("b_now", type_=_C.given_at.type), withdrawn_by="subject")
)


@dataclass
class ListedGrants:
    """Grants are live while they are listed."""

    listed: set[uuid.UUID] = field(default_factory=set)

    async def live(self, tx: Tx, grant_ids: Collection[uuid.UUID]) -> frozenset[uuid.UUID]:
        return frozenset(grant_ids) & self.listed


@dataclass
class DisclosureWorld:
    """The rooms, and short ways to ask them."""

    web: Database
    cache: Cache
    clock: FixedClock
    vault: Vault
    grants: ListedGrants = field(default_factory=ListedGrants)

    def __post_init__(self) -> None:
        self.registry = Registry(self.vault, self.clock, Outbox(self.clock))
        self.journal = Journal(self.web, self.clock, self.vault, ConsentGuard(self.clock, self.grants))
        self.brake = Brake(self.cache, lambda number: self.vault.blind("brake", number).mac)
        self.declarations = SelfDeclarations(self.vault, self.clock)
        self.door = DisclosureDoor(self.web, self.registry, self.journal, self.clock, self.brake, self.declarations)

    async def person_id(self, key: str) -> uuid.UUID:
        async with self.web.raw_read() as tx:
            ref = await self.registry.find_by_number(tx, persona(key).number)
        assert ref is not None
        return ref.person_id

    async def publish(self, agency: Recipient, purpose: str, **terms: Any) -> None:
        """A purpose (once) and a policy of the agency for it, in force now."""
        texts = PurposeTexts(purpose, f"What {purpose} is for.", "Bring the papers.", "Law 26/2023")
        bases = frozenset({"consent", "statutory-duty"})
        draft = PolicyDraft(
            **{
                "agency_id": agency.agency_id,
                "agency_code": agency.code,
                "purpose": purpose,
                "fields": frozenset({"full_name", "birth_date", "sex", "permanent_residence"}),
                "legal_bases": bases,
                "keep_days": 90,
                "consent_days": 365,
                "procedures": frozenset({PROCEDURE}),
                **terms,
            }
        )
        publisher = Publisher(self.journal, self.clock)
        async with self.web.page() as tx:
            await publisher.purpose(tx, PurposeDraft(purpose, texts, texts, bases), by=OPERATOR)
            await publisher.policy(tx, draft, by=OPERATOR)

    async def consent(
        self, person_id: uuid.UUID, *, agency: Recipient = AGENCY, purpose: str = SCHOOL, **changes: Any
    ) -> uuid.UUID:
        """A live consent to the full name and the birth date."""
        now = self.clock.now()
        values: dict[str, Any] = {
            "consent_id": new_id(),
            "person_id": person_id,
            "agency_id": agency.agency_id,
            "purpose": purpose,
            "purpose_major": 1,
            "fields": frozenset({"full_name", "birth_date"}),
            "keep_days": 90,
            "given_at": now,
            "expires_at": now + timedelta(days=365),
            "withdrawn_at": None,
            "reference": new_reference(person_id),
            "agency_code": agency.code,
            "client_id": "portal",
            "client_name": "Portal",
            "purpose_minor": 0,
            "policy_version": 1,
            "text_hash": b"\x00" * 32,
            "locale": "vi",
            "channel": "web",
            "aal": 2,
            "ial": 2,
            "withdrawn_by": None,
        }
        consent = GivenConsent(**{**values, **changes})
        key = new_id().bytes * 2
        async with self.web.raw() as tx:
            await tx.run(
                _ADD_ANSWER,
                person_id=person_id,
                answer_key=key,
                decision="allow",
                agency_id=agency.agency_id,
                client_id="portal",
                result={},
                answered_at=now,
            )
            await tx.run(_ADD_CONSENT, **consent_row(consent, key))
        return consent.consent_id

    async def withdraw(self, person_id: uuid.UUID, consent_id: uuid.UUID) -> None:
        async with self.web.raw() as tx:
            await tx.run(_WITHDRAW, b_person=person_id, b_consent=consent_id, b_now=self.clock.now())

    async def lines(self, person_id: uuid.UUID | None, limit: int = 50) -> list[StoredLine]:
        """What the journal says about a person (None: about nobody), newest first."""
        async with self.web.raw_read() as tx:
            return await self.journal.about(tx, person_id or uuid.UUID(int=0), limit=limit)

    async def count_lines(self) -> dict[str, int]:
        """Lines by kind, of all people."""
        async with self.web.raw_read() as tx:
            rows = await tx.conn.fetch("SELECT kind, count(*) AS n FROM privacy.journal_lines GROUP BY kind")
        return {row["kind"]: row["n"] for row in rows}


async def make_world(
    owner: Database, web: Database, worker_url: str, cache: Cache, clock: FixedClock, folder: Path
) -> DisclosureWorld:
    """Keys, the personas' records by the real import, and three policies."""
    keys_path = folder / "kek.json"
    keks = KeyEncryptionKeys.create(keys_path)
    async with owner.raw() as tx:
        await Vault.create_missing_keys(tx, keks)
        vault = await Vault.load(tx, keks)
    await import_personas(worker_url, keys_path, clock, folder)
    world = DisclosureWorld(web, cache, clock, vault)
    await world.publish(AGENCY, SCHOOL)
    duty = frozenset({"statutory-duty"})
    await world.publish(AGENCY, DESK, fields=DESK_FIELDS, legal_bases=duty, min_aal=2, min_ial=2)
    await world.publish(OTHER_AGENCY, SCHOOL)
    await world.publish(OTHER_AGENCY, PENSION, fields=frozenset({"full_name", "life_status"}), legal_bases=duty)
    return world


DESK_FIELDS = frozenset({"full_name", "birth_date", "sex", "life_status", "permanent_residence", "marital_status"})


async def import_personas(worker_url: str, keys_path: Path, clock: Clock, folder: Path) -> None:
    """The sandbox's personas, by the import command's own code."""
    file = folder / "personas.jsonl"
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in personas()))
    report = await import_file(
        file,
        database_url=worker_url,
        open_keys=partial(KeyEncryptionKeys.from_file, keys_path),
        clock=clock,
        events={},
        processes=0,
    )
    assert report.rejected == 0


def record_of(key: str) -> Mapping[str, Any]:
    """What the import file says of a persona."""
    return {row["number"]: row for row in personas()}[persona(key).number]


def client_actor(client_id: str = "agency-backend", agency: Recipient = AGENCY, **changes: Any) -> Actor:
    return Actor(kind="client", client_id=client_id, agency_id=agency.agency_id, agency_code=agency.code, **changes)


def lookup(key: str, **changes: Any) -> DisclosureRequest:
    """A back end's question for the name and birth date of a persona, on the ground of consent."""
    one = persona(key)
    values: dict[str, Any] = {
        "action": "lookup.records",
        "actor": client_actor(),
        "subject": PersonProof(one.number, one.full_name),
        "agency": AGENCY,
        "purpose": SCHOOL,
        "legal_basis": "consent",
        "fields": ("full_name", "birth_date"),
        "procedure": PROCEDURE,
        "dossier": DOSSIER,
    }
    return DisclosureRequest(**{**values, **changes})
