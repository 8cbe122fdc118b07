"""JOSE in one place: with core/jwe.py (encryption) the only importer of joserfc.

Every option is written out at the call: algorithms, `typ`, audience, times, sizes. A key is bound to one
algorithm. A header `jwk` is never a key to trust (DPoP names it explicitly, see core/dpop.py); `crit` is
refused; `none` and the symmetric algorithms do not exist here, since secrets are kept hashed.

Sources: RFC 7515, 7517, 7518, 7519, 7638, 8037, 8725, 9864.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk, jws
from joserfc.errors import JoseError

from core import base64url, es256
from core.checked_signatures import CheckedSignatures
from core.record import record
from core.rsa_rules import is_fit_rsa, private_as_kept

SIGNATURE_ALGORITHMS = frozenset({"ES256", "PS256", "RS256", "EdDSA", "Ed25519"})
"""What we verify at all. RS256 stands only for id_tokens of clients that know nothing better."""

MAX_TOKEN_LENGTH = 16 * 1024
MAX_HEADER_LENGTH = 4096
"""Of the encoded header: a DPoP proof may carry an RSA key of 8192 bits."""
REMEMBERED_KEYS = 1_024
"""Public keys kept as read: reading one costs more than checking a signature with it."""
LEEWAY_SECONDS = 60
"""RFC 8725 asks for small; clocks of portals are off by that much at the most."""

# RFC 9864 renames EdDSA to Ed25519; clients of before still say EdDSA, and it is the same signature.
jws.JWSRegistry.algorithms["EdDSA"].security_warning = None

_TEXTS = ("alg", "kid", "typ")

AnyKey = jwk.ECKey | jwk.RSAKey | jwk.OKPKey


class _Registry(jws.JWSRegistry):
    # The library's 512 bytes refuse a DPoP proof that carries an RSA key.
    max_header_length = MAX_HEADER_LENGTH


class JoseRefused(Exception):
    """A token, key or signature does not hold; `reason` is for the log and for developers, no secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, eq=False)
class VerificationKey:
    """A public key bound to one algorithm. thumbprint: RFC 7638, SHA-256, base64url. _p256: of ES256 alone."""

    kid: str
    alg: str
    thumbprint: str
    _key: AnyKey
    _p256: ec.EllipticCurvePublicKey | None

    @classmethod
    def from_jwk(cls, public: Mapping[str, Any], *, alg: str | None = None) -> "VerificationKey":
        """Reads a public JWK. Raises JoseRefused on private members, weak or unfitting keys."""
        try:
            written = orjson.dumps(dict(public), option=orjson.OPT_SORT_KEYS)
        except TypeError:
            raise JoseRefused("the key cannot be read") from None
        return _remembered(written, alg)

    @classmethod
    def _read(cls, public: Mapping[str, Any], alg: str | None) -> "VerificationKey":
        key = import_public(public)
        chosen = alg or public.get("alg") or _default_algorithm(key)
        if not isinstance(chosen, str) or chosen not in _algorithms_of(key):
            raise JoseRefused("the key does not fit its algorithm")
        thumbprint = str(key.thumbprint())
        p256 = key.public_key if isinstance(key, jwk.ECKey) else None
        return cls(kid=str(public.get("kid") or thumbprint), alg=chosen, thumbprint=thumbprint, _key=key, _p256=p256)

    def public_jwk(self) -> dict[str, Any]:
        """The JWK for publication: no private member, with kid, alg and use."""
        return {**self._key.as_dict(private=False), "kid": self.kid, "alg": self.alg, "use": "sig"}


def is_for_signing(public: object) -> bool:
    """Whether a JWK may check signatures by what it says of itself (RFC 7517 §4.2, §4.3)."""
    if not isinstance(public, Mapping) or public.get("use", "sig") != "sig":
        return False
    operations = public.get("key_ops", ("verify",))
    return isinstance(operations, Collection) and any(each in ("sign", "verify") for each in operations)


