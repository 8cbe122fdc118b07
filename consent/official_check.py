"""An official's check at the desk: match first, then fields. Every look goes through the disclosure door.

The session remembers the appointment; whether it still stands is asked again at every look, since it may
have been ended since. Break-glass (a look beyond the area, with a second official) is not offered here.
"""

from dataclasses import dataclass, replace

from consent.disclose import DisclosureDoor
from consent.disclosure import Disclosure, DisclosureRequest
from consent.official_forms import LEGAL_BASIS, CheckForm
from consent.plugs import Recipient
from core.actor import Actor
from core.database import Tx
from identity.api import Identity


@dataclass(frozen=True, slots=True)
class OfficialCheck:
    """The use case."""

    door: DisclosureDoor
    identity: Identity

    async def match(self, tx: Tx, actor: Actor, form: CheckForm) -> Disclosure:
        """Per given value whether it is right, and the life status where the policy holds it.

        Raises DisclosureDenied, TooMany (journalled in `tx`), Unavailable.
        """
        given = form.given()
        life = ("life_status",) if "life_status" in form.service.policy.fields else ()
        request = await self._request(tx, actor, form, "official.match", (*given, *life))
        return await self.door.disclose(tx, replace(request, subject=form.proof(strict=False), matches=given))

    async def fields(self, tx: Tx, actor: Actor, form: CheckForm, fields: tuple[str, ...]) -> Disclosure:
        """The fields, each chosen one by one. Raises as `match`."""
        request = await self._request(tx, actor, form, "official.fields", fields)
        return await self.door.disclose(tx, request)

    async def _request(
        self, tx: Tx, actor: Actor, form: CheckForm, action: str, fields: tuple[str, ...]
    ) -> DisclosureRequest:
        appointment = await self.identity.standing_appointment(tx, actor)
        agency = actor.appointment
        return DisclosureRequest(
            action=action,
            # Without a standing appointment the rule refuses, and the refusal is journalled.
            actor=replace(actor, appointment=appointment),
            subject=form.proof(strict=True),
            agency=Recipient(agency.agency_id, agency.agency_code) if agency else None,
            purpose=form.service.purpose,
            legal_basis=LEGAL_BASIS,
            fields=fields,
            procedure=form.procedure,
            dossier=form.dossier,
        )
