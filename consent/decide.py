"""The rule: may this actor get these fields of this person, for this purpose, now?

Pure: facts come in as values, the instant too; a decision comes out. The rule is a table of small named
checks in an order that can be read aloud. The first half (`TERMS`) asks about the recipient only and tells
nothing about the person; the second half (`PERSON`) needs to know who the person is. No rule configured
means refuse.

Sources: Law 91/2025/QH15 art. 9, 17, 19; Law 26/2023/QH15 art. 10; Law 118/2025 (papers replaced by data).
"""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

from core.clock import vietnam_day
from core.record import record

Answer = Literal["match", "fields"]
"""How far the answer goes. Predicates stand between the two and come as a row of their own in `REACH`."""

REACH: Mapping[str, frozenset[str]] = MappingProxyType(
    {"match": frozenset({"match"}), "fields": frozenset({"match", "fields"})}
)
"""A policy's `max_answer` → the answers it lets through."""

PERMISSIONS: Mapping[str, str] = MappingProxyType({"match": "check.match", "fields": "check.fields"})
"""Answer → the permission an official's appointment must hold."""

CONSENT = "consent"

DEATH_FIELDS = frozenset({"life_status", "death_date"})
"""Who may ask for one of these has a right to know that a person is dead."""


@record
class Policy:
    """What an agency may get for a purpose (chính sách chia sẻ), as far as the rule needs it.

    purpose_major: the purpose's version in force; a consent to an older major covers nothing any more.
    procedures: allowed procedure codes; empty = any.
    """

    agency_id: uuid.UUID
    purpose: str
    version: int
    purpose_major: int
    fields: frozenset[str]
    legal_bases: frozenset[str]
    max_answer: str
    min_aal: int
    min_ial: int
    needs_dossier: bool
    needs_procedure: bool
    procedures: frozenset[str]
    keep_days: int
    valid_from: datetime
    valid_to: datetime | None


@record
class Consented:
    """One consent (sự đồng ý), live or ended. keep_days: how long the recipient may keep, as agreed to."""

    consent_id: uuid.UUID
    person_id: uuid.UUID
    agency_id: uuid.UUID
    purpose: str
    purpose_major: int
    fields: frozenset[str]
    keep_days: int
    given_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None


@record
class Desk:
    """The appointment (bổ nhiệm) an official acts under: where, what for, from when to when."""

    areas: frozenset[str]
    permissions: frozenset[str]
    valid_from: date
    valid_to: date | None


@record
class Asker:
    """Who asks. desk: the official's appointment.

    kind: client (an agency's back end, the person is not there), portal (the person is signed in there and
    sees the case before him: no dossier needs to be named), official.
    """

    kind: Literal["client", "portal", "official"]
    agency_id: uuid.UUID
    aal: int = 0
    ial: int = 0
    desk: Desk | None = None


@record
class Subject:
    """What the rule must know of the person. places: (province, commune) of permanent and current residence."""

    person_id: uuid.UUID
    alive: bool = True
    is_asker: bool = False
    is_family_of_asker: bool = False
    places: tuple[tuple[str, str | None], ...] = ()


@record
class Case:
    """One question. consent_ids: when not empty, only these consents count (those of a grant)."""

    answer: Answer
    asker: Asker
    purpose: str
    legal_basis: str
    fields: tuple[str, ...]
    at: datetime
    procedure: str | None = None
    dossier: str | None = None
    policy: Policy | None = None
    subject: Subject | None = None
    consents: tuple[Consented, ...] = ()
    consent_ids: frozenset[uuid.UUID] = frozenset()


@record
class Decision:
    """What may go out. Either `refusal` is set and nothing may, or `allowed` is not empty.

    refused: field → reason, for fields that may not go out although others may, or that caused the refusal.
    consent_ids: the consents it rests on, to be checked again in the journal's transaction.
    """

    allowed: tuple[str, ...] = ()
    refusal: str | None = None
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    consent_ids: frozenset[uuid.UUID] = frozenset()


