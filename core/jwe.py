"""Encryption of what we sign: compact JWE to a client's public key. With core/jose.py the only importer of joserfc.

We encrypt and never decrypt: nothing that comes in is encrypted. RSA1_5 (RFC 8725 §3.2) and everything symmetric
do not exist here, nor does compression (RFC 8725 §3.6).

Sources: RFC 7516, RFC 7518 §4 and §5, RFC 8037 §3.2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from joserfc import jwe
from joserfc.errors import JoseError

from core.jose import AnyKey, JoseRefused, import_public

KEY_MANAGEMENT = ("ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256")
"""How the key of one message is agreed on or wrapped."""
CONTENT_ENCRYPTION = ("A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512")
MAX_PLAINTEXT = 32 * 1024
"""Ours are a fraction of it; a limit that is met is a fault to look at."""

_AGREEMENT_CURVES = frozenset({"P-256", "P-384", "P-521", "X25519"})
_OPERATIONS = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})


@dataclass(frozen=True, slots=True, eq=False)
class EncryptionKey:
    """A public key bound to one key management algorithm. kid: as its owner names it, None when he does not."""

    kid: str | None
    alg: str
    _key: AnyKey

    @classmethod
    def from_jwk(cls, public: Mapping[str, Any], alg: str) -> "EncryptionKey":
        """Reads a public JWK for `alg`. Raises JoseRefused on private members, weak keys, keys for other uses."""
        try:
            written = orjson.dumps(dict(public), option=orjson.OPT_SORT_KEYS)
        except TypeError:
            raise JoseRefused("the key cannot be read") from None
        return _remembered(written, alg)

    @classmethod
    def _read(cls, public: Mapping[str, Any], alg: str) -> "EncryptionKey":
        if alg not in KEY_MANAGEMENT:
            raise JoseRefused("the key management algorithm is not offered")
        operations = public.get("key_ops", _OPERATIONS)
        if public.get("use", "enc") != "enc" or not isinstance(operations, Iterable):
            raise JoseRefused("the key is not for encryption")
        if not _OPERATIONS.intersection(each for each in operations if isinstance(each, str)):
            raise JoseRefused("the key is not for encryption")
        if public.get("alg", alg) != alg:
            raise JoseRefused("the key is for another algorithm")
        # Read without `alg` and `key_ops`: they were looked at here, and the library knows fewer words.
        key = import_public({name: value for name, value in public.items() if name not in {"alg", "key_ops"}})
        fits = public.get("kty") == "RSA" if alg == "RSA-OAEP-256" else public.get("crv") in _AGREEMENT_CURVES
        if not fits:
            raise JoseRefused("the key does not fit its algorithm")
        kid = public.get("kid")
        return cls(kid=kid if isinstance(kid, str) else None, alg=alg, _key=key)


@lru_cache(maxsize=1_024)
def _remembered(written: bytes, alg: str) -> EncryptionKey:
    """Reading a key is dear; by the whole of what was sent, as in core/jose.py."""
    return EncryptionKey._read(orjson.loads(written), alg)


def encryption_key(jwks: Iterable[Any], alg: str) -> EncryptionKey | None:
    """The first key of a set that fits `alg`, one that says it is for encryption before one that says nothing."""
    silent: EncryptionKey | None = None
    for each in jwks:
        if not isinstance(each, Mapping):
            continue
        try:
            key = EncryptionKey.from_jwk(each, alg)
        except JoseRefused:
            continue
        if each.get("use") == "enc" or each.get("alg") == alg:
            return key
        silent = silent or key
    return silent


def encrypt_jwt(content: str | bytes, key: EncryptionKey, *, enc: str, cty: str | None = "JWT") -> str:
    """A compact JWE over a signed JWT (`cty` JWT, RFC 7519 §5.2) or, with `cty` None, over claims as they are.

    Raises JoseRefused when the content is too large or the key cannot do it.
    """
    plaintext = content.encode() if isinstance(content, str) else content
    if enc not in CONTENT_ENCRYPTION or len(plaintext) > MAX_PLAINTEXT:
        raise JoseRefused("this cannot be encrypted")
    protected: dict[str, Any] = {"alg": key.alg, "enc": enc}
    if cty is not None:
        protected["cty"] = cty
    if key.kid is not None:
        protected["kid"] = key.kid
    try:
        return jwe.encrypt_compact(protected, plaintext, key._key, algorithms=[key.alg, enc])
    except (JoseError, ValueError, TypeError):
        raise JoseRefused("the key cannot encrypt") from None
