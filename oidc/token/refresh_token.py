"""The refresh_token grant (RFC 6749 §6)."""

from typing import Any

from core.database import Database, RawTx, Reads
from oidc import grants, scopes
from oidc.edge import required
from oidc.errors import OAuthError, invalid_grant
from oidc.token import refresh_tokens
from oidc.token.answer import person_tokens, target_fault
from oidc.token.context import TokenRequest, TokenRooms
from oidc.token.refresh_tokens import RefreshToken


async def refresh_token(asked: TokenRequest, rooms: TokenRooms) -> dict[str, Any]:
    """New tokens from an old grant. Raises OAuthError; an ended family commits with it."""
    token = required(asked.parameters, "refresh_token")
    held = await _held(rooms.database.shared, token, asked, rooms.issuer)
    rotates = asked.client.public and held.holder is None
    successor = await _rotated(rooms.database, token, held, asked) if rotates else None
    narrowed = scopes.narrowed(held.scopes, asked.parameters.get("scope"))
    answer = await person_tokens(asked, rooms, held.grant, narrowed, first=False)
    if successor is not None:
        answer["refresh_token"] = successor
    return answer


async def _held(tx: Reads, token: str, asked: TokenRequest, issuer: str) -> RefreshToken:
    held = await refresh_tokens.find(tx, token, asked.client.client_id)
    fault = _unknown() if held is None else _fault(held, asked, issuer)
    if held is None or fault is not None:
        raise fault or _unknown()
    return held


def _fault(held: RefreshToken, asked: TokenRequest, issuer: str) -> OAuthError | None:
    """What is wrong with a stored token, by our clock; pure."""
    until = held.grant.refresh_until
    if held.grant.revoked_at is not None or until is None or until <= asked.now:
        return _unknown()
    if scopes.OFFLINE not in asked.client.scopes:
        return invalid_grant("The client is no longer registered for offline_access.")
    if held.holder is not None and held.holder not in (asked.jkt, asked.x5t):
        # Whichever it was: no key has the thumbprint of another, and no certificate that of a key.
        error = "invalid_grant" if asked.client.mtls_bound else "invalid_dpop_proof"
        return OAuthError(error, "The refresh token is bound to another key or certificate.")
    # A scope or a resource is refused at once, before anything is spent.
    scopes.narrowed(held.scopes, asked.parameters.get("scope"))
    return target_fault(asked, held.grant, issuer=issuer)


async def _rotated(database: Database, token: str, held: RefreshToken, asked: TokenRequest) -> str:
    """The successor of a public client's token; ends the family when an old one is shown again."""
    if held.rotated_at is None:
        made = await refresh_tokens.rotate(database.claims, token, held, now=asked.now)
        if made is not None:
            return made
    async with database.raw() as tx:
        return await _shown_again(tx, token, held, asked)


async def _shown_again(tx: RawTx, token: str, held: RefreshToken, asked: TokenRequest) -> str:
    if held.rotated_at is None:
        # Replaced by a request that ran beside this one: the row now tells when.
        held = await refresh_tokens.find(tx, token, asked.client.client_id) or held
    if refresh_tokens.within_grace(held, asked.now):
        successor = refresh_tokens.successor(token, held.successor_salt)
        following = await refresh_tokens.find(tx, successor, asked.client.client_id)
        # Whose successor was used already did get the answer: then this is no retry.
        if following is not None and following.rotated_at is None:
            return successor
    await grants.revoke(tx, held.grant.person_id, held.grant.gid, reason="refresh-reused", now=asked.now)
    raise invalid_grant("The refresh token is unknown, expired or revoked.", private="refresh token reused")


def _unknown() -> OAuthError:
    return invalid_grant("The refresh token is unknown, expired or revoked.")
