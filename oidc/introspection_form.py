"""The form of an introspection answer: JSON (RFC 7662), or a signed and perhaps encrypted JWT (RFC 9701)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from core.jwe import EncryptionKey
from oidc.client_keys import ClientKeys
from oidc.clients import Client
from oidc.edge import json_response
from oidc.encryption import encrypted_to
from oidc.profiles import SIGNING_ALGORITHMS
from oidc.signing_keys import SigningKeys

TYPE = "token-introspection+jwt"
MEDIA_TYPE = f"application/{TYPE}"


def wants_jwt(accept: str, asker: Client) -> bool:
    """Whether the answer is a JWT: always for who registered so, else for who accepts one by its name (§4). Pure."""
    options = asker.options
    if options.introspection_signed_response_alg or options.introspection_encrypted_response_alg:
        return True
    return MEDIA_TYPE in {each.partition(";")[0].strip().lower() for each in accept.split(",")}


@dataclass(frozen=True, slots=True)
class IntrospectionForm:
    """How one resource server gets one answer. as_jwt: whether signed. key: what it is encrypted to."""

    asker: Client
    as_jwt: bool
    key: EncryptionKey | None
    issuer: str
    keys: SigningKeys

    async def respond(self, told: Mapping[str, Any], *, now: datetime) -> Response:
        """The answer. Raises OAuthError when the asker's key cannot encrypt."""
        if not self.as_jwt:
            return json_response(told)
        # §5: no `sub` and no `exp` beside it, and a type of its own, so that it is never taken for an access token.
        claims = {
            "iss": self.issuer,
            "aud": self.asker.client_id,
            "iat": int(now.timestamp()),
            "token_introspection": dict(told),
        }
        alg = self.asker.options.introspection_signed_response_alg or SIGNING_ALGORITHMS[0]
        content = await self.keys.sign(alg, claims, typ=TYPE)
        if self.key is not None:
            enc = self.asker.options.introspection_encrypted_response_enc
            content = encrypted_to(self.key, enc=enc, token=content)
        return Response(content, 200, {"Cache-Control": "no-store", "Pragma": "no-cache"}, MEDIA_TYPE)


@dataclass(frozen=True, slots=True)
class IntrospectionForms:
    """Finds the form. One per process."""

    issuer: str
    keys: SigningKeys
    client_keys: ClientKeys

    async def of(self, asker: Client, accept: str) -> IntrospectionForm:
        """Raises OAuthError when the asker has no key for what it registered, Unavailable."""
        alg = asker.options.introspection_encrypted_response_alg
        key = None if alg is None else await self.client_keys.encryption(asker, alg)
        return IntrospectionForm(asker, wants_jwt(accept, asker), key, self.issuer, self.keys)
