"""The question put to a citizen: exactly what is asked, by whom, and not yet agreed to. Pure.

It is built from loaded rows, kept as JSON in the interaction and shown by the page; its digest travels in
the form, so that an answer counts only for the very question that was shown.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from consent.catalogue import POSITIONS, of_registry
from consent.coverage import cover, to_ask
from consent.decide import Consented
from consent.policies import Policy
from consent.purposes import Purpose, canonical
from core.errors import NotAllowed
from identity.api import Agency

CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class PurposeAsk:
    """What a client asks for one purpose.

    fields: empty means all of the policy's. essential: when not empty, the only ones the client needs; it can
    make a mandatory field voluntary, never the other way round. mandatory: the service cannot go on without
    this purpose (said on the page; the refusal is honoured all the same). named: fields asked for by name where
    another ask wants all of the policy's.
    """

    code: str
    fields: tuple[str, ...] = ()
    essential: frozenset[str] = frozenset()
    mandatory: bool = False
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ConsentAsk:
    """What a client asks of one person. again: the portal wants the question in any case (prompt=consent).

    policy_uri, terms_uri: the service's own words on data protection and its terms, https, linked on the page.
    offline_days: how long it wants to renew its access without the person; 0 for not at all.
    """

    person_id: uuid.UUID
    agency_id: uuid.UUID
    client_id: str
    client_name: str
    asks: tuple[PurposeAsk, ...]
    locale: str = "vi"
    again: bool = False
    policy_uri: str | None = None
    terms_uri: str | None = None
    offline_days: int = 0


@dataclass(frozen=True, slots=True)
class AskedPurpose:
    """One purpose as it is put to the citizen. already: fields agreed to earlier, not asked here.

    text_hash: hex."""

    code: str
    major: int
    minor: int
    text_hash: str
    policy_version: int
    mandatory: bool
    mandatory_fields: tuple[str, ...]
    voluntary_fields: tuple[str, ...]
    already: tuple[str, ...]
    max_answer: str
    keep_days: int
    consent_days: int
    min_aal: int
    min_ial: int

    @property
    def fields(self) -> tuple[str, ...]:
        return self.mandatory_fields + self.voluntary_fields


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of whom, for whom. Nothing in it is a value of a record.

    purposes: none when the client asks for no data: then the sign-in itself is asked about. agreed_before:
    something of what the client asks for is agreed to already and not asked here, so that it can go on with that.
    again: all is asked anew; what is left unticked ends (give.py). offline_days: as asked, told beside the rest.
    """

    person_id: uuid.UUID
    agency_id: uuid.UUID
    agency_code: str
    agency_name_vi: str
    agency_name_en: str
    client_id: str
    client_name: str
    purposes: tuple[AskedPurpose, ...]
    agreed_before: bool
    again: bool
    policy_uri: str | None = None
    terms_uri: str | None = None
    offline_days: int = 0

    def purpose(self, code: str) -> AskedPurpose | None:
        return next((one for one in self.purposes if one.code == code), None)

    @property
    def min_aal(self) -> int:
        return max((one.min_aal for one in self.purposes), default=1)

    @property
    def min_ial(self) -> int:
        return max((one.min_ial for one in self.purposes), default=1)

    def agency_name(self, locale: str) -> str:
        return self.agency_name_en if locale == "en" else self.agency_name_vi

    def to_json(self) -> dict[str, Any]:
        """For interaction.consent_ask."""
        return {**asdict(self), "person_id": str(self.person_id), "agency_id": str(self.agency_id)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Question":
        """The inverse of to_json. Raises KeyError, TypeError or ValueError on anything else."""
        return cls(
            **{
                **raw,
                "person_id": uuid.UUID(raw["person_id"]),
                "agency_id": uuid.UUID(raw["agency_id"]),
                "purposes": tuple(_purpose_from_json(one) for one in raw["purposes"]),
            }
        )

    def digest(self) -> bytes:
        """SHA-256 over the canonical JSON, 32 bytes."""
        return hashlib.sha256(canonical(self.to_json())).digest()


@dataclass(frozen=True, slots=True)
class Known:
    """What was loaded for one person and one recipient, by purpose code. declined: see coverage.to_ask."""

    purposes: Mapping[str, Purpose]
    policies: Mapping[str, Policy]
    consents: Mapping[str, Iterable[Consented]]
    declined: Mapping[str, frozenset[str]]


def build_question(
    ask: ConsentAsk,
    agency: Agency,
    known: Known,
    now: datetime,
) -> Question | None:
    """The question, or None when everything is agreed to already. Asked anew, there is always one.

    Raises NotAllowed `purpose-not-allowed` when the agency may not ask consent for one of the purposes.
    Fields beyond the policy are left out.
    """
    asked = [_ask_one(one, known, ask.again, now) for one in merged(ask.asks)]
    open_ones = tuple(one for one in asked if one.fields)
    if not open_ones and not ask.again:
        return None
    return Question(
        person_id=ask.person_id,
        agency_id=agency.agency_id,
        agency_code=agency.code,
        agency_name_vi=agency.name_vi,
        agency_name_en=agency.name_en,
        client_id=ask.client_id,
        client_name=ask.client_name,
        purposes=open_ones,
        agreed_before=any(one.already for one in asked),
        again=ask.again,
        policy_uri=ask.policy_uri,
        terms_uri=ask.terms_uri,
        offline_days=ask.offline_days,
    )


def merged(asks: Iterable[PurposeAsk]) -> list[PurposeAsk]:
    """The asks with each purpose once: fields are joined, the stricter half is kept."""
    by_code: dict[str, PurposeAsk] = {}
    for ask in asks:
        before = by_code.get(ask.code)
        if before is not None:
            everything = not before.fields or not ask.fields
            ask = PurposeAsk(
                code=ask.code,
                fields=() if everything else before.fields + ask.fields,
                essential=before.essential | ask.essential,
                mandatory=before.mandatory or ask.mandatory,
                named=before.named | ask.named | {*before.fields, *ask.fields} if everything else frozenset(),
            )
        by_code[ask.code] = ask
    return list(by_code.values())


def allowed_fields(ask: PurposeAsk, policy: Policy) -> tuple[str, ...]:
    """Asked for ∩ policy, in the order of the catalogue. What people say of themselves has to be named."""
    wanted = frozenset(ask.fields) if ask.fields else of_registry(policy.fields) | ask.named
    wanted &= policy.fields
    return tuple(sorted(wanted & POSITIONS.keys(), key=POSITIONS.__getitem__))


def _ask_one(ask: PurposeAsk, known: Known, again: bool, now: datetime) -> AskedPurpose:
    purpose, policy = known.purposes.get(ask.code), known.policies.get(ask.code)
    if purpose is None or policy is None or CONSENT not in policy.legal_bases:
        raise NotAllowed(
            "purpose-not-allowed",
            "This service may not ask for your data for this purpose.",
            private=f"purpose {ask.code}",
            extra={"purpose": ask.code},
        )
    fields = allowed_fields(ask, policy)
    mandatory = policy.mandatory_fields & (ask.essential or policy.mandatory_fields)
    consents = known.consents.get(ask.code, ())
    state = cover(fields, consents, major=purpose.major, keep_days=policy.keep_days, now=now)
    declined = known.declined.get(ask.code, frozenset())
    wanted = to_ask(state, mandatory=mandatory, declined=declined, again=again)
    return AskedPurpose(
        code=purpose.code,
        major=purpose.major,
        minor=purpose.minor,
        text_hash=purpose.text_hash.hex(),
        policy_version=policy.version,
        mandatory=ask.mandatory,
        mandatory_fields=tuple(code for code in fields if code in wanted & mandatory),
        voluntary_fields=tuple(code for code in fields if code in wanted - mandatory),
        already=tuple(code for code in fields if code in state.covered - wanted),
        max_answer=policy.max_answer,
        keep_days=policy.keep_days,
        consent_days=policy.consent_days,
        min_aal=policy.min_aal,
        min_ial=policy.min_ial,
    )


def _purpose_from_json(raw: Mapping[str, Any]) -> AskedPurpose:
    lists = {name: tuple(raw[name]) for name in ("mandatory_fields", "voluntary_fields", "already")}
    return AskedPurpose(**{**raw, **lists})
