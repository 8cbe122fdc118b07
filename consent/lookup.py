"""Consented lookup: one question of an agency's back end, answered by the door and signed.

A back end comes with a token of its own and proves whom it means; or with one that a person gave it (RFC 9396), and
then asks about that person, whom it need not name, and no further than he allowed.
"""

import uuid
from dataclasses import dataclass

from consent.answer import ANSWER_TYPE, answer_claims, request_digest
from consent.decide import CONSENT
from consent.disclose import DisclosureDoor
from consent.disclosure import DisclosureDenied, DisclosureRequest, PersonProof
from consent.lines import refusal_line
from consent.lookup_schemas import LookupIn, MatchesIn, RecordsIn
from consent.plugs import AllowedLookup, AnswerSigner, ClientRecipients, PersonGrants, Recipient
from core.actor import Actor
from core.clock import Clock
from core.errors import BadInput, NotAllowed
from core.token import AccessToken, TokenRefused, TokenVerifier

AUDIENCE_PATH = "/api/lookup"
SCOPE = "lookup"
BEYOND = "beyond-authorization"


@dataclass(frozen=True, slots=True)
class LookupApi:
    """The composed parts of the lookup API. certificates: whether callers' certificates reach us (RFC 8705)."""

    issuer: str
    tokens: TokenVerifier
    recipients: ClientRecipients
    person_grants: PersonGrants
    signer: AnswerSigner
    door: DisclosureDoor
    clock: Clock
    certificates: bool

    @property
    def schemes(self) -> tuple[str, ...]:
        """What tokens are taken by. Bound ones alone: by Bearer those of a certificate (RFC 8705 §3)."""
        return ("DPoP", "Bearer") if self.certificates else ("DPoP",)

    @property
    def audience(self) -> str:
        return f"{self.issuer}{AUDIENCE_PATH}"

    async def answer(self, token: AccessToken, asked: LookupIn, body: bytes) -> str:
        """The signed answer. Raises DisclosureDenied, BadInput, TooMany (each journalled), Unavailable."""
        recipient = await self.recipients.recipient(token.client_id)
        if recipient is None:
            raise NotAllowed("client-not-active", "This client may not use the lookup API.")
        digest = request_digest(body)
        if is_of_person(token):
            asked, request = await self._by_person(asked, token, recipient, digest)
        else:
            request = await self._by_itself(asked, token, recipient, digest)
        given = await self.door.disclose_by_itself(request)
        claims = answer_claims(
            asked,
            given,
            issuer=self.issuer,
            client_id=token.client_id,
            subject=token.subject if is_of_person(token) else None,
            body_digest=digest,
            now=self.clock.now(),
        )
        return await self.signer.sign_answer(claims, typ=ANSWER_TYPE)

    async def _by_itself(
        self, asked: LookupIn, token: AccessToken, recipient: Recipient, digest: str
    ) -> DisclosureRequest:
        """The question of a client that acts for itself: about a person it proves to know."""
        if asked.person is None:
            raise BadInput("invalid-input", "The request has members to mend.", fields={"person": "Field required"})
        proof = PersonProof(asked.person.number, asked.person.full_name, asked.person.birth_date)
        request = disclosure_request(asked, token, recipient, digest, subject=proof)
        if not asked.person.enough:
            await self.door.note_refusal(refusal_line(request, None, "person-incomplete"))
            raise BadInput(
                "person-incomplete",
                "A number alone finds nobody: add the full name, or the birth date to the day.",
                fields={"person": "Add full_name or a complete birth_date."},
            )
        return request

    async def _by_person(
        self, asked: LookupIn, token: AccessToken, recipient: Recipient, digest: str
    ) -> tuple[LookupIn, DisclosureRequest]:
        """The question of a client with a person's token: about him, within what he allowed; told with the procedure
        and dossier that he was told of."""
        grant = await self.person_grants.person_grant(token.grant_id)
        if grant is None or grant.client_id != token.client_id:
            raise TokenRefused("invalid_token", "The access token was revoked.", scheme=token.scheme)
        allowed = next((each for each in grant.lookups if within(asked, each)), None)
        if allowed is None:
            request = disclosure_request(asked, token, recipient, digest, subject=grant.person_id)
            await self.door.note_refusal(refusal_line(request, grant.person_id, BEYOND))
            raise DisclosureDenied(BEYOND, BEYOND)
        asked = asked.model_copy(
            update={
                "procedure": allowed.procedure or asked.procedure,
                "dossier": allowed.dossier or asked.dossier,
            }
        )
        request = disclosure_request(
            asked, token, recipient, digest, subject=grant.person_id, consent_ids=allowed.consent_ids
        )
        return asked, request


def is_of_person(token: AccessToken) -> bool:
    """Whether a person gave the token; a client's own names the client (RFC 9068 §2.2)."""
    return token.subject != token.client_id


def within(asked: LookupIn, allowed: AllowedLookup) -> bool:
    """Whether a person's permission covers the question. It names nobody: it is about him. Pure."""
    return (
        asked.person is None
        and asked.legal_basis == CONSENT
        and asked.purpose == allowed.purpose
        and allowed.fields.issuperset(_fields(asked))
        and (allowed.procedure is None or asked.procedure in {None, allowed.procedure})
        and (allowed.dossier is None or asked.dossier in {None, allowed.dossier})
    )


def _fields(asked: LookupIn) -> tuple[str, ...]:
    return tuple(asked.match) if isinstance(asked, MatchesIn) else tuple(getattr(asked, "fields", ()))


def disclosure_request(
    asked: LookupIn,
    token: AccessToken,
    recipient: Recipient,
    body_digest: str,
    *,
    subject: PersonProof | uuid.UUID,
    consent_ids: frozenset[uuid.UUID] = frozenset(),
) -> DisclosureRequest:
    """The wire's question as the door takes it. consent_ids: those of a person's token."""
    details = {"request_id": asked.request_id, "request_digest": body_digest}
    if asked.official is not None:
        details["official"] = asked.official.id
        details |= {"official_unit": asked.official.unit} if asked.official.unit else {}
    if isinstance(asked, RecordsIn) and asked.replaces is not None:
        details["replaces"] = asked.replaces
    matches = dict(asked.match) if isinstance(asked, MatchesIn) else None
    return DisclosureRequest(
        action="lookup.records" if matches is None else "lookup.matches",
        actor=Actor(
            kind="client",
            person_id=subject if isinstance(subject, uuid.UUID) else None,
            client_id=token.client_id,
            agency_id=recipient.agency_id,
            agency_code=recipient.code,
            grant_id=token.grant_id,
            scopes=token.scopes,
        ),
        subject=subject,
        agency=recipient,
        purpose=asked.purpose,
        legal_basis=asked.legal_basis,
        fields=_fields(asked),
        procedure=asked.procedure,
        dossier=asked.dossier,
        consent_ids=consent_ids,
        grant_id=token.grant_id,
        matches=matches,
        details=details,
    )
