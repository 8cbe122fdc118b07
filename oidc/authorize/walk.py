"""The walk of a checked request: sign-in, consent, code. Each step is left to its package and come back from.

A session that is good enough and consents that cover the request make the walk one single redirect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent.api import Consent, ConsentAsk, Granted, Question, Standing
from core.clock import Clock
from core.database import Database, Reads
from core.errors import NotAllowed, NotFound
from core.ids import read_id
from core.interaction import Interaction, Interactions, SignedIn
from core.record import record
from identity.api import Identity
from oidc import authorization_details, scopes
from oidc.acr import LOWEST, Level
from oidc.audiences import lookup_audience
from oidc.authorize.asking import Asking
from oidc.authorize.consents import asks_anew, drop_untold_offline, offline_days, purpose_asks
from oidc.authorize.end_of_walk import End, Ending
from oidc.authorize.sign_in import sign_in_ask, sign_in_fault
from oidc.ciba.subjects import remember_subject
from oidc.errors import OAuthError
from oidc.grants import PurposeGrant
from oidc.redirect_uris import origin_of
from oidc.registration.check_options import CIBA
from privacy.pseudonyms.api import Pseudonyms

_SIGN_IN_ERRORS = {
    "ial": ("unmet_authentication_requirements", "The account does not have the level that was asked for."),
    "aal": ("unmet_authentication_requirements", "The account has no second factor."),
    "cancelled": ("access_denied", "The person turned back from signing in."),
}


@dataclass(frozen=True, slots=True)
class Walk:
    """Leads a browser from the request to the answer. Every method raises OAuthError, Unavailable, `begin` TooMany."""

    database: Database
    clock: Clock
    interactions: Interactions
    identity: Identity
    consent: Consent
    pseudonyms: Pseudonyms

    async def begin(self, request: Request, asking: Asking, ending: Ending, **kept: Any) -> Response:
        """The first step: an existing session, or the sign-in page.

        kept: what the starter wants to find again in `interaction.data` beside the parameters.
        """
        session = await self.identity.session(request)
        signed_in = None if session is None else session.signed_in()
        begun_at = int(asking.now.timestamp())
        fault = OAuthError("login_required", "Nobody is signed in.")
        if signed_in is not None:
            found = self._fault(asking, signed_in, begun_at=begun_at, fresh=False)
            if found is None:
                return await self._with_consent(_Step(request, asking, ending, kept), signed_in, None)
            fault = found
        if asking.silent:
            raise fault
        somebody_else = signed_in is not None and self._is_somebody_else(asking, signed_in)
        step = _Step(request, asking, ending, kept)
        interaction = await self._start(step, known=session is not None)
        return await self._to_sign_in(step, interaction, least=LOWEST, somebody_else=somebody_else)

    async def resume(self, request: Request, asking: Asking, interaction: Interaction, ending: Ending) -> Response:
        """The next step after the sign-in page or the consent page."""
        if interaction.sign_in_error is not None:
            error = _SIGN_IN_ERRORS.get(interaction.sign_in_error, ("access_denied", "The sign-in was not completed."))
            raise OAuthError(*error)
        signed_in = interaction.signed_in
        session = await self.identity.session(request)
        if signed_in is None or session is None or session.sid != signed_in.sid:
            # Not yet, or signed out meanwhile: what the interaction remembers is worth nothing then.
            return _see_other(interaction.url("/signin"))
        fault = self._fault(asking, signed_in, begun_at=interaction.started_at, fresh=True)
        if fault is not None:
            raise fault
        return await self._with_consent(_Step(request, asking, ending, {}), signed_in, interaction)

    async def _to_sign_in(
        self, step: "_Step", interaction: Interaction, *, least: Level, somebody_else: bool
    ) -> Response:
        asking = step.asking
        ask = sign_in_ask(asking, least=least, agency_name=await self._agency_name(asking), somebody_else=somebody_else)
        await self.interactions.save(replace(interaction, sign_in=ask))
        return _see_other(interaction.url("/signin"))

    async def _with_consent(self, step: "_Step", signed_in: SignedIn, interaction: Interaction | None) -> Response:
        """Asks what is not yet agreed to; with nothing left to ask, ends the walk."""
        asking = step.asking
        answered = _answer_of(interaction, signed_in)
        if answered == "refuse":
            raise OAuthError("access_denied", "The person did not agree.")
        reached, needed = Level(signed_in.ial, signed_in.aal), LOWEST
        question: Question | None = None
        standing = await self._standing(self.database.shared, asking, signed_in, answered=answered is not None)
        if standing is not None:
            question, needed = standing.question, Level(standing.min_ial, standing.min_aal)
        if question is None and reached.satisfies(needed):
            drop_untold_offline(asking, answered=answered is not None)
            granted = {} if standing is None else standing.granted
            written = await self._end(step, signed_in, _purposes(granted), interaction)
            return await step.ending.answer(step.request, asking, written)
        if question is None:
            if asking.silent:
                raise OAuthError("login_required", "The sign-in does not reach the level that the policy asks for.")
            interaction = interaction or await self._start(step, known=True)
            return await self._to_sign_in(step, interaction, least=needed, somebody_else=False)
        if asking.silent:
            raise OAuthError("consent_required", "The person has to be asked for consent.")
        interaction = interaction or await self._start(step, known=True)
        await self.interactions.save(
            replace(interaction, signed_in=signed_in, consent_ask=question.to_json(), consent_answer=None)
        )
        return _see_other(interaction.url("/consent"))

    async def _standing(self, tx: Reads, asking: Asking, signed_in: SignedIn, *, answered: bool) -> Standing | None:
        """What is left to ask, what is agreed to, and the level that the policies of that ask of a sign-in; None
        when nothing needs a consent."""
        asks, again = purpose_asks(asking), asks_anew(asking)
        if not asks and not again:
            return None
        client = asking.client
        ask = ConsentAsk(
            person_id=read_id(signed_in.person_id),
            agency_id=client.agency_id,
            client_id=client.client_id,
            client_name=client.name(asking.locale),
            asks=asks,
            locale=asking.locale or "vi",
            again=again,
            policy_uri=client.policy_uri,
            terms_uri=client.tos_uri,
            offline_days=offline_days(asking),
        )
        try:
            return await self.consent.standing(tx, ask, answered=answered)
        except (NotAllowed, NotFound) as refusal:
            raise OAuthError(
                "invalid_scope", "The agency has no policy for a purpose that was asked for.", private=refusal.private
            ) from None

    async def _end(
        self, step: "_Step", signed_in: SignedIn, granted: dict[str, PurposeGrant], interaction: Interaction | None
    ) -> str:
        """Lets the ending claim the one end of the walk and write the grant."""
        asking = step.asking

        async def finish() -> None:
            if interaction is not None and not await self.interactions.finish(interaction):
                raise OAuthError("invalid_request", "This request was answered already.")

        _narrow(asking, granted)
        if CIBA in asking.client.grant_types:
            # Before the grant: a subject that the client gets to know must be found again.
            async with self.database.raw() as tx:
                await remember_subject(tx, self._subject(asking, signed_in), read_id(signed_in.person_id))
        return await step.ending.write(End(asking, signed_in, granted, self.clock.now(), finish))

    async def _start(self, step: "_Step", *, known: bool) -> Interaction:
        asking = step.asking
        return await self.interactions.start(
            step.request,
            resume=step.ending.resume,
            known=known,
            locale=asking.locale,
            redirect_origin=origin_of(asking.target.redirect_uri) if asking.target else None,
            data={**asking.to_keep(), **step.kept},
        )

    async def _agency_name(self, asking: Asking) -> str:
        async with self.database.raw_read() as tx:
            agency = await self.identity.agency(tx, agency_id=asking.client.agency_id)
        return agency.name(asking.locale or "vi")

    def _subject(self, asking: Asking, signed_in: SignedIn) -> str:
        return self.pseudonyms.subject(asking.client.sector, read_id(signed_in.person_id))

    def _is_somebody_else(self, asking: Asking, signed_in: SignedIn) -> bool:
        return asking.hint_subject is not None and self._subject(asking, signed_in) != asking.hint_subject

    def _fault(self, asking: Asking, signed_in: SignedIn, *, begun_at: int, fresh: bool) -> OAuthError | None:
        return sign_in_fault(
            asking,
            signed_in,
            begun_at=begun_at,
            fresh=fresh,
            subject_of=lambda who: self._subject(asking, who),
        )


@record
class _Step:
    """One request of the browser on its walk."""

    request: Request
    asking: Asking
    ending: Ending
    kept: Mapping[str, Any]


def _purposes(granted: Mapping[str, Granted]) -> dict[str, PurposeGrant]:
    return {code: PurposeGrant(held.consent_ids, held.fields) for code, held in granted.items()}


def _narrow(asking: Asking, granted: Mapping[str, PurposeGrant]) -> None:
    """Keeps of scopes and authorization_details what was agreed to; without details nothing is left to look up."""
    asking.scopes = scopes.granted(asking.scopes, granted)
    consented = {code: held.fields for code, held in granted.items()}
    asking.authorization_details = authorization_details.granted(asking.authorization_details, consented)
    if not asking.authorization_details:
        asking.resources = tuple(each for each in asking.resources if each != lookup_audience(asking.issuer))


def _answer_of(interaction: Interaction | None, signed_in: SignedIn) -> str | None:
    """ "allow" or "refuse", when this very person has answered on this walk."""
    if interaction is None or interaction.consent_answer is None or interaction.consent_ask is None:
        return None
    if interaction.consent_ask.get("person_id") != signed_in.person_id:
        return None
    return "allow" if interaction.consent_answer.get("decision") == "allow" else "refuse"


def _see_other(url: str) -> Response:
    return RedirectResponse(url, 303, {"Cache-Control": "no-store"})
