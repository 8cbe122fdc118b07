"""A grant and its one authorization code."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from core.database import Tx
from core.ids import hash_reference, new_reference
from core.interaction import SignedIn
from oidc import grants
from oidc.acr import Level
from oidc.authorize.asking import Asking
from oidc.scopes import OFFLINE


async def issue_code(
    tx: Tx, asking: Asking, signed_in: SignedIn, purposes: Mapping[str, grants.PurposeGrant], *, now: datetime
) -> str:
    """Writes the grant; gives the code: 192 random bits behind the person's bucket, kept as a hash."""
    person_id = uuid.UUID(signed_in.person_id)
    code = new_reference(person_id)
    client = asking.client
    await tx.run(
        grants.INSERT,
        person_id=person_id,
        gid=grants.new_gid(person_id),
        account_id=uuid.UUID(signed_in.account_id),
        client_id=client.client_id,
        agency_id=client.agency_id,
        scopes=list(asking.scopes),
        purposes={
            code_: {"consents": [str(each) for each in held.consent_ids], "fields": list(held.fields)}
            for code_, held in purposes.items()
        },
        consent_ids=sorted({each for held in purposes.values() for each in held.consent_ids}),
        acr=asking.acr.answer(Level(signed_in.ial, signed_in.aal)),
        aal=signed_in.aal,
        ial=signed_in.ial,
        amr=list(signed_in.amr),
        auth_time=datetime.fromtimestamp(signed_in.auth_time, UTC),
        sid=signed_in.sid,
        nonce=asking.nonce,
        redirect_uri=asking.answer_to.redirect_uri,
        code_hash=hash_reference(code),
        code_challenge=asking.code_challenge,
        code_expires_at=now + timedelta(seconds=grants.CODE_SECONDS),
        dpop_jkt=asking.dpop_jkt,
        granted_at=now,
        refresh_until=now + grants.REFRESH_LIFETIME if OFFLINE in asking.scopes else None,
    )
    return code
