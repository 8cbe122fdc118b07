"""Consented lookup: one question of an agency's back end, answered by the door and signed."""

from dataclasses import dataclass

from consent.answer import ANSWER_TYPE, answer_claims, request_digest
from consent.disclose import DisclosureDoor
from consent.disclosure import DisclosureRequest, PersonProof
from consent.lines import refusal_line
from consent.lookup_schemas import LookupIn, MatchesIn, RecordsIn
from consent.plugs import AnswerSigner, ClientRecipients, Recipient
from core.actor import Actor
from core.clock import Clock
from core.errors import BadInput, NotAllowed
from core.token import AccessToken, TokenVerifier

AUDIENCE_PATH = "/api/lookup"
SCOPE = "lookup"


@dataclass(frozen=True, slots=True)
class LookupApi:
    """The composed parts of the lookup API."""

    issuer: str
    tokens: TokenVerifier
    recipients: ClientRecipients
    signer: AnswerSigner
    door: DisclosureDoor
    clock: Clock

    @property
    def audience(self) -> str:
        return f"{self.issuer}{AUDIENCE_PATH}"

    async def answer(self, token: AccessToken, asked: LookupIn, body: bytes) -> str:
        """The signed answer. Raises DisclosureDenied, BadInput, TooMany (each journalled), Unavailable."""
        recipient = await self.recipients.recipient(token.client_id)
        if recipient is None:
            raise NotAllowed("client-not-active", "This client may not use the lookup API.")
        digest = request_digest(body)
        request = disclosure_request(asked, token, recipient, digest)
        if not asked.person.enough:
            await self.door.note_refusal(refusal_line(request, None, "person-incomplete"))
            raise BadInput(
                "person-incomplete",
                "A number alone finds nobody: add the full name, or the birth date to the day.",
                fields={"person": "Add full_name or a complete birth_date."},
            )
        given = await self.door.disclose_by_itself(request)
        claims = answer_claims(
            asked,
            given,
            issuer=self.issuer,
            client_id=token.client_id,
            body_digest=digest,
            now=self.clock.now(),
        )
        return self.signer.sign_answer(claims, typ=ANSWER_TYPE)


def disclosure_request(
    asked: LookupIn, token: AccessToken, recipient: Recipient, body_digest: str
) -> DisclosureRequest:
    """The wire's question as the door takes it."""
    details = {"request_id": asked.request_id, "request_digest": body_digest}
    if asked.official is not None:
        details["official"] = asked.official.id
        details |= {"official_unit": asked.official.unit} if asked.official.unit else {}
    if isinstance(asked, RecordsIn) and asked.replaces is not None:
        details["replaces"] = asked.replaces
    matches = dict(asked.match) if isinstance(asked, MatchesIn) else None
    fields = tuple(asked.fields) if isinstance(asked, RecordsIn) else tuple(matches or ())
    return DisclosureRequest(
        action="lookup.records" if matches is None else "lookup.matches",
        actor=Actor(
            kind="client",
            client_id=token.client_id,
            agency_id=recipient.agency_id,
            agency_code=recipient.code,
            grant_id=token.grant_id,
            scopes=token.scopes,
        ),
        subject=PersonProof(asked.person.number, asked.person.full_name, asked.person.birth_date),
        agency=recipient,
        purpose=asked.purpose,
        legal_basis=asked.legal_basis,
        fields=fields,
        procedure=asked.procedure,
        dossier=asked.dossier,
        grant_id=token.grant_id,
        matches=matches,
        details=details,
    )
