"""POST /register: a client registers itself for an agency (RFC 7591, OpenID Connect Registration 1.0).

Never open to everybody: an initial access token of the agency is needed, and what the agency's policies do not
hold cannot be registered for.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from consent.api import Consent
from core.database import Tx
from oidc.edge import json_response
from oidc.errors import OAuthError
from oidc.registration import initial_tokens
from oidc.registration.answering import client_information
from oidc.registration.as_metadata import PROFILE
from oidc.registration.check import CheckedMetadata
from oidc.registration.initial_tokens import InitialToken
from oidc.registration.limits import Held, default_scope, refuse_beyond
from oidc.registration.reading import bearer_token, read_metadata, text_member
from oidc.registration.register import DEFAULT_PURPOSE, SECRET_LIFE, Registered, Terms
from oidc.registration.rooms import RegistrationRooms
from oidc.registration.sectors import refuse_taken
from oidc.registration.software_statement import with_statement
from oidc.registration.state import find_row
from oidc.registration.who import Who
from privacy.journal.api import ActorRef


class RegistrationEndpoint:
    """The endpoint; one per process."""

    def __init__(self, rooms: RegistrationRooms) -> None:
        self._rooms = rooms

    async def answer(self, request: Request) -> Response:
        """201 with the registration. Raises TokenRefused, OAuthError (RFC 7591 §3.2.2), Refusal, Unavailable."""
        token_text = bearer_token(request)
        now = self._rooms.clock.now()
        async with self._rooms.database.raw_read() as tx:
            token = await initial_tokens.find(tx, token_text, now)
            await initial_tokens.refuse_orphan(tx, token, self._rooms.identity, now)
        sent = await read_metadata(request)  # no connection waits for a slow caller
        async with self._rooms.database.raw_read() as tx:
            metadata = await with_statement(tx, sent, agency_id=token.agency_id, issuer=self._rooms.issuer, now=now)
            held = await held_by(self._rooms.consent, tx, token.agency_id)
        profile = _profile(metadata, token)
        checked = self._checked(metadata, profile, held)
        await self._rooms.check_sector(checked.sector_document)
        terms = self._terms(token)
        async with self._rooms.database.raw() as tx:
            await refuse_taken(tx, self._rooms.registrar.sector(checked, terms), token.agency_id)
            async with tx.savepoint():  # a use is spent on a client, or not at all
                await initial_tokens.spend(tx, token, now)
                made = await self._rooms.registrar.store(tx, checked, profile, terms)
            row = await find_row(tx, made.client_id)
        request.state.client_id = made.client_id
        return json_response(_told(row, made, self._rooms.issuer), status=201)

    def _checked(self, metadata: Mapping[str, Any], profile: str, held: Held) -> CheckedMetadata:
        scope = default_scope(metadata, held, DEFAULT_PURPOSE)
        checked = self._rooms.registrar.check(metadata if scope is None else {**metadata, "scope": scope}, profile)
        refuse_beyond(checked.scopes, checked.options.authorization_details_types, held, DEFAULT_PURPOSE)
        return checked

    def _terms(self, token: InitialToken) -> Terms:
        ref = ActorRef("client", f"initial-token:{token.token_id}", agency=token.agency_code)
        return Terms(
            token.agency_id,
            token.agency_code,
            # Who made the token stands behind what is registered with it: he cannot be its second person.
            Who(ref, token.made_by, token.title),
            seconded=token.seconded_by is not None,
            pending=token.needs_review,
            managed=True,
            origin="registration",
            secret_life=SECRET_LIFE,
        )


async def held_by(consent: Consent, tx: Tx, agency_id: uuid.UUID) -> Held:
    """What the agency's policies hold now."""
    return {policy.purpose: policy.fields for policy in await consent.policies(tx, agency_id)}


def _profile(metadata: Mapping[str, Any], token: InitialToken) -> str:
    """The one asked for, if the token allows it; the token's first when none is. Raises OAuthError."""
    asked = text_member(metadata, PROFILE) or token.profiles[0]
    if asked not in token.profiles:
        raise OAuthError("invalid_client_metadata", f"{PROFILE} must be one of {', '.join(token.profiles)}.")
    return asked


def _told(row: Mapping[str, Any], made: Registered, issuer: str) -> dict[str, Any]:
    token = made.registration_token
    if token is None:
        raise RuntimeError("a client that registers by itself manages itself")
    return client_information(row, issuer=issuer, registration_token=token, secret=made.secret)
