"""The tokens of a person's grant, as both the code and the refresh grant give them."""

from typing import Any

from oidc.audiences import userinfo_audience
from oidc.grants import Grant
from oidc.scopes import OPENID
from oidc.token.access_tokens import AccessTokenAsk, issue_access_token, token_response
from oidc.token.context import TokenRequest, TokenRooms
from oidc.token.id_tokens import issue_id_token


def person_tokens(
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