Check = Callable[[Case], str | None]
"""Gives the code of a refusal, or None when there is nothing against it."""


def policy_in_force(case: Case) -> str | None:
    """The agency has a policy for the purpose, its own, valid now."""
    policy = case.policy
    if policy is None or policy.agency_id != case.asker.agency_id or policy.purpose != case.purpose:
        return "purpose-not-allowed"
    started = policy.valid_from <= case.at
    ended = policy.valid_to is not None and policy.valid_to <= case.at
    return None if started and not ended else "purpose-not-allowed"


def legal_basis_in_policy(case: Case) -> str | None:
    """The ground that is named is one the policy stands on."""
    return None if case.policy and case.legal_basis in case.policy.legal_bases else "legal-basis-not-allowed"


def procedure_in_policy(case: Case) -> str | None:
    """The procedure is named where one is needed, and is one of the policy's."""
    policy = case.policy
    if policy is None or (policy.needs_procedure and not case.procedure and case.asker.kind != "portal"):
        return "procedure-missing"
    if case.procedure and policy.procedures and case.procedure not in policy.procedures:
        return "procedure-not-allowed"
    return None


def dossier_named(case: Case) -> str | None:
    """The dossier (hồ sơ) is named where one is needed: no look without a case."""
    if case.policy is None:
        return "dossier-missing"
    needed = case.policy.needs_dossier and case.asker.kind != "portal"
    return "dossier-missing" if needed and not case.dossier else None


def answer_within_reach(case: Case) -> str | None:
    """A policy that lets only matches through gives no fields."""
    reach = REACH.get(case.policy.max_answer, frozenset()) if case.policy else frozenset()
    return None if case.answer in reach else "answer-not-allowed"


def level_reached(case: Case) -> str | None:
    """An official signed in at the levels the policy asks for. A client has no such levels."""
    if case.asker.kind != "official":
        return None
    policy, asker = case.policy, case.asker
    enough = policy is not None and asker.aal >= policy.min_aal and asker.ial >= policy.min_ial
    return None if enough else "level-too-low"


def appointment_in_force(case: Case) -> str | None:
    """An official acts under an appointment that is valid today in Viet Nam."""
    if case.asker.kind != "official":
        return None
    desk, today = case.asker.desk, vietnam_day(case.at)
    if desk is None or today < desk.valid_from or (desk.valid_to is not None and today > desk.valid_to):
        return "appointment-not-valid"
    return None


def permission_held(case: Case) -> str | None:
    """The appointment holds the permission for this kind of answer."""
    if case.asker.kind != "official":
        return None
    desk = case.asker.desk
    return None if desk and PERMISSIONS[case.answer] in desk.permissions else "permission-missing"


def fields_in_policy(case: Case) -> str | None:
    """Every field that is asked for stands in the policy: over-asking is refused as a whole."""
    held: Collection[str] = case.policy.fields if case.policy else ()
    return None if case.fields and all(code in held for code in case.fields) else "field-not-allowed"


def not_oneself(case: Case) -> str | None:
    """Nobody looks himself up with an official's rights."""
    return "own-record" if case.asker.kind == "official" and case.subject and case.subject.is_asker else None


def not_own_family(case: Case) -> str | None:
    """Nor his family and household: a colleague has to do it."""
    related = case.asker.kind == "official" and case.subject and case.subject.is_family_of_asker
    return "own-family" if related else None


def within_area(case: Case) -> str | None:
    """The person lives, by permanent or current residence, where the official is appointed."""
    if case.asker.kind != "official":
        return None
    areas = case.asker.desk.areas if case.asker.desk else frozenset()
    places = case.subject.places if case.subject else ()
    inside = "*" in areas or any(province in areas or commune in areas for province, commune in places)
    return None if inside else "outside-area"


