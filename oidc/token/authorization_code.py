"""The authorization_code grant (RFC 6749 §4.1.3): claimed first, then checked; shown twice, everything ends."""

from typing import Any

from core.ids import hash_reference
from oidc import grants
from oidc.authlib_ import is_code_verifier, verifier_matches
from oidc.edge import required
from oidc.errors import OAuthError, invalid_grant
from oidc.grants import Grant
from oidc.scopes import OFFLINE
from oidc.token.answer import first_tokens, person_tokens, target_fault
from oidc.token.context import TokenRequest, TokenRooms


async def authorization_code(asked: TokenRequest, rooms: TokenRooms) -> dict[str, Any]:
    """Spends the code in one statement bound to this client, then looks whether it was worth spending.

    Raises OAuthError; what was claimed or revoked on the way commits.
    """
    code = required(asked.parameters, "code")
    verifier = asked.parameters.get("code_verifier")
    client_id = asked.client.client_id
    code_hash = hash_reference(code)
    # Committed by itself: whatever happens from here on, the code is spent.
    grant = await grants.claim_code(rooms.database.claims, code_hash=code_hash, client_id=client_id, now=asked.now)
    if grant is None:
        async with rooms.database.raw() as tx:
            reused = await grants.revoke_by_spent_code(tx, code_hash=code_hash, client_id=client_id, now=asked.now)
        # The same words for a code that never was: who guesses learns nothing.
        raise invalid_grant("The code is unknown, expired or was used before.", private="code reused" if reused else "")
    fault = _fault(grant, asked, verifier, rooms.issuer)
    if fault is not None:
        async with rooms.database.raw() as tx:
            await grants.revoke(tx, grant.person_id, grant.gid, reason="code-refused", now=asked.now)
        raise fault
    if OFFLINE not in grant.scopes:
        return await person_tokens(asked, rooms, grant, grant.scopes, first=True)
    async with rooms.database.raw() as tx:
        return await first_tokens(tx, asked, rooms, grant)


def _fault(grant: Grant, asked: TokenRequest, verifier: str | None, issuer: str) -> OAuthError | None:
    """What is wrong with a claimed code, by our clock and the stored request; pure."""
    if grant.revoked_at is not None or grant.code_expires_at is None or grant.code_expires_at <= asked.now:
        return invalid_grant("The code is unknown, expired or was used before.")
    if asked.parameters.get("redirect_uri") != grant.redirect_uri:
        return invalid_grant("redirect_uri is not the one of the authorization request.")
    if verifier is not None and not is_code_verifier(verifier):
        return invalid_grant("code_verifier must be 43 to 128 characters of the unreserved set.")
    if (verifier is None) != (grant.code_challenge is None):
        # RFC 9700 §2.1.1, the downgrade: one without the other is never an accident.
        return invalid_grant("code_verifier and code_challenge go together.")
    if verifier is not None and not verifier_matches(verifier, grant.code_challenge or ""):
        return invalid_grant("code_verifier does not fit the code_challenge.")
    if grant.dpop_jkt is not None and asked.jkt != grant.dpop_jkt:
        return invalid_grant("The DPoP key is not the one the code is bound to.")
    return target_fault(asked, grant, issuer=issuer)
