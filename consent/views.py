"""What the pages show of a question, of consents and of receipts: words and dates, in the reader's language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from consent.catalogue import CATALOGUE
from consent.purposes import Purpose, PurposeTexts
from consent.question import AskedPurpose


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field by its name; never its value. ticked: by the reader himself, on a page shown once more."""

    code: str
    label: str
    sensitive: bool
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class PurposeView:
    """One purpose on the question page."""

    code: str
    version: str
    texts: PurposeTexts
    mandatory: bool
    mandatory_fields: tuple[FieldView, ...]
    voluntary_fields: tuple[FieldView, ...]
    already: tuple[FieldView, ...]
    match_only: bool
    keep_days: int
    lasts_until: datetime
    ticked: bool


def field_views(codes: Iterable[str], locale: str, ticked: frozenset[str] = frozenset()) -> tuple[FieldView, ...]:
    """In the order of the catalogue."""
    wanted = frozenset(codes)
    return tuple(
        FieldView(code, spec.label_en if locale == "en" else spec.label_vi, spec.sensitive, code in ticked)
        for code, spec in CATALOGUE.items()
        if code in wanted
    )


def purpose_view(
    asked: AskedPurpose,
    purpose: Purpose,
    locale: str,
    now: datetime,
    ticked_purposes: frozenset[str],
    ticked_fields: frozenset[tuple[str, str]],
) -> PurposeView:
    """One asked purpose with its texts; purpose: the very version that is asked."""
    ticked = frozenset(field for code, field in ticked_fields if code == asked.code)
    return PurposeView(
        code=asked.code,
        version=purpose.version,
        texts=purpose.texts(locale),
        mandatory=asked.mandatory,
        mandatory_fields=field_views(asked.mandatory_fields, locale),
        voluntary_fields=field_views(asked.voluntary_fields, locale, ticked),
        already=field_views(asked.already, locale),
        match_only=asked.max_answer == "match",
        keep_days=asked.keep_days,
        lasts_until=now + timedelta(days=asked.consent_days),
        ticked=asked.code in ticked_purposes,
    )


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt's body for the page: instants as such, texts in the reader's language."""

    reference: str
    act: str
    recipient: str
    recipient_code: str
    client: str
    texts: PurposeTexts
    purpose: str
    version: str
    text_sha256: str
    fields: tuple[FieldView, ...]
    keep_days: int
    given_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    issued_at: datetime
    consent: str
    journal_line: str
    leaf_hash: str
    legal_source: str


def receipt_view(body: Mapping[str, Any], locale: str) -> ReceiptView:
    """The view of a stored body."""
    purpose, withdrawn_at = body["purpose"], body["withdrawn_at"]
    return ReceiptView(
        reference=body["reference"],
        act=body["act"],
        recipient=body["recipient"][f"name_{locale}"],
        recipient_code=body["recipient"]["code"],
        client=body["client"]["name"],
        texts=PurposeTexts(**purpose[locale]),
        purpose=purpose["code"],
        version=purpose["version"],
        text_sha256=purpose["text_sha256"],
        fields=tuple(FieldView(one["code"], one[f"label_{locale}"], one["sensitive"]) for one in body["fields"]),
        keep_days=body["keep_days"],
        given_at=datetime.fromisoformat(body["given_at"]),
        expires_at=datetime.fromisoformat(body["expires_at"]),
        withdrawn_at=datetime.fromisoformat(withdrawn_at) if withdrawn_at else None,
        issued_at=datetime.fromisoformat(body["issued_at"]),
        consent=body["consent"],
        journal_line=body["journal"]["line"],
        leaf_hash=body["journal"]["leaf_hash"],
        legal_source=body["legal_source"],
    )
