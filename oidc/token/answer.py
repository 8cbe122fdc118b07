"""The tokens of a person's grant, as both the code and the refresh grant give them."""

from typing import Any

from core.database import Tx
from oidc.audiences import userinfo_audience
from oidc.grants import Grant
from oidc.scopes import OFFLINE, OPENID
from oidc.token import refresh_tokens
from oidc.token.access_tokens import AccessTokenAsk, issue_access_token, token_response
from oidc.token.context import TokenRequest, TokenRooms
from oidc.token.id_tokens import issue_id_token


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
            # A confidential client is held by its authentication (RFC 9449 §5); so its key may change.
            jkt=asked.jkt if asked.client.public else None,
            now=asked.now,
        )
    return answer


async def person_tokens(
    asked: TokenRequest, rooms: TokenRooms, grant: Grant, scopes: tuple[str, ...], *, first: bool
) -> dict[str, Any]:
    """Access token and id_token. first: from the code, so that the nonce goes along."""
    client = asked.client
    subject = rooms.pseudonyms.subject(client.sector, grant.person_id)
    token = issue_access_token(
        AccessTokenAsk(
            client_id=client.client_id,
            subject=subject,
            audience=userinfo_audience(rooms.issuer),
            scopes=scopes,
            gid=grant.gid,
            jkt=asked.jkt,
        ),
        rooms.keys,
        issuer=rooms.issuer,
        now=asked.now,
    )
    answer = token_response(token, jkt=asked.jkt, scopes=scopes)
    if OPENID in scopes:
        answer["id_token"] = issue_id_token(
            grant,
            rooms.keys,
            issuer=rooms.issuer,
            subject=subject,
            alg=client.id_token_alg,
            access_token=token,
            now=asked.now,
            with_nonce=first,
        )
    return answer
