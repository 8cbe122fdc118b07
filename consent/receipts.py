"""Receipts (biên nhận): one for each act, with the whole text, never changed, downloadable.

The body is the evidence that the controller owes (Decree 356/2025 art. 6.2) in the citizen's own hands: what
was agreed to, the text as it was shown, when, for how long, and the journal line the act stands in.
"""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select

from consent.catalogue import CATALOGUE
from consent.coverage import GivenConsent
from consent.purposes import Purpose, canonical
from consent.tables import ReceiptRow
from core.database import Query, Tx
from core.ids import new_id, new_reference
from identity.api import Agency
from privacy.journal.api import LineRef

FORMAT = "dinhdanh-receipt-1"
LEGAL_SOURCE = "Luật 91/2025/QH15, Điều 9; Nghị định 356/2025/NĐ-CP, Điều 6"

_RECEIPTS: Any = ReceiptRow.__table__  # type: ignore[attr-defined]
_R = _RECEIPTS.c
_ADD = Query(insert(_RECEIPTS))
_BY_REFERENCE = Query(select(*_R).where(_R.person_id == bindparam("person_id"), _R.reference == bindparam("reference")))
_OF_CONSENT = Query(
    select(*_R).where(
        _R.person_id == bindparam("person_id"),
        _R.consent_id == bindparam("consent_id"),
        _R.act == bindparam("act"),
    )
)
_REFERENCES = Query(select(_R.consent_id, _R.act, _R.reference).where(_R.person_id == bindparam("person_id")))


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt as it was issued. act: "given" or "withdrawn". body_hash: over the canonical body."""

    reference: str
    consent_id: uuid.UUID
    act: str
    body: Mapping[str, Any]
    body_hash: bytes
    issued_at: datetime

    def document(self) -> bytes:
        """What is downloaded: JSON {"receipt": body, "sha256": hex of SHA-256 over the canonical body}."""
        return canonical({"receipt": dict(self.body), "sha256": self.body_hash.hex()})


def receipt_body(
    act: str,
    reference: str,
    consent: GivenConsent,
    agency: Agency,
    purpose: Purpose,
    line: LineRef,
    issued_at: datetime,
) -> dict[str, Any]:
    """The content. Instants are RFC 3339 in UTC. It names fields, never their values, and no person."""
    return {
        "format": FORMAT,
        "reference": reference,
        "act": act,
        "issued_at": issued_at.isoformat(),
        "consent": consent.reference,
        "recipient": {"code": agency.code, "name_vi": agency.name_vi, "name_en": agency.name_en},
        "client": {"id": consent.client_id, "name": consent.client_name},
        "purpose": {
            "code": purpose.code,
            "version": purpose.version,
            "text_sha256": consent.text_hash.hex(),
            "vi": asdict(purpose.vi),
            "en": asdict(purpose.en),
        },
        "fields": [_field(code) for code in CATALOGUE if code in consent.fields],
        "keep_days": consent.keep_days,
        "policy_version": consent.policy_version,
        "locale": consent.locale,
        "channel": consent.channel,
        "aal": consent.aal,
        "ial": consent.ial,
        "given_at": consent.given_at.isoformat(),
        "expires_at": consent.expires_at.isoformat(),
        "withdrawn_at": consent.withdrawn_at.isoformat() if consent.withdrawn_at else None,
        "withdrawn_by": consent.withdrawn_by,
        "legal_source": LEGAL_SOURCE,
        "journal": {
            "line": str(line.line_id),
            "leaf_hash": line.leaf_hash.hex(),
            "recorded_at": line.recorded_at.isoformat(),
        },
    }


async def issue(
    tx: Tx, act: str, consent: GivenConsent, agency: Agency, purpose: Purpose, line: LineRef, now: datetime
) -> Receipt:
    """Writes the receipt of an act in the act's transaction."""
    reference = new_reference(consent.person_id)
    body = receipt_body(act, reference, consent, agency, purpose, line, now)
    made = Receipt(reference, consent.consent_id, act, body, hashlib.sha256(canonical(body)).digest(), now)
    await tx.run(
        _ADD,
        person_id=consent.person_id,
        receipt_id=new_id(),
        reference=made.reference,
        consent_id=made.consent_id,
        act=act,
        body=body,
        body_hash=made.body_hash,
        issued_at=now,
    )
    return made


async def find_own_receipt(tx: Tx, person_id: uuid.UUID, reference: str) -> Receipt | None:
    """One of the person's own receipts; another's is as if it did not exist."""
    row = await tx.row(_BY_REFERENCE, person_id=person_id, reference=reference)
    return None if row is None else _receipt_of(row)


async def find_receipt_of(tx: Tx, person_id: uuid.UUID, consent_id: uuid.UUID, act: str) -> Receipt | None:
    """The receipt of one act on one consent."""
    row = await tx.row(_OF_CONSENT, person_id=person_id, consent_id=consent_id, act=act)
    return None if row is None else _receipt_of(row)


async def receipt_references(tx: Tx, person_id: uuid.UUID) -> dict[tuple[uuid.UUID, str], str]:
    """(consent_id, act) → reference, for all receipts of a person."""
    rows = await tx.rows(_REFERENCES, person_id=person_id)
    return {(row["consent_id"], row["act"]): row["reference"] for row in rows}


def _field(code: str) -> dict[str, Any]:
    spec = CATALOGUE[code]
    return {
        "code": code,
        "label_vi": spec.label_vi,
        "label_en": spec.label_en,
        "sensitive": spec.sensitive,
    }


def _receipt_of(row: Mapping[str, Any]) -> Receipt:
    return Receipt(
        reference=row["reference"],
        consent_id=row["consent_id"],
        act=row["act"],
        body=row["body"],
        body_hash=bytes(row["body_hash"]),
        issued_at=row["issued_at"],
    )
