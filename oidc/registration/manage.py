"""GET, PUT and DELETE /register/{client_id}: a client manages its own registration (RFC 7592).

By its registration access token, which follows it at each change. A token that is not this client's, and one of a
client that is gone, get the same 401.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from core.database import Row, Tx
from core.errors import NotFound
from core.ids import hash_reference, new_reference
from core.token import TokenRefused
from oidc.client_secrets import secret_matches
from oidc.edge import json_response
from oidc.errors import OAuthError
from oidc.profiles import PROFILES
from oidc.registration import reviews, software_statement
from oidc.registration.answering import client_information
from oidc.registration.as_metadata import PROFILE, STATE
from oidc.registration.change import write_change
from oidc.registration.check import CheckedMetadata
from oidc.registration.endpoint import held_by
from oidc.registration.limits import default_scope, refuse_beyond
from oidc.registration.own_changes import refuse_unseen
from oidc.registration.reading import bearer_token, read_metadata, text_member
from oidc.registration.rooms import RegistrationRooms
from oidc.registration.state import find_row, hold_row, set_state
from oidc.registration.who import Who
from privacy.journal.api import ActorRef

MAX_CLIENT_ID = 100
_OURS = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
"""RFC 7592 §2.2: not to be sent back."""


class ManagementEndpoint:
    """The endpoint; one per process."""

    def __init__(self, rooms: RegistrationRooms) -> None:
        self._rooms = rooms

    async def read(self, request: Request) -> Response:
        """The registration as it is. Raises TokenRefused, OAuthError access_denied."""
        token = bearer_token(request)
        async with self._rooms.database.raw_read() as tx:
            row = await self._own(request, token, tx)
        return json_response(client_information(row, issuer=self._rooms.issuer, registration_token=token))

    async def change(self, request: Request) -> Response:
        """The whole registration anew: what is left out falls back to its default (§2.2).

        Of a client that two people stand behind, keys and contacts alone. Raises TokenRefused, OAuthError as at
        registration and access_denied, Refusal, Unavailable.
        """
        token, now = bearer_token(request), self._rooms.clock.now()
        async with self._rooms.database.raw_read() as tx:
            row = await self._own(request, token, tx)
        _refuse_pending(row)
        sent = await read_metadata(request)  # no connection waits for a slow caller
        self._refuse_foreign(row, sent)
        async with self._rooms.database.raw_read() as tx:
            checked = await self._checked(tx, row, sent)
        await self._rooms.check_sector(checked.sector_document)
        follows = new_reference()
        async with self._rooms.database.raw() as tx:
            row = await self._own(request, token, tx, hold=True)  # the token of a change is good once
            _refuse_pending(row)
            if await _stands_by_two(tx, row):
                refuse_unseen(row, checked, self._rooms.issuer)
            secret = await write_change(
                self._rooms.registrar.journal,
                tx,
                row,
                checked,
                by=_itself(row),
                now=now,
                registration_token_hash=hash_reference(follows),
            )
            row = await find_row(tx, row["client_id"])
        told = client_information(row, issuer=self._rooms.issuer, registration_token=follows, secret=secret)
        return json_response(told)

    async def delete(self, request: Request) -> Response:
        """204, and nothing of the client is good any more (§2.3)."""
        token = bearer_token(request)
        async with self._rooms.database.raw() as tx:
            row = await self._own(request, token, tx, hold=True)
            await set_state(
                self._rooms.registrar.journal,
                tx,
                row["client_id"],
                "deleted",
                by=_itself(row).ref,
                now=self._rooms.clock.now(),
            )
        return Response(status_code=204, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    async def _own(self, request: Request, token: str, tx: Tx, *, hold: bool = False) -> Row:
        client_id = request.path_params["client_id"]
        try:
            if len(client_id) > MAX_CLIENT_ID or not client_id.isascii():
                raise _refused()
            row = await (hold_row if hold else find_row)(tx, client_id)
        except NotFound:
            raise _refused() from None
        if not secret_matches(token, row["registration_token_hash"]) or row["state"] == "deleted":
            raise _refused()
        request.state.client_id = request.state.proven_client = client_id
        if row["state"] == "suspended":
            raise OAuthError("access_denied", "The client is suspended. Ask its agency.", status=403)
        return row

    def _refuse_foreign(self, row: Row, sent: Mapping[str, Any]) -> None:
        for name in _OURS:
            if name in sent:
                raise OAuthError("invalid_client_metadata", f"{name} is ours and must not be sent.")
        if text_member(sent, "client_id") != row["client_id"]:
            raise OAuthError("invalid_client_metadata", "client_id must be the one of this registration.")
        if text_member(sent, PROFILE) not in {None, row["profile"]}:
            raise OAuthError("invalid_client_metadata", f"{PROFILE} is fixed at registration.")
        secret = text_member(sent, "client_secret")
        # §2.2: a client may say its secret again, never choose one.
        if secret is not None and not secret_matches(secret, row["secret_hash"], row["former_secret_hash"]):
            raise OAuthError("invalid_client_metadata", "client_secret is made by us and cannot be chosen.")

    async def _checked(self, tx: Tx, row: Row, sent: Mapping[str, Any]) -> CheckedMetadata:
        if software_statement.MEMBER in row["details"] and software_statement.MEMBER not in sent:
            raise OAuthError(
                "invalid_software_statement", "This client was registered by a software statement: send one."
            )
        metadata = await software_statement.with_statement(
            tx, sent, agency_id=row["agency_id"], issuer=self._rooms.issuer, now=self._rooms.clock.now()
        )
        held = await held_by(self._rooms.consent, tx, row["agency_id"])
        scope = default_scope(metadata, held, row["purpose"])
        checked = self._rooms.registrar.check(
            metadata if scope is None else {**metadata, "scope": scope}, row["profile"]
        )
        refuse_beyond(checked.scopes, checked.options.authorization_details_types, held, row["purpose"])
        return checked


def _refuse_pending(row: Row) -> None:
    if row["state"] == "pending":
        # What is under review must not change under the reviewer's eyes.
        raise OAuthError(
            "access_denied", f"{STATE} is pending: the client can be changed after its review.", status=403
        )


async def _stands_by_two(tx: Tx, row: Row) -> bool:
    """Whether a second person looked at the client, or its profile wants one to."""
    return PROFILES[row["profile"]].needs_second_person or await reviews.was_approved(tx, row)


def _itself(row: Row) -> Who:
    return Who.of_ref(ActorRef("client", row["client_id"], agency=row["agency_code"], name_hint=row["name_vi"]))


def _refused() -> TokenRefused:
    return TokenRefused("invalid_token", "The registration access token is not one of this client.")