@lru_cache(maxsize=REMEMBERED_KEYS)
def _remembered(written: bytes, alg: str | None) -> VerificationKey:
    # By the whole of what was sent, so that a key differing in any member is read and checked itself.
    return VerificationKey._read(orjson.loads(written), alg)


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A private key bound to one algorithm; `repr` hides it.

    _held: signs octets where the private key is (a hardware token); `_key` is then its public half.
    """

    kid: str
    alg: str
    _key: AnyKey
    _held: Callable[[bytes], bytes] | None = None
    _p256: ec.EllipticCurvePrivateKey | None = field(init=False)

    def __post_init__(self) -> None:
        private = self._key.private_key if self._held is None and isinstance(self._key, jwk.ECKey) else None
        object.__setattr__(self, "_p256", private)

    def __repr__(self) -> str:
        return f"SigningKey({self.kid!r}, {self.alg!r})"

    @property
    def held_elsewhere(self) -> bool:
        """Whether a signature is asked for, and waited for: then sign from a thread."""
        return self._held is not None

    @classmethod
    def held(cls, public: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> "SigningKey":
        """A key that is used where it is. public: its JWK with alg. sign: octets to signature (RFC 7518 §3)."""
        key = VerificationKey.from_jwk(public)
        return cls(kid=key.kid, alg=key.alg, _key=key._key, _held=sign)

    @classmethod
    def generate(cls, alg: str) -> "SigningKey":
        """A fresh key: ES256 (P-256), EdDSA/Ed25519, PS256/RS256 (3072 bits)."""
        key: AnyKey
        if alg == "ES256":
            key = jwk.ECKey.generate_key("P-256", private=True)
        elif alg in {"EdDSA", "Ed25519"}:
            key = jwk.OKPKey.generate_key("Ed25519", private=True)
        elif alg in {"PS256", "RS256"}:
            key = jwk.RSAKey.generate_key(3072, private=True)
        else:
            raise JoseRefused("no such algorithm here")
        return cls(kid=str(key.thumbprint()), alg=alg, _key=key)

    @classmethod
    def from_jwk(cls, private: Mapping[str, Any], *, as_kept: bool = False) -> "SigningKey":
        """as_kept: out of our own seal, as `private_jwk` wrote it, so that an RSA key is not examined again."""
        kept = as_kept and private.get("kty") == "RSA"
        key = jwk.RSAKey.import_key(private_as_kept(private)) if kept else _import(private)
        if not key.is_private:
            raise JoseRefused("a private key is needed")
        alg = str(private.get("alg") or _default_algorithm(key))
        if alg not in _algorithms_of(key):
            raise JoseRefused("the key does not fit its algorithm")
        return cls(kid=str(private.get("kid") or key.thumbprint()), alg=alg, _key=key)

    def private_jwk(self) -> dict[str, Any]:
        """With private members: only to be sealed, or printed by the sandbox. Raises JoseRefused when not held here."""
        if self._held is not None:
            raise JoseRefused("the private key is held elsewhere")
        return {**self._key.as_dict(private=True), "kid": self.kid, "alg": self.alg, "use": "sig"}

    def public(self) -> VerificationKey:
        return VerificationKey.from_jwk({**self._key.as_dict(private=False), "kid": self.kid, "alg": self.alg})


@record
class UnverifiedJwt:
    """What a token says of itself. Nothing in it may be believed; it may choose the key to check with."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    token: str
    _signed: bytes = field(repr=False)
    _signature: bytes = field(repr=False)


@record
class VerifiedJwt:
    """A token whose signature, type, audience and times hold (or one that we made ourselves)."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    kid: str


def sign_jwt(
    key: SigningKey, claims: Mapping[str, Any], *, typ: str | None, header: Mapping[str, Any] | None = None
) -> str:
    """A compact JWS over JSON claims, with `typ` (None: without), `kid` and the key's algorithm."""
    content = orjson.dumps(dict(claims))
    first = _encoded(key.alg, key.kid, typ, header) if header else _first(key.alg, key.kid, typ)
    signed = f"{first}.{base64url.encode(content)}"
    if key._held is not None:
        return f"{signed}.{base64url.encode(key._held(signed.encode()))}"
    if key._p256 is not None:
        return f"{signed}.{base64url.encode(es256.sign(key._p256, signed.encode()))}"
    protected = orjson.loads(base64url.decode(first))
    return jws.serialize_compact(protected, content, key._key, algorithms=[key.alg], registry=_registry(key.alg))


