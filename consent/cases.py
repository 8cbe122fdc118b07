"""From a request and the loaded facts to the cases of the rule, and back to one decision. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from consent.decide import Asker, Case, Decision, Desk, Subject
from consent.disclosure import DisclosureRequest
from consent.facts import Facts
from consent.kinship import are_related, places_of
from core.actor import Actor
from population_db.api import Record

NOBODY = uuid.UUID(int=0)
"""Stands for a person or an agency that is not there, so that the same queries run."""


def cases_of(request: DisclosureRequest, facts: Mapping[str, Facts], now: datetime) -> list[Case]:
    """One case per purpose; one without a policy, to be refused, when there is none.

    A request that names no purpose has those of its consents: they share the fields out among them.
    """
    if request.purpose is not None:
        return [_case(request, request.purpose, facts.get(request.purpose), request.fields, now)]
    if not facts:
        return [_case(request, "", None, request.fields, now)]
    return [
        _case(request, purpose, one, tuple(code for code in request.fields if code in one.policy.fields), now)
        for purpose, one in facts.items()
    ]


def together(fields: Sequence[str], decisions: Sequence[Decision]) -> Decision:
    """One decision: what any of them allows. Refused only when all are, with the first one's reason."""
    if len(decisions) == 1:
        return decisions[0]
    allowed = {code for decision in decisions for code in decision.allowed}
    if not allowed:
        return decisions[0]
    reasons = dict.fromkeys(fields, "field-not-allowed")
    for decision in decisions:
        reasons.update(decision.refused)
    return Decision(
        allowed=tuple(code for code in fields if code in allowed),
        refused=MappingProxyType({code: reasons[code] for code in fields if code not in allowed}),
        consent_ids=frozenset(ident for decision in decisions for ident in decision.consent_ids),
    )


def subject_for_official(
    person_id: uuid.UUID,
    alive: bool,
    actor: Actor,
    records: Mapping[uuid.UUID, Record],
    holders: Mapping[str, uuid.UUID],
) -> Subject:
    """What an official's case must know of the person: himself, family, where he lives. holders: see kinship."""
    record, own = records[person_id], records.get(actor.person_id or NOBODY)
    return Subject(
        person_id=person_id,
        alive=alive,
        is_asker=person_id == actor.person_id,
        # Without his own record nobody can tell: then it counts as family.
        is_family_of_asker=own is None or are_related(record, own, holders),
        places=places_of(record),
    )


def _case(
    request: DisclosureRequest, purpose: str, facts: Facts | None, fields: tuple[str, ...], now: datetime
) -> Case:
    return Case(
        answer="fields" if request.matches is None else "match",
        asker=_asker(request),
        purpose=purpose,
        legal_basis=request.legal_basis,
        fields=fields,
        at=now,
        procedure=request.procedure,
        dossier=request.dossier,
        policy=facts.policy if facts else None,
        consents=facts.consents if facts else (),
        consent_ids=request.consent_ids,
    )


def _asker(request: DisclosureRequest) -> Asker:
    actor, agency_id = request.actor, request.agency.agency_id if request.agency else NOBODY
    if actor.kind == "official":
        return Asker("official", agency_id, actor.aal, actor.ial, _desk(actor, agency_id))
    # A portal acts for the person who is signed in there; a back end acts alone, with a token of his as well.
    present = actor.person_id == request.subject and not request.action.startswith("lookup.")
    return Asker("portal" if present else "client", agency_id)


def _desk(actor: Actor, agency_id: uuid.UUID) -> Desk | None:
    appointment = actor.appointment
    if appointment is None or appointment.agency_id != agency_id:
        return None
    return Desk(
        areas=appointment.areas,
        permissions=appointment.permissions,
        valid_from=appointment.valid_from,
        valid_to=appointment.valid_to,
    )
