"""Purposes (mục đích xử lý): their texts in both languages, the hash of the texts, and how they are loaded.

A consent names the version it was given to; a published version never changes. A new major means that the
purpose itself became another one, so consents to the former major count no more (coverage.py).
"""

import hashlib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ARRAY, Text, and_, bindparam, func, or_, select

from consent.tables import PurposeRow
from core.database import Query, Row, Tx


@dataclass(frozen=True, slots=True)
class PurposeTexts:
    """What people read, in one language. if_refused: what happens to the service without this consent."""

    title: str
    description: str
    if_refused: str
    legal_source: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """One published version of a purpose."""

    code: str
    major: int
    minor: int
    vi: PurposeTexts
    en: PurposeTexts
    text_hash: bytes
    legal_bases: frozenset[str]
    valid_from: datetime

    @property
    def version(self) -> str:
        """ "major.minor", as people and receipts see it."""
        return f"{self.major}.{self.minor}"

    def texts(self, locale: str) -> PurposeTexts:
        return self.en if locale == "en" else self.vi


def canonical(document: Mapping[str, Any]) -> bytes:
    """Canonical JSON for hashing: keys sorted, no spaces, UTF-8. No floats occur in our documents."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def text_hash(code: str, vi: PurposeTexts, en: PurposeTexts) -> bytes:
    """SHA-256 over the canonical texts, NFC: {"code", "vi": {…}, "en": {…}}. 32 bytes.

    This is what proves which text was agreed to (Decree 356/2025 art. 6.2).
    """
    document = {"code": code, "vi": _normal(vi), "en": _normal(en)}
    return hashlib.sha256(canonical(document)).digest()


def _normal(texts: PurposeTexts) -> dict[str, str]:
    return {name: unicodedata.normalize("NFC", text) for name, text in asdict(texts).items()}


_C = PurposeRow.__table__.c  # type: ignore[attr-defined]
_IN_FORCE = and_(_C.valid_from <= bindparam("now"), or_(_C.valid_to.is_(None), _C.valid_to > bindparam("now")))
_CURRENT = Query(select(*_C).where(_C.purpose_code == func.any(bindparam("codes", type_=ARRAY(Text))), _IN_FORCE))
_VERSION = Query(
    select(*_C).where(
        _C.purpose_code == bindparam("code"), _C.major == bindparam("major"), _C.minor == bindparam("minor")
    )
)


async def load_purposes(tx: Tx, codes: Collection[str], now: datetime) -> dict[str, Purpose]:
    """The versions in force at `now`, by code; a code without one is missing."""
    rows = await tx.rows(_CURRENT, codes=list(codes), now=now)
    return {row["purpose_code"]: purpose_of(row) for row in rows}


async def load_purpose_version(tx: Tx, code: str, major: int, minor: int) -> Purpose | None:
    """One version, in force or not: what a consent was given to."""
    row = await tx.row(_VERSION, code=code, major=major, minor=minor)
    return None if row is None else purpose_of(row)


def purpose_of(row: Row) -> Purpose:
    """A row of consent.purposes as a domain object."""
    return Purpose(
        code=row["purpose_code"],
        major=row["major"],
        minor=row["minor"],
        vi=_texts_of(row, "vi"),
        en=_texts_of(row, "en"),
        text_hash=bytes(row["text_hash"]),
        legal_bases=frozenset(row["legal_bases"]),
        valid_from=row["valid_from"],
    )


def _texts_of(row: Row, locale: str) -> PurposeTexts:
    return PurposeTexts(
        title=row[f"title_{locale}"],
        description=row[f"description_{locale}"],
        if_refused=row[f"if_refused_{locale}"],
        legal_source=row[f"legal_source_{locale}"],
    )
