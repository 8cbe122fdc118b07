"""Signed answers of the authorization endpoint (OpenID JARM): `response=<JWT>` in the place of the parameters.

`iss`, `aud` and `exp` stand in the JWT beside them, so that an answer cannot be shown to another client, nor come
from another server, nor be kept for later. The type is JWT, the only one that common libraries take; there is no
`sub`, so it is no id_token and no hint of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from oidc.client_keys import ClientKeys
from oidc.clients import Client
from oidc.encryption import encrypted_for
from oidc.signing_keys import SigningKeys

LIFETIME_SECONDS = 300
"""JARM §2.1 recommends ten minutes at the most; the code in it lives for one."""
DEFAULT_ALGORITHM = "ES256"
"""JARM §3 says RS256; FAPI 2.0 §5.4.1 forbids that."""
TYPE = "JWT"


@dataclass(frozen=True, slots=True)
class SignedAnswers:
    """Makes the JWTs."""

    issuer: str
    keys: SigningKeys
    client_keys: ClientKeys

    async def response(self, client: Client, params: Mapping[str, str], *, now: datetime) -> str:
        """The value of `response`: signed by the client's algorithm, and encrypted where it asked for that.

        Raises OAuthError, Unavailable when the key to encrypt with cannot be had.
        """
        claims = {
            **params,
            "iss": self.issuer,
            "aud": client.client_id,
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + LIFETIME_SECONDS,
        }
        options = client.options
        alg = options.authorization_signed_response_alg or DEFAULT_ALGORITHM
        token = await self.keys.sign(alg, claims, typ=TYPE)
        if options.authorization_encrypted_response_alg is None:
            return token
        return await encrypted_for(
            client,
            self.client_keys,
            alg=options.authorization_encrypted_response_alg,
            enc=options.authorization_encrypted_response_enc,
            token=token,
        )
