"""The tokens of a person's grant, as both the code and the refresh grant give them."""

from typing import Any

from core.database import Tx
from oidc.audiences import lookup_audience
from oidc.authorization_details import refused
from oidc.errors import OAuthError
from oidc.grants import Grant
from oidc.resources import token_audience
from oidc.scopes import OFFLINE, OPENID
from oidc.token import refresh_tokens
from oidc.token.access_tokens import AccessTokenAsk, issue_access_token, token_response
from oidc.token.context import TokenRequest, TokenRooms
from oidc.token.id_tokens import issue_id_token


def target_fault(asked: TokenRequest, grant: Grant, *, issuer: str) -> OAuthError | None:
    """What is wrong with whom the token is asked for: looked at before anything is given out."""
    try:
        _audience(asked, grant, issuer=issuer)
    except OAuthError as fault:
        return fault
    return None


async def first_tokens(tx: Tx, asked: TokenRequest, rooms: TokenRooms, grant: Grant) -> dict[str, Any]:
    """The tokens of a grant that was just redeemed, with a refresh token where it holds offline_access."""
    answer = await person_tokens(asked, rooms, grant, grant.scopes, first=True)
    if OFFLINE in grant.scopes:
        answer["refresh_token"] = await refresh_tokens.issue(
            tx,
            person_id=grant.person_id,
            gid=grant.gid,
            client_id=grant.client_id,
            scopes=grant.scopes,
            # A confidential client is held by its authentication (RFC 9449 §5, RFC 8705 §4); so its key may change.
            holder=asked.holder if asked.client.public else None,
            now=asked.now,
        )
    return answer


async def person_tokens(
    asked: TokenRequest, rooms: TokenRooms, grant: Grant, scopes: tuple[str, ...], *, first: bool
) -> dict[str, Any]:
    """Access token and id_token. first: from the code, so that the nonce goes along. Raises OAuthError."""
    client, audience = asked.client, _audience(asked, grant, issuer=rooms.issuer)
    subject = rooms.pseudonyms.subject(client.sector, grant.person_id)
    token = await issue_access_token(
        AccessTokenAsk(
            client_id=client.client_id,
            subject=subject,
            audience=audience,
            scopes=scopes,
            gid=grant.gid,
            jkt=asked.jkt,
            x5t=asked.x5t,
            alg=client.access_token_alg,
        ),
        rooms.keys,
        issuer=rooms.issuer,
        now=asked.now,
    )
    answer = token_response(token, jkt=asked.jkt, scopes=scopes)
    if grant.authorization_details:
        answer["authorization_details"] = [dict(each) for each in grant.authorization_details]  # RFC 9396 §7
    if OPENID in scopes:
        answer["id_token"] = await issue_id_token(
            grant,
            rooms.keys,
            issuer=rooms.issuer,
            subject=subject,
            alg=client.id_token_alg,
            access_token=token,
            now=asked.now,
            with_nonce=first,
            with_sid=client.options.told_of_sign_outs,
        )
    return answer


def _audience(asked: TokenRequest, grant: Grant, *, issuer: str) -> str:
    """Who the access token is for (RFC 8707 §2.2). Raises OAuthError."""
    if "authorization_details" in asked.parameters:
        # RFC 9396 §6 lets a server narrow them here; ignoring the wish would give more than was asked.
        raise refused("are settled by the authorization request; ask for less there")
    audience = token_audience(grant.resources, asked.parameters.get("resource"), issuer=issuer)
    if audience == lookup_audience(issuer) and asked.jkt is None and asked.x5t is None:
        raise OAuthError("invalid_dpop_proof", "A token for the lookup API is bound to a key: send a DPoP proof.")
    return audience