def _encoded(alg: str, kid: str, typ: str | None, header: Mapping[str, Any] | None = None) -> str:
    made: dict[str, Any] = {"alg": alg, **({} if typ is None else {"typ": typ}), **(header or {})}
    if "jwk" not in made:  # a DPoP proof carries its key and needs no name for it
        made["kid"] = kid
    return base64url.encode(orjson.dumps(made))


_first = lru_cache(maxsize=256)(_encoded)
"""The first part of the tokens of a key and type is always the same."""


def decode_unverified(token: str) -> UnverifiedJwt:
    """Reads without checking. Raises JoseRefused when it is not a JWT of sane size."""
    parts = token.split(".", 3) if len(token) <= MAX_TOKEN_LENGTH else []
    if len(parts) != 3 or len(parts[0]) > MAX_HEADER_LENGTH or not token.isascii():
        raise JoseRefused("not a signed JWT")
    try:
        header, claims = orjson.loads(base64url.decode(parts[0])), orjson.loads(base64url.decode(parts[1]))
        signature = base64url.decode(parts[2])
    except ValueError:
        raise JoseRefused("not a signed JWT") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise JoseRefused("header and claims are objects")
    if not isinstance(header.get("alg"), str) or not all(isinstance(header.get(name, ""), str) for name in _TEXTS):
        raise JoseRefused("a header parameter is no text")
    signed = token[: -len(parts[2]) - 1].encode()
    return UnverifiedJwt(header=header, claims=claims, token=token, _signed=signed, _signature=signature)


def verify_signature(token: str | UnverifiedJwt, key: VerificationKey, *, typ: Collection[str] | None) -> VerifiedJwt:
    """Checks the signature and `typ` only; times and audience are the caller's. Raises JoseRefused.

    token: as it came, or as `decode_unverified` read it: then it is not read again.

    typ: allowed media types without `application/` (RFC 8725 §3.11); None where the profile leaves it open
    (client assertions, id_token hints).
    """
    unverified = decode_unverified(token) if isinstance(token, str) else token
    header = unverified.header
    if header.get("alg") != key.alg and {header.get("alg"), key.alg} != {"EdDSA", "Ed25519"}:
        raise JoseRefused("the algorithm is not the one of the key")
    if "crit" in header or "b64" in header:
        raise JoseRefused("critical header parameters are not understood")
    if typ is not None:
        named = str(header.get("typ", "")).lower().removeprefix("application/")
        if named not in {allowed.lower() for allowed in typ}:
            raise JoseRefused("the token has another type")
    if not _holds(unverified, key, str(header["alg"])):
        raise JoseRefused("the signature does not hold")
    return VerifiedJwt(header=header, claims=unverified.claims, kid=key.kid)


def _holds(unverified: UnverifiedJwt, key: VerificationKey, alg: str) -> bool:
    if alg == "ES256":
        return key._p256 is not None and es256.holds(key._p256, unverified._signed, unverified._signature)
    try:
        seen = jws.extract_compact(unverified.token.encode(), registry=_registry(alg))
        return jws.validate_compact(seen, key._key, algorithms=[alg], registry=_registry(alg))
    except (JoseError, ValueError, TypeError, RecursionError):
        return False


def verify_jwt(
    token: str | UnverifiedJwt,
    keys: Sequence[VerificationKey],
    *,
    algs: Collection[str],
    typ: Collection[str] | None,
    issuer: str,
    audience: str | Collection[str],
    now: datetime,
    leeway_seconds: int = LEEWAY_SECONDS,
    require: Collection[str] = ("exp", "iat"),
    checked: CheckedSignatures | None = None,
) -> VerifiedJwt:
    """Checks everything. Raises JoseRefused.

    token: as it came, or as `decode_unverified` read it: then it is not read again.
    keys: the issuer's; chosen by `kid` (by elimination when the token has none). algs: what is allowed here.
    audience: at least one of them must stand in `aud`. checked: signatures that held before.
    """
    text = token if isinstance(token, str) else token.token
    verified = None if checked is None else checked.find(text, keys)
    if verified is None:
        unverified = decode_unverified(token) if isinstance(token, str) else token
        verified = _signed(unverified, keys, algs=algs, typ=typ, checked=checked)
    check_times(verified.claims, now=now, leeway_seconds=leeway_seconds, require=require)
    if verified.claims.get("iss") != issuer:
        raise JoseRefused("another issuer")
    wanted = {audience} if isinstance(audience, str) else set(audience)
    named = verified.claims.get("aud")
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not wanted.intersection(item for item in named if isinstance(item, str)):
        raise JoseRefused("another audience")
    return verified


