"""Encrypting what we signed, to a client's own key (OpenID Connect Core §10.2, RFC 7519 §11.2: sign, then encrypt)."""

from core.jose import JoseRefused
from core.jwe import EncryptionKey, encrypt_jwt
from oidc.client_keys import ClientKeys
from oidc.clients import Client
from oidc.encryption_names import DEFAULT_CONTENT_ENCRYPTION
from oidc.errors import OAuthError


async def encrypted_for(
    client: Client, client_keys: ClientKeys, *, alg: str, enc: str | None, token: str, cty: str | None = "JWT"
) -> str:
    """A compact JWE of a signed JWT for the client. enc: as registered.

    cty: None when `token` is plain JSON. Ask before a transaction is opened: the key set may have to be fetched.
    Raises OAuthError when the client has no key for it, Unavailable when its key set cannot be had.
    """
    return encrypted_to(await client_keys.encryption(client, alg), enc=enc, token=token, cty=cty)


def encrypted_to(key: EncryptionKey, *, enc: str | None, token: str, cty: str | None = "JWT") -> str:
    """The same to a key that was found before. Raises OAuthError when it cannot encrypt."""
    try:
        return encrypt_jwt(token, key, enc=enc or DEFAULT_CONTENT_ENCRYPTION, cty=cty)
    except JoseRefused as refused:
        raise OAuthError(
            "invalid_client_metadata", f"The client's key for {key.alg} cannot be used.", private=refused.reason
        ) from None
