"""A client that opens what was encrypted to it: written off RFC 7516 and RFC 7518, sharing nothing with core/jwe.py.

It also opens the published examples (tests/vectors), so that what it opens of ours is what others open.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from cryptography.hazmat.primitives.padding import PKCS7

CURVES: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_OAEP = {"RSA-OAEP": hashes.SHA1(), "RSA-OAEP-256": hashes.SHA256()}  # noqa: S303  SHA-1: for the example of the RFC
Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | x25519.X25519PrivateKey


@dataclass(frozen=True)
class Opened:
    """header: protected, as it came. content: what lay in it."""

    header: dict[str, Any]
    content: bytes


@dataclass
class EncryptionKeyPair:
    """A client's key for encryption. jwk: the public half, to be registered."""

    private: Private
    jwk: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def made(cls, kind: str, *, kid: str | None = "enc-1", **members: Any) -> "EncryptionKeyPair":
        """kind: a curve, or RSA."""
        private: Private
        if kind == "RSA":
            private = rsa.generate_private_key(65537, 2048)
            numbers = private.public_key().public_numbers()
            public = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        elif kind == "X25519":
            private = x25519.X25519PrivateKey.generate()
            public = {"kty": "OKP", "crv": kind, "x": encode(private.public_key().public_bytes_raw())}
        else:
            private = ec.generate_private_key(CURVES[kind])
            point = private.public_key().public_numbers()
            size = (private.key_size + 7) // 8
            public = {"kty": "EC", "crv": kind, "x": _number(point.x, size), "y": _number(point.y, size)}
        named = {} if kid is None else {"kid": kid}
        return cls(private, {**public, **named, "use": "enc", **members})

    @classmethod
    def from_jwk(cls, private: Mapping[str, str]) -> "EncryptionKeyPair":
        """From a private JWK of an example."""
        if private["kty"] == "EC":
            return cls(ec.derive_private_key(int.from_bytes(decode(private["d"])), CURVES[private["crv"]]))
        values = {name: int.from_bytes(decode(private[name])) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")}
        public = rsa.RSAPublicNumbers(values["e"], values["n"])
        numbers = rsa.RSAPrivateNumbers(
            values["p"], values["q"], values["d"], values["dp"], values["dq"], values["qi"], public
        )
        return cls(numbers.private_key())

    def open(self, token: str) -> Opened:
        """Decrypts a compact JWE. Raises ValueError or cryptography's errors when it is not for this key."""
        protected, wrapped, iv, ciphertext, tag = token.split(".")
        header = orjson.loads(decode(protected))
        cek = self._content_key(header, decode(wrapped))
        aad = protected.encode()
        if header["enc"].endswith("GCM"):
            content = AESGCM(cek).decrypt(decode(iv), decode(ciphertext) + decode(tag), aad)
        else:
            content = cbc_hmac(cek, decode(iv), decode(ciphertext), decode(tag), aad)
        return Opened(header, content)

    def _content_key(self, header: Mapping[str, Any], wrapped: bytes) -> bytes:
        alg, size = header["alg"], key_size(header["enc"])
        if alg in _OAEP:
            assert isinstance(self.private, rsa.RSAPrivateKey)
            digest = _OAEP[alg]
            return self.private.decrypt(wrapped, padding.OAEP(padding.MGF1(digest), digest, None))
        if alg == "ECDH-ES":
            assert wrapped == b""
            return concat_kdf(self._agreed(header["epk"]), header["enc"], size)
        name, _, wrap = str(alg).partition("+")
        assert name == "ECDH-ES"
        return aes_key_unwrap(concat_kdf(self._agreed(header["epk"]), alg, int(wrap[1:4]) // 8), wrapped)

    def _agreed(self, epk: Mapping[str, str]) -> bytes:
        if isinstance(self.private, x25519.X25519PrivateKey):
            return self.private.exchange(x25519.X25519PublicKey.from_public_bytes(decode(epk["x"])))
        assert isinstance(self.private, ec.EllipticCurvePrivateKey)
        x, y = (int.from_bytes(decode(epk[name])) for name in "xy")
        public = ec.EllipticCurvePublicNumbers(x, y, CURVES[epk["crv"]]).public_key()
        return self.private.exchange(ec.ECDH(), public)


def concat_kdf(shared: bytes, algorithm: str, size: int, *, apu: bytes = b"", apv: bytes = b"") -> bytes:
    """RFC 7518 §4.6.2. size: bytes of the key wanted."""
    parts = (_with_length(algorithm.encode()), _with_length(apu), _with_length(apv), (size * 8).to_bytes(4))
    made = b""
    for round_ in range(1, -(-size // 32) + 1):
        made += hashlib.sha256(round_.to_bytes(4) + shared + b"".join(parts)).digest()
    return made[:size]


def cbc_hmac(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    """AES_CBC_HMAC_SHA2, RFC 7518 §5.2.2.2: the first half authenticates, the second decrypts."""
    half = len(key) // 2
    digest = {16: "sha256", 32: "sha512"}[half]
    made = hmac.digest(key[:half], aad + iv + ciphertext + (len(aad) * 8).to_bytes(8), digest)[:half]
    if not hmac.compare_digest(made, tag):
        raise ValueError("the tag does not hold")
    opener = Cipher(AES(key[half:]), CBC(iv)).decryptor()
    padded = opener.update(ciphertext) + opener.finalize()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def key_size(enc: str) -> int:
    """Bytes of the content key."""
    return {"A128GCM": 16, "A256GCM": 32, "A128CBC-HS256": 32, "A256CBC-HS512": 64}[enc]


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _with_length(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


def _number(value: int, size: int = 0) -> str:
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8))
