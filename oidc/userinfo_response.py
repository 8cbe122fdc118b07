"""The form of a userinfo answer: JSON, signed, encrypted, or signed and then encrypted, as the client registered.

Source: OpenID Connect Core §5.3.2, Registration §2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from core.jwe import EncryptionKey
from oidc.client_keys import ClientKeys
from oidc.clients import Client
from oidc.edge import json_response
from oidc.encryption import encrypted_to
from oidc.signing_keys import SigningKeys

MEDIA_TYPE = "application/jwt"


@dataclass(frozen=True, slots=True)
class UserinfoForm:
    """How one client gets its claims. key: what they are encrypted to."""

    client: Client
    key: EncryptionKey | None
    issuer: str
    keys: SigningKeys

    async def respond(self, claims: Mapping[str, Any]) -> Response:
        """The answer. Raises OAuthError when the client's key cannot encrypt."""
        alg = self.client.options.userinfo_signed_response_alg
        if alg is None and self.key is None:
            return json_response(claims)
        # Signed, it names who says it to whom; encrypted alone it is the plain object in an envelope.
        told = {**claims, "iss": self.issuer, "aud": self.client.client_id}
        # Without `typ`: it is not to be taken for an id_token of ours, which has one.
        content = orjson.dumps(dict(claims)).decode() if alg is None else await self.keys.sign(alg, told, typ=None)
        if self.key is not None:
            enc = self.client.options.userinfo_encrypted_response_enc
            content = encrypted_to(self.key, enc=enc, token=content, cty=None if alg is None else "JWT")
        return Response(content, 200, {"Cache-Control": "no-store", "Pragma": "no-cache"}, MEDIA_TYPE)


@dataclass(frozen=True, slots=True)
class UserinfoForms:
    """Finds the form. One per process."""

    issuer: str
    keys: SigningKeys
    client_keys: ClientKeys

    async def of(self, client: Client) -> UserinfoForm:
        """Ask before anything is disclosed: what cannot be encrypted must not be journalled as told.

        Raises OAuthError when the client has no key for it, Unavailable when its key set cannot be had.
        """
        alg = client.options.userinfo_encrypted_response_alg
        key = None if alg is None else await self.client_keys.encryption(client, alg)
        return UserinfoForm(client, key, self.issuer, self.keys)
