"""The authorization_code grant (RFC 6749 §4.1.3): claimed first, then checked; shown twice, everything ends."""

from typing import Any

from core.ids import hash_reference
from oidc import grants
from oidc.authlib_ import is_code_verifier, verifier_matches
from oidc.edge import required
from oidc.errors import OAuthError, invalid_grant
from oidc.grants import Grant
from oidc.scopes import OFFLINE
from oidc.token import refresh_tokens
from oidc.token.answer import person_tokens
from oidc.token.context import TokenRequest, TokenRooms


async def authorization_code(asked: TokenRequest, rooms: TokenRooms) -> dict[str, Any]:
    """Spends the code in one statement bound to this client, then looks whether it was worth spending.

    Raises OAuthError; what was claimed or revoked on the way commits.
    """
    code = required(asked.parameters, "code")
    verifier = required(asked.parameters, "code_verifier")
    client_id = asked.client.client_id
    if not is_code_verifier(verifier):
        raise invalid_grant("code_verifier must be 43 to 128 characters of the unreserved set.")
    async with rooms.database.raw() as tx:
        code_hash = hash_reference(code)
        grant = await grants.claim_code(tx, code_hash=code_hash, client_id=client_id, now=asked.now)
        if grant is None:
            reused = await grants.revoke_by_spent_code(tx, code_hash=code_hash, client_id=client_id, now=asked.now)
            # The same words for a code that never was: who guesses learns nothing.
            raise invalid_grant(
                "The code is unknown, expired or was used before.", private="code reused" if reused else ""
            )
        fault = _fault(grant, asked, verifier)
        if fault is not None:
            await grants.revoke(tx, grant.person_id, grant.gid, reason="code-refused", now=asked.now)
            raise fault
        answer = person_tokens(asked, rooms, grant, grant.scopes, first=True)
        if OFFLINE in grant.scopes:
            answer["refresh_token"] = await refresh_tokens.issue(
                tx,
                person_id=grant.person_id,
                gid=grant.gid,
                client_id=client_id,
                scopes=grant.scopes,
                # A confidential client is held by its authentication (RFC 9449 §5); so its key may change.
                jkt=asked.jkt if asked.client.public else None,
                now=asked.now,
            )
    return answer


def _fault(grant: Grant, asked: TokenRequest, verifier: str) -> OAuthError | None:
    """What is wrong with a claimed code, by our clock and the stored request; pure."""
    if grant.revoked_at is not None or grant.code_expires_at <= asked.now:
        return invalid_grant("The code is unknown, expired or was used before.")
    if asked.parameters.get("redirect_uri") != grant.redirect_uri:
        return invalid_grant("redirect_uri is not the one of the authorization request.")
    if not verifier_matches(verifier, grant.code_challenge):
        return invalid_grant("code_verifier does not fit the code_challenge.")
    if grant.dpop_jkt is not None and asked.jkt != grant.dpop_jkt:
        return invalid_grant("The DPoP key is not the one the code is bound to.")
    return None
