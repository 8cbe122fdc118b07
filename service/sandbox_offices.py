"""Agencies, units, purposes, policies and appointments of the sandbox, by the rooms' own acts."""

from collections.abc import Sequence
from contextlib import suppress

from consent.api import Consent, PolicyDraft, PurposeDraft
from core.clock import Clock, vietnam_day
from core.database import Tx
from core.errors import Conflict
from core.runtime import Parts
from identity.api import Identity
from population_db.api import Registry
from population_db.synthetic.personas import persona
from privacy.journal.api import ActorRef
from service.errors import CommandError
from service.sandbox_guide import AgencyGuide, OfficialGuide, Sandbox
from service.sandbox_world import AGENCIES, APPOINTMENTS, POLICIES, PURPOSES, AppointmentPlan


async def furnish_offices(
    parts: Parts, tx: Tx, by: ActorRef
) -> tuple[tuple[AgencyGuide, ...], tuple[OfficialGuide, ...]]:
    """Publishes everything in `sandbox_world`; gives what the guide shows."""
    identity, consent = parts.get(Identity), parts.get(Consent)
    ids = {}
    for plan in AGENCIES:
        ids[plan.code] = await identity.create_agency(tx, plan.code, plan.name_vi, plan.name_en, by=by)
    for purpose in PURPOSES:
        draft = PurposeDraft(purpose.code, purpose.vi, purpose.en, purpose.legal_bases)
        await consent.publish_purpose(tx, draft, by=by)
    for policy in POLICIES:
        await consent.publish_policy(
            tx,
            PolicyDraft(
                agency_id=ids[policy.agency],
                agency_code=policy.agency,
                purpose=policy.purpose,
                fields=policy.fields,
                mandatory_fields=policy.mandatory,
                legal_bases=policy.legal_bases,
                max_answer=policy.max_answer,
                min_aal=policy.min_aal,
                min_ial=policy.min_ial,
                needs_dossier=policy.needs_dossier,
                needs_procedure=policy.needs_procedure,
                procedures=policy.procedures,
                keep_days=policy.keep_days,
                consent_days=policy.consent_days,
            ),
            by=by,
        )
    agencies = tuple(
        AgencyGuide(
            code=plan.code,
            name_vi=plan.name_vi,
            name_en=plan.name_en,
            purposes=tuple(policy.purpose for policy in POLICIES if policy.agency == plan.code),
        )
        for plan in AGENCIES
    )
    return agencies, await appoint(parts, tx, by, APPOINTMENTS)


def new_appointments(found: Sandbox) -> tuple[AppointmentPlan, ...]:
    """Those that a sandbox lacks which an older version furnished."""
    agencies = {agency.code for agency in found.agencies}
    known = {(official.persona, official.agency, official.unit) for official in found.officials}
    return tuple(
        plan for plan in APPOINTMENTS if plan.agency in agencies and (plan.persona, plan.agency, plan.unit) not in known
    )


async def appoint(parts: Parts, tx: Tx, by: ActorRef, wanted: Sequence[AppointmentPlan]) -> tuple[OfficialGuide, ...]:
    """Their units, where they are missing, and the appointments; gives what the guide shows."""
    identity, registry = parts.get(Identity), parts.get(Registry)
    clock: Clock = parts.get(Clock)  # type: ignore[type-abstract]
    employers = {plan.agency for plan in wanted}
    for agency in AGENCIES:
        for unit in agency.units if agency.code in employers else ():
            with suppress(Conflict):
                await identity.create_unit(tx, agency.code, *unit, by=by)
    officials = []
    for plan in wanted:
        person = await registry.find_by_number(tx, persona(plan.persona).number)
        if person is None:
            raise CommandError(f"the persona {plan.persona} is not in the registry")
        await identity.appoint(
            tx,
            person.person_id,
            plan.agency,
            plan.unit,
            plan.title,
            plan.areas,
            plan.permissions,
            vietnam_day(clock.now()),
            by=by,
        )
        officials.append(
            OfficialGuide(
                persona=plan.persona,
                agency=plan.agency,
                unit=plan.unit,
                title=plan.title,
                areas=tuple(sorted(plan.areas)),
                permissions=tuple(sorted(plan.permissions)),
                procedures=tuple(
                    sorted({code for policy in POLICIES if policy.agency == plan.agency for code in policy.procedures})
                ),
            )
        )
    return tuple(officials)
