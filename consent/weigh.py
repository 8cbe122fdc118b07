"""Load and decide: what a request may get, read but not yet journalled.

The order is the same for everybody: number, policies and consents, record. A number that is nobody's runs
the same queries for a person who is not there, so neither answer nor work tells who exists.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from typing import Any

from consent.brake import Brake
from consent.cases import NOBODY, cases_of, subject_for_official, together
from consent.catalogue import named_in_line, of_registry
from consent.decide import Case, Decision, Subject, decide_about_person, refused_terms
from consent.disclosure import (
    PERSON_REASONS,
    DisclosureDenied,
    DisclosureRequest,
    PersonProof,
    public_code,
)
from consent.facts import Facts, load_facts, load_facts_of_consents
from consent.kinship import KIN_FIELDS, numbers_of_relatives
from consent.lines import disclosure_line, refusal_line
from consent.minimise import Matched, match, pick
from consent.proof import PROOF_FIELDS, proves
from core.clock import Clock, vietnam_day
from core.database import Reads
from core.errors import Refusal, TooMany
from core.record import record
from identity.api import SELF_DECLARED, SOURCE, SelfDeclarations
from population_db.api import FieldValue, Record, Registry
from privacy.journal.api import Line

NOT_YOURS = "not-your-record"
VALUES_WITH_MATCHES = frozenset({"life_status"})
"""What may be told beside matches: without it "match" would hide that the person is dead."""


@record
class Ready:
    """Decided and read, not yet journalled: nothing of it may leave the door."""

    line: Line
    basis: Mapping[str, Any]
    subject: uuid.UUID
    values: Mapping[str, FieldValue] = field(repr=False)
    matched: Mapping[str, Matched] = field(repr=False)
    refused: Mapping[str, str]
    not_held: tuple[str, ...]

    @property
    def has_a_miss(self) -> bool:
        return any(one.result == "no-match" for one in self.matched.values())


@record
class Stopped:
    """The line to write, then what to raise."""

    line: Line
    refusal: Refusal


@record
class _Found:
    """person_id: NOBODY when the number is nobody's. fault: why the person may not be told of."""

    person_id: uuid.UUID
    alive: bool = True
    fault: str | None = None

    @property
    def subject(self) -> uuid.UUID | None:
        return None if self.person_id == NOBODY else self.person_id


async def weigh(
    tx: Reads,
    request: DisclosureRequest,
    *,
    registry: Registry,
    clock: Clock,
    brake: Brake,
    declarations: SelfDeclarations,
) -> Ready | Stopped:
    """The whole way up to the journal. Raises Unavailable; a refusal comes back as Stopped."""
    now = clock.now()
    if len(set(request.fields)) < len(request.fields):
        request = replace(request, fields=tuple(dict.fromkeys(request.fields)))
    found = await _find(tx, request, registry)
    if found.fault == NOT_YOURS:
        return stopped(request, found.subject, NOT_YOURS, {})
    facts = await _facts(tx, request, found.person_id, now)
    cases = cases_of(request, facts, now)
    terms = [refused_terms(case) for case in cases]
    refused = [each for each in terms if each is not None]
    if len(refused) == len(cases):
        # About the recipient alone: by a mere number nobody has been looked at yet.
        subject = None if isinstance(request.subject, PersonProof) else found.subject
        return stopped(request, subject, refused[0].refusal or "", refused[0].refused)
    decision = _decision(request, cases, terms, Subject(found.person_id, alive=found.alive))
    records = await registry.read_many(tx, *_to_read(request, found, decision))
    record = records.get(found.person_id)
    # Asked whether or not the person exists, so that neither is slower.
    holders = await registry.holders_of(tx, numbers_of_relatives(records.values())) if _official(request) else {}
    if _official(request) and record is not None:
        about = subject_for_official(found.person_id, found.alive, request.actor, records, holders)
        decision = _decision(request, cases, terms, about)
    fault = found.fault or _fault_of(request, record)
    ready = None
    if fault is None and decision.refusal is None and record is not None:
        if SELF_DECLARED in decision.allowed:
            record = await _with_declared(tx, record, declarations)
        ready = make_ready(request, record, decision, facts)
    reason = fault or decision.refusal
    if isinstance(request.subject, PersonProof):
        # Whatever says something about the person counts as a miss, else the brake would tell it.
        missed = ready.has_a_miss if ready else reason in PERSON_REASONS
        try:
            await brake.weigh(_recipient(request), request.subject.number, missed=missed, together=_together(request))
        except TooMany as too_many:
            return Stopped(refusal_line(request, found.subject, too_many.code), too_many)
    return ready or stopped(request, found.subject, reason or "", decision.refused)