def _signed(
    unverified: UnverifiedJwt,
    keys: Sequence[VerificationKey],
    *,
    algs: Collection[str],
    typ: Collection[str] | None,
    checked: CheckedSignatures | None,
) -> VerifiedJwt:
    alg = unverified.header.get("alg")
    if alg not in algs or alg not in SIGNATURE_ALGORITHMS:
        raise JoseRefused("the algorithm is not allowed")
    kid = unverified.header.get("kid")
    fitting = [key for key in keys if kid is None or key.kid == kid]
    if not fitting:
        raise JoseRefused("no key with that kid")
    for key in fitting[:4]:
        try:
            verified = verify_signature(unverified, key, typ=typ)
        except JoseRefused as refused:
            last = refused
            continue
        if checked is not None:
            checked.keep(unverified.token, key, verified)
        return verified
    raise last


def check_times(
    claims: Mapping[str, Any],
    *,
    now: datetime,
    leeway_seconds: int = LEEWAY_SECONDS,
    require: Collection[str] = (),
) -> None:
    """exp, nbf and iat against our clock. Raises JoseRefused."""
    for name in require:
        if name not in claims:
            raise JoseRefused(f"{name} is missing")
    seconds = now.timestamp()
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise JoseRefused(f"{name} is not a number")
        if name == "exp" and value + leeway_seconds <= seconds:
            raise JoseRefused("expired")
        if name != "exp" and value - leeway_seconds > seconds:
            raise JoseRefused(f"{name} lies in the future")


@lru_cache(maxsize=16)
def _registry(*algorithms: str) -> _Registry:
    # strict_check_header off: unknown header parameters are ignored (RFC 7515 §4), `crit` is refused above.
    return _Registry(algorithms=list(algorithms), strict_check_header=False)


def import_public(public: Mapping[str, Any]) -> AnyKey:
    """A public key, not yet bound to an algorithm. Raises JoseRefused on private members and weak keys."""
    if any(member in public for member in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")):
        raise JoseRefused("a private or symmetric key must not be sent")
    return _import(public)


def public_der(public: Mapping[str, Any]) -> bytes:
    """SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of a JWK, to hold it against a certificate. Raises JoseRefused."""
    key: Any = import_public(public)
    der: bytes = key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def _import(raw: Mapping[str, Any]) -> AnyKey:
    if raw.get("kty") == "RSA" and not is_fit_rsa(raw.get("n"), raw.get("e")):
        raise JoseRefused("an RSA key needs 2048 to 8192 bits and an odd exponent below 2^32")
    try:
        key = jwk.import_key(dict(raw))
    except (JoseError, ValueError, TypeError, KeyError):
        raise JoseRefused("the key cannot be read") from None
    if not isinstance(key, jwk.ECKey | jwk.RSAKey | jwk.OKPKey):
        raise JoseRefused("the key has a type that is not taken")
    return key


def _algorithms_of(key: AnyKey) -> frozenset[str]:
    if isinstance(key, jwk.ECKey):
        return frozenset({"ES256"}) if key.curve_name == "P-256" else frozenset()
    if isinstance(key, jwk.OKPKey):
        return frozenset({"EdDSA", "Ed25519"}) if key.as_dict(private=False).get("crv") == "Ed25519" else frozenset()
    return frozenset({"PS256", "RS256"})


def _default_algorithm(key: AnyKey) -> str:
    return "ES256" if isinstance(key, jwk.ECKey) else "EdDSA" if isinstance(key, jwk.OKPKey) else "PS256"