def alive_or_asked(case: Case) -> str | None:
    """The dead are found only by those with a right to know of a death, not on a ground of consent."""
    if case.subject is None:
        return "person-not-matched"
    if case.subject.alive:
        return None
    entitled = case.legal_basis != CONSENT and not DEATH_FIELDS.isdisjoint(case.fields)
    return None if entitled else "person-not-matched"


def consent_in_force(case: Case) -> str | None:
    """Where consent is the ground: the person's own, to this agency, for this purpose, live, for a field."""
    if case.legal_basis != CONSENT or any(_covers(case, consent) for consent in case.consents):
        return None
    return _why_not(case)


TERMS: tuple[Check, ...] = (
    policy_in_force,
    legal_basis_in_policy,
    answer_within_reach,
    level_reached,
    appointment_in_force,
    permission_held,
    procedure_in_policy,
    dossier_named,
    fields_in_policy,
)
"""About the recipient and the request alone."""

PERSON: tuple[Check, ...] = (alive_or_asked, not_oneself, not_own_family, within_area, consent_in_force)
"""About the person; asked only when the terms hold."""


def refused_terms(case: Case) -> Decision | None:
    """A refusal that does not depend on the person, or None."""
    code = _first(TERMS, case)
    return None if code is None else Decision(refusal=code, refused=fields_beyond_policy(case))


def decide(case: Case) -> Decision:
    """The whole rule. Allowed fields are always asked for ∩ policy (∩ consent), in the order asked."""
    refused = refused_terms(case)
    return decide_about_person(case) if refused is None else refused


def decide_about_person(case: Case) -> Decision:
    """The second half, for a case whose terms hold (`refused_terms` gave None)."""
    code = _first(PERSON, case)
    if code is not None:
        return Decision(refusal=code)
    if case.legal_basis != CONSENT:
        return Decision(allowed=case.fields)
    resting_on = [consent for consent in case.consents if _covers(case, consent)]
    consented = frozenset[str]().union(*(consent.fields for consent in resting_on))
    allowed = tuple(code for code in case.fields if code in consented)
    return Decision(
        allowed=allowed,
        refused=MappingProxyType({code: "consent-missing" for code in case.fields if code not in consented}),
        consent_ids=frozenset(c.consent_id for c in resting_on if not c.fields.isdisjoint(allowed)),
    )


def fields_beyond_policy(case: Case) -> Mapping[str, str]:
    """The asked fields that the policy does not hold."""
    held: Collection[str] = case.policy.fields if case.policy else ()
    return MappingProxyType({code: "field-not-allowed" for code in case.fields if code not in held})


def _first(checks: Sequence[Check], case: Case) -> str | None:
    for check in checks:
        code = check(case)
        if code is not None:
            return code
    return None


def _is_about(case: Case, consent: Consented) -> bool:
    """The triple check, person + recipient + declaration, whatever the rows were selected by."""
    return (
        case.subject is not None
        and case.policy is not None
        and consent.person_id == case.subject.person_id
        and consent.agency_id == case.asker.agency_id
        and consent.purpose == case.purpose
        and consent.purpose_major == case.policy.purpose_major
        and consent.keep_days >= case.policy.keep_days
        and (not case.consent_ids or consent.consent_id in case.consent_ids)
    )


def _is_live(consent: Consented, at: datetime) -> bool:
    # A withdrawal counts whatever its instant: the clocks of two machines never give back what was taken.
    return consent.withdrawn_at is None and consent.given_at <= at < consent.expires_at


def _covers(case: Case, consent: Consented) -> bool:
    return _is_about(case, consent) and _is_live(consent, case.at) and not consent.fields.isdisjoint(case.fields)


def _why_not(case: Case) -> str:
    ended = [consent for consent in case.consents if _is_about(case, consent)]
    if any(consent.withdrawn_at is not None for consent in ended):
        return "consent-withdrawn"
    return "consent-expired" if any(consent.expires_at <= case.at for consent in ended) else "consent-missing"
