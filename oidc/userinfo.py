"""GET and POST /userinfo: what the person let this portal know, each time journalled before it leaves."""

import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from consent.api import Consent, DisclosureDenied, DisclosureRequest, Recipient
from core.actor import Actor
from core.clock import Clock
from core.database import Database
from core.errors import Refusal
from core.token import AccessToken, TokenRefused, TokenVerifier
from core.web.forms import MAX_FORM_BYTES, is_urlencoded, read_body, read_urlencoded, strict_query
from identity.api import Identity
from oidc import grants
from oidc.audiences import userinfo_audience
from oidc.claim_values import ClaimValues
from oidc.clients import Client, Clients
from oidc.grants import Grant
from oidc.scopes import OPENID
from oidc.userinfo_claims import Circumstances, Wanted, told, wanted
from oidc.userinfo_response import UserinfoForms
from privacy.pseudonyms.api import Pseudonyms

ACTION = "oidc.userinfo"
LEGAL_BASIS = "consent"
PROOFING = "proofing "
"""Before the sector: the reference to a proofing is another pseudonym than the subject (no host has a space)."""

_ABOUT_THE_CLIENT = frozenset(
    {"purpose-not-allowed", "legal-basis-not-allowed", "answer-not-allowed", "field-not-allowed"}
)


class UserinfoEndpoint:
    """The endpoint; one per process."""

    def __init__(
        self,
        *,
        issuer: str,
        verifier: TokenVerifier,
        clients: Clients,
        consent: Consent,
        database: Database,
        forms: UserinfoForms,
        identity: Identity,
        pseudonyms: Pseudonyms,
        claim_values: ClaimValues,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._verifier = verifier
        self._clients = clients
        self._consent = consent
        self._database = database
        self._forms = forms
        self._identity = identity
        self._pseudonyms = pseudonyms
        self._claim_values = claim_values
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """`sub` and the consented claims. Raises TokenRefused, OAuthError, Refusal, Unavailable."""
        grant: Grant | None = None

        async def is_live(gid: uuid.UUID) -> bool:
            nonlocal grant
            grant = await grants.find_live(self._database.shared, gid)
            return grant is not None

        token = await self._verifier.verify(
            request,
            audience=userinfo_audience(self._issuer),
            scope=OPENID,
            in_body=await _token_beside_the_header(request),
            is_live=is_live,
        )
        request.state.client_id = request.state.proven_client = token.client_id
        client = await self._clients.get(token.client_id)
        if client is None or grant is None or grant.client_id != token.client_id:
            raise TokenRefused("invalid_token", "The access token was revoked.", scheme=token.scheme)
        form = await self._forms.of(client)
        return await form.respond({**await self._claims(grant, token, client), "sub": token.subject})

    async def _claims(self, grant: Grant, token: AccessToken, client: Client) -> Mapping[str, Any]:
        opened = wanted(grant, token.scopes, client.purpose)
        if not opened.fields:
            return {}  # a pseudonym alone: nothing of the record is told, so there is nothing to journal
        try:
            disclosure = await self._consent.disclose_by_itself(_request(grant, client, opened))
        except DisclosureDenied as denied:
            raise _refused(denied, token) from None
        return told(opened, disclosure.values, grant, await self._around(grant, client, opened))

    async def _around(self, grant: Grant, client: Client, opened: Wanted) -> Circumstances:
        """What verified claims say besides values, looked up only for them."""
        proofed_at, process = None, ""
        if opened.verified:
            async with self._database.raw_read() as tx:
                proofed_at = await self._identity.proofed_at(tx, grant.person_id)
            process = self._pseudonyms.subject(PROOFING + client.sector, grant.account_id)
        return Circumstances(
            proofed_at=proofed_at,
            process=process,
            now=self._clock.now(),
            matches=self._claim_values.matching(client.client_id),
        )


def _request(grant: Grant, client: Client, opened: Wanted) -> DisclosureRequest:
    """One question for all purposes together, so that one answer has one line."""
    return DisclosureRequest(
        action=ACTION,
        actor=Actor(
            kind="client",
            person_id=grant.person_id,
            client_id=client.client_id,
            agency_id=client.agency_id,
            agency_code=client.agency_code,
            aal=grant.aal,
            ial=grant.ial,
            grant_id=grant.gid,
        ),
        subject=grant.person_id,
        agency=Recipient(client.agency_id, client.agency_code),
        purpose=None,
        legal_basis=LEGAL_BASIS,
        fields=opened.fields,
        consent_ids=frozenset(ident for held in grant.purposes.values() for ident in held.consent_ids),
        grant_id=grant.gid,
        details={"client": client.client_id, **opened.trace()},
    )


def _refused(denied: DisclosureDenied, token: AccessToken) -> TokenRefused:
    """What the token rests on is gone: it is as good as revoked. What the agency may not: 403."""
    if denied.code in _ABOUT_THE_CLIENT:
        return TokenRefused("insufficient_scope", denied.public, scheme=token.scheme, status=403, private=denied.reason)
    return TokenRefused("invalid_token", "What the access token rests on has ended.", scheme=token.scheme)


async def _token_beside_the_header(request: Request) -> str | None:
    """As `_token_in_body`; what cannot be read has a challenge like any other refusal here (RFC 6750 §3)."""
    try:
        return await _token_in_body(request)
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        raise TokenRefused("invalid_request", refusal.public) from None


async def _token_in_body(request: Request) -> str | None:
    """The token of a form (RFC 6750 §2.2; certification asks for it); one in the URL is refused, whatever else came."""
    if "access_token" in strict_query(request):
        raise TokenRefused("invalid_request", "Send the access token in the Authorization header, never in the URL.")
    if request.method != "POST":
        return None
    if not is_urlencoded(request):
        # RFC 6750 §2.2: only a form can hold a token. Anything else is not looked at, and has an end all the same.
        await read_body(request, MAX_FORM_BYTES)
        return None
    found = (await read_urlencoded(request)).get("access_token", [""])
    return found[0] or None  # without a value it counts as not sent