def _decision(
    request: DisclosureRequest, cases: Sequence[Case], terms: Sequence[Decision | None], about: Subject
) -> Decision:
    """The rule's second half for the cases whose terms hold, beside the refusals of the others."""
    return together(
        request.fields,
        [
            decide_about_person(replace(case, subject=about)) if refused is None else refused
            for case, refused in zip(cases, terms, strict=True)
        ],
    )


def stopped(request: DisclosureRequest, subject: uuid.UUID | None, reason: str, refused: Mapping[str, str]) -> Stopped:
    """A refusal: the precise reason for the journal, the public code for the asker."""
    code = public_code(reason, request.legal_basis, isinstance(request.subject, PersonProof))
    return Stopped(refusal_line(request, subject, reason), DisclosureDenied(code, reason, refused))


def make_ready(request: DisclosureRequest, record: Record, decision: Decision, facts: Mapping[str, Facts]) -> Ready:
    """The least answer, and the line that will tell of it."""
    asked, allowed = request.fields, decision.allowed
    matched: Mapping[str, Matched] = {}
    if request.matches is not None:
        matched = match(record.values, request.matches, allowed)
        asked = tuple(code for code in asked if code in VALUES_WITH_MATCHES and code not in matched)
    values = pick(record.values, asked, allowed)
    policies = [one.policy for one in facts.values()]
    return Ready(
        line=disclosure_line(request, record.person_id, (*matched, *named_in_line(values)), policies),
        basis={
            "consents": [(record.person_id, consent_id) for consent_id in sorted(decision.consent_ids)],
            "policies": [(policy.agency_id, policy.purpose, policy.version) for policy in policies],
            "grant_id": request.grant_id,
        },
        subject=record.person_id,
        values=values,
        matched=matched,
        refused=decision.refused,
        not_held=tuple(code for code in asked if code in allowed and code not in values),
    )


async def _find(tx: Reads, request: DisclosureRequest, registry: Registry) -> _Found:
    if not isinstance(request.subject, PersonProof):
        # Known by a grant: the portal's signed-in person, nobody else's. Everybody else needs a proof.
        own = request.actor.kind != "official" and request.actor.person_id == request.subject
        return _Found(request.subject, fault=None if own else NOT_YOURS)
    ref = await registry.find_by_number(tx, request.subject.number)
    if ref is None:
        return _Found(NOBODY, fault="number-unknown")
    fault = None if ref.is_current_number else "number-cancelled"
    return _Found(ref.person_id, alive=ref.status != "dead", fault=fault)


async def _facts(tx: Reads, request: DisclosureRequest, person_id: uuid.UUID, now: datetime) -> Mapping[str, Facts]:
    agency_id = request.agency.agency_id if request.agency else NOBODY
    if request.purpose is None:
        return await load_facts_of_consents(tx, agency_id, request.consent_ids, person_id, now)
    facts = await load_facts(tx, agency_id, request.purpose, person_id, now)
    return {} if facts is None else {request.purpose: facts}


def _to_read(request: DisclosureRequest, found: _Found, decision: Decision) -> tuple[list[uuid.UUID], set[str]]:
    """Whose record, and which fields: only their groups are opened."""
    people, fields = [found.person_id], set(decision.allowed)
    if isinstance(request.subject, PersonProof):
        fields |= {*PROOF_FIELDS}
    if _official(request):
        # Area and family are told from the records, so all has to be read before it is decided.
        fields |= {*request.fields, *KIN_FIELDS}
        people += [request.actor.person_id] if request.actor.person_id else []
    return people, set(of_registry(fields))


async def _with_declared(tx: Reads, record: Record, declarations: SelfDeclarations) -> Record:
    """The record with what its person says of himself beside it, under its own code."""
    declared = await declarations.read(tx, record.person_id)
    if declared.updated_at is None:
        return record
    held = FieldValue(declared.claims(), SOURCE, vietnam_day(declared.updated_at))
    return replace(record, values={**record.values, SELF_DECLARED: held})


def _fault_of(request: DisclosureRequest, record: Record | None) -> str | None:
    if isinstance(request.subject, PersonProof):
        proven = proves(request.subject, record.values if record else None)
        return None if proven else "person-not-matched"
    if record is None:
        return "person-unknown"
    return "person-dead" if record.status == "dead" else None


def _official(request: DisclosureRequest) -> bool:
    return request.actor.kind == "official"


def _together(request: DisclosureRequest) -> str | None:
    """Who shares the tries at one person: all clients of an agency, since one more is easily registered."""
    return None if _official(request) or request.agency is None else str(request.agency.agency_id)


def _recipient(request: DisclosureRequest) -> str:
    actor = request.actor
    return actor.client_id or str(actor.account_id or actor.person_id)
