"""`verified_claims` (OpenID Connect for Identity Assurance 1.0; Identity Assurance Schema Definition 1.0). Pure.

Claims of the registry with what vouches for them: under which trust framework, at which level and when the person
was proofed, and which records or card the claims come from. Nothing is told that was not asked for; what does not
meet a limit of the request is left out, with the whole set when the limit is on the verification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from core.clock import VIETNAM
from oidc.claim_ask import ClaimAsk
from oidc.claim_values import Matches
from oidc.claims import COUNTRY, field_of, value_of, verifiable_claims
from oidc.verified_request import CARD, EVIDENCE, NUMBER, EvidenceFilter, Node, VerifiedAsk
from population_db.api import FIELDS, GROUPS, FieldValue

TRUST_FRAMEWORK = "vn_dinhdanh"
"""Proofing by Decree 69/2024 against the population database (Law 26/2023); docs/claims-and-levels.md says more."""
LEVELS = ("ial1", "ial2")
"""`assurance_level`: the account's level (mức độ tài khoản), as in `acr`. How the person signed in is no part."""
RECORD_TYPE = "population_register"
DOCUMENT_TYPE = "idcard"
COUNTRY_CODE = "VNM"


@dataclass(frozen=True, slots=True)
class Assurance:
    """What an answer is made of. values: the fields that may be told for this set. process: reference to the
    proofing, of this sector alone. ial: as the person signed in. proofed_at: None when it is not known."""

    values: Mapping[str, FieldValue]
    ial: int
    proofed_at: datetime | None
    process: str
    now: datetime
    matches: Matches


@dataclass(frozen=True, slots=True)
class _Told:
    """An instant or a day as it is told, and its last second, from which its age counts."""

    text: str
    until: datetime


class _Unmet(Exception):
    """A limit of the request is not met."""


def metadata() -> dict[str, Any]:
    """For discovery (Identity Assurance §8)."""
    return {
        "verified_claims_supported": True,
        "trust_frameworks_supported": [TRUST_FRAMEWORK],
        "evidence_supported": list(EVIDENCE),
        "electronic_records_supported": [RECORD_TYPE],
        "documents_supported": [DOCUMENT_TYPE],
        "claims_in_verified_claims_supported": verifiable_claims(),
    }


def verified_set(ask: VerifiedAsk, assurance: Assurance) -> dict[str, Any] | None:
    """One element of `verified_claims`, or None when it has to be left out as a whole."""
    claims = _claims(ask, assurance)
    have: dict[str, Any] = {
        "trust_framework": TRUST_FRAMEWORK,
        "assurance_level": LEVELS[assurance.ial - 1],
        "verification_process": assurance.process,
    }
    if assurance.proofed_at is not None:
        have["time"] = _instant(assurance.proofed_at)
    try:
        verification = _fill(ask.verification, have, "verified", assurance)
        if ask.evidence is not None:
            verification["evidence"] = _evidence(ask.evidence, claims, assurance)
    except _Unmet:
        return None
    return {"verification": verification, "claims": claims}


def _claims(ask: VerifiedAsk, assurance: Assurance) -> dict[str, Any]:
    told = {}
    for name, asked in ask.claims.items():
        held = assurance.values.get(field_of(name) or "")
        value = None if held is None else value_of(name, held.value)
        if value is None:
            continue
        if asked.blind is None or assurance.matches(f"verified/claims/{name}", value, asked.blind):
            told[name] = value
    return told


def _evidence(
    filters: tuple[EvidenceFilter, ...], claims: Mapping[str, Any], assurance: Assurance
) -> list[dict[str, Any]]:
    """Every piece that one of the filters lets through, by the first that does. Raises _Unmet without any."""
    found = []
    for kind, piece in (*_records(claims, assurance), *_card(assurance)):
        for each in filters:
            if each.kind != kind:
                continue
            try:
                filled = _fill(each.asked, piece, f"verified/evidence/{kind}", assurance)
            except _Unmet:
                continue
            found.append({"type": kind, **filled})
            break
    if not found:
        raise _Unmet
    return found


def _records(claims: Mapping[str, Any], assurance: Assurance) -> list[tuple[str, dict[str, Any]]]:
    """A record for each group of fields that the claims come from, with its source and date."""
    held: dict[str, FieldValue] = {}
    for name in claims:
        field = field_of(name) or ""
        held.setdefault(FIELDS[field].group, assurance.values[field])
    return [
        (
            "electronic_record",
            {
                "record": {
                    "type": RECORD_TYPE,
                    "created_at": _day_as_instant(held[group].as_of),
                    "source": {"name": held[group].source, "country": COUNTRY, "country_code": COUNTRY_CODE},
                }
            },
        )
        for group in GROUPS
        if group in held
    ]


def _card(assurance: Assurance) -> list[tuple[str, dict[str, Any]]]:
    """The identity card, when it may be told and there is one. It bears the personal number as its own."""
    card = assurance.values.get(CARD)
    if card is None:
        return []
    held, number = card.value, assurance.values.get(NUMBER)
    details: dict[str, Any] = {
        "type": DOCUMENT_TYPE,
        "issuer": {"name": held.get("issued_by"), "country": COUNTRY, "country_code": COUNTRY_CODE},
    }
    for name, member in (("date_of_issuance", "issued_on"), ("date_of_expiry", "expires_on")):
        if held.get(member):
            details[name] = _day(str(held[member]))
    if number is not None:
        details["document_number"] = number.value
    return [("document", {"document_details": details})]


_ALONG = {"record": "type", "document_details": "type"}
"""Object → the member that the schema demands in it: it comes with the object."""


def _fill(asked: Mapping[str, Node], have: Mapping[str, Any], place: str, assurance: Assurance) -> dict[str, Any]:
    """What is asked of what there is. Raises _Unmet."""
    told: dict[str, Any] = {}
    for name, node in asked.items():
        at, held = f"{place}/{name}", have.get(name)
        if isinstance(node, ClaimAsk):
            value = _leaf(node, held, at, assurance)
            if value is not None:
                told[name] = value
            continue
        inner = _fill(node, held or {}, at, assurance)
        if held and name in _ALONG:
            inner.setdefault(_ALONG[name], held[_ALONG[name]])
        if inner:
            told[name] = inner
    return told


def _leaf(asked: ClaimAsk, held: Any, place: str, assurance: Assurance) -> Any:
    if held is None:
        if asked.constrained:
            raise _Unmet
        return None
    value = held.text if isinstance(held, _Told) else held
    if asked.blind is not None and not assurance.matches(place, value, asked.blind):
        raise _Unmet
    if asked.max_age is not None and _older(held, asked.max_age, assurance.now):
        raise _Unmet
    return value


def _older(held: Any, seconds: int, now: datetime) -> bool:
    """Whether more than that has passed since; what is no instant has no age that could be met."""
    return not isinstance(held, _Told) or (now - held.until).total_seconds() > seconds


def _instant(at: datetime) -> _Told:
    at = at.astimezone(UTC).replace(microsecond=0)
    return _Told(at.strftime("%Y-%m-%dT%H:%M:%SZ"), at)


def _day(text: str) -> _Told:
    """A day in Viet Nam, told as it stands."""
    return _Told(text, _end_of(date.fromisoformat(text)))


def _day_as_instant(day: date) -> _Told:
    """The beginning of a day in Viet Nam, for members that want an instant."""
    begin = datetime.combine(day, time(), VIETNAM).astimezone(UTC)
    return _Told(begin.strftime("%Y-%m-%dT%H:%M:%SZ"), _end_of(day))


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), VIETNAM)
