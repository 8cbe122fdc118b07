"""A grant, as a person's walk through sign-in and consent ends in it, whatever the client then redeems."""

import uuid
from datetime import UTC, datetime
from typing import Any, Literal

from core.ids import random_id, read_id
from core.record import record
from oidc import grants
from oidc.acr import Level
from oidc.authorize.end_of_walk import End
from oidc.scopes import OFFLINE


@record
class CodeOfGrant:
    """The code of a grant of kind `code`: its hash, the address it goes to, when it dies."""

    code_hash: bytes
    redirect_uri: str
    challenge: str | None
    expires_at: datetime


def grant_values(
    end: End,
    *,
    kind: Literal["code", "ciba", "device"],
    code: CodeOfGrant | None = None,
    gid: uuid.UUID | None = None,
) -> dict[str, Any]:
    """The values of `grants.INSERT`. A grant that was made on another device is not tied to the session
    it was allowed in: signing out there does not end what runs here."""
    asking, signed_in, purposes, now = end.asking, end.signed_in, end.purposes, end.now
    person_id = read_id(signed_in.person_id)
    client = asking.client
    return {
        "person_id": person_id,
        "gid": gid or random_id(person_id),
        "account_id": read_id(signed_in.account_id),
        "client_id": client.client_id,
        "agency_id": client.agency_id,
        "scopes": list(asking.scopes),
        "purposes": {
            purpose: {"consents": [str(each) for each in held.consent_ids], "fields": list(held.fields)}
            for purpose, held in purposes.items()
        },
        "consent_ids": sorted({each for held in purposes.values() for each in held.consent_ids}),
        "acr": asking.acr.answer(Level(signed_in.ial, signed_in.aal)),
        "aal": signed_in.aal,
        "ial": signed_in.ial,
        "amr": list(signed_in.amr),
        "auth_time": datetime.fromtimestamp(signed_in.auth_time, UTC),
        "sid": signed_in.sid if kind == "code" else None,
        "nonce": asking.nonce,
        "redirect_uri": code.redirect_uri if code else None,
        "code_hash": code.code_hash if code else None,
        "code_challenge": code.challenge if code else None,
        "code_expires_at": code.expires_at if code else None,
        "dpop_jkt": asking.dpop_jkt,
        "granted_at": now,
        "refresh_until": now + grants.REFRESH_LIFETIME if OFFLINE in asking.scopes else None,
        "kind": kind,
        "resources": list(asking.resources),
        "authorization_details": [each.to_json() for each in asking.authorization_details],
        "claims": dict(asking.claims_kept),
    }
