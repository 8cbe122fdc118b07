"""Purposes (mục đích xử lý): their texts in both languages and the hash of the texts. Pure.

A consent names the version it was given to; a published version never changes. A new major means that the
purpose itself became another one, so consents to the former major count no more (coverage.py).
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson


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
    document = {"code": code, "vi": asdict(normal(vi)), "en": asdict(normal(en))}
    return hashlib.sha256(canonical(document)).digest()


def normal(texts: PurposeTexts) -> PurposeTexts:
    """The texts in NFC, as they are stored, shown and hashed."""
    return PurposeTexts(**{name: unicodedata.normalize("NFC", text) for name, text in asdict(texts).items()})
