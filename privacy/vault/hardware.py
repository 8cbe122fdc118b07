"""Keys in a hardware security module, by PKCS #11 v2.40: key-encryption keys and, if wished, signing keys.

No key leaves the token: they are made there, sensitive and not extractable. One session, one caller at a time
(a session is no place for two); whoever must not wait calls from a thread. A token that lost our session (it was
restarted) gets one new one per call; what fails then is a VaultError.
"""

import hashlib
import os
import stat
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from cryptography.exceptions import InvalidTag
from pkcs11 import MGF, Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import PKCS11Error
from pkcs11.util.ec import encode_named_curve_parameters

from core import base64url
from privacy.vault.aead import NONCE_BYTES
from privacy.vault.errors import VaultError
from privacy.vault.hardware_place import HardwarePlace

KEK_STEM = "dinhdanh-kek-"
SIGNING_STEM = "dinhdanh-signing-"
KEK_BITS = 256
RSA_BITS = 3072
_OID_ED25519 = "1.3.101.112"
_HIDDEN = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}

Answer = TypeVar("Answer")

_OPENING = threading.Lock()
"""A library may be loaded once; threads that ask for it at the same moment wait for the one that does."""


def opened_token(place: HardwarePlace) -> "HardwareToken":
    """See `HardwarePlace.open`."""
    with _OPENING:
        return _opened_token(place)


@lru_cache(maxsize=4)
def _opened_token(place: HardwarePlace) -> "HardwareToken":
    return HardwareToken(place)


class HardwareToken:
    """An open token."""

    def __init__(self, place: HardwarePlace) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._session: Any = None
        self._found: dict[tuple[ObjectClass, str], Any] = {}
        """Keys of this session by class and label: to look one up takes longer than to use it."""
        self._with(lambda _: None)

    def __repr__(self) -> str:
        return f"HardwareToken({self._place.token!r})"

    def __reduce__(self) -> str:
        raise TypeError("an open token is not copied or pickled")

    def close(self) -> None:
        """Ends the session; a later call opens another."""
        with self._lock:
            self._drop()

    # --- key-encryption keys ---------------------------------------------------------------------------------

    def kek_ids(self) -> list[str]:
        """Labels of the key-encryption keys of ours in the token, the oldest first."""

        def look(session: Any) -> list[str]:
            found = session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES})
            return [key.label for key in found if _number(key.label)]

        return sorted(set(self._with(look)), key=_number)

    def add_kek(self) -> str:
        """Makes the next key-encryption key in the token; gives its label."""
        label = f"{KEK_STEM}{max(map(_number, self.kek_ids()), default=0) + 1}"

        def make(session: Any) -> None:
            session.generate_key(
                KeyType.AES, KEK_BITS, store=True, label=label, id=label.encode(), template=dict(_HIDDEN)
            )

        self._with(make)
        return label

    def kek(self, label: str) -> "HardwareKek":
        """Wraps and unwraps with a key of the token."""
        return HardwareKek(self, label)

    def gcm(self, label: str, nonce: bytes, octets: bytes, associated: bytes, *, seal: bool) -> bytes:
        """AES-256-GCM in the token, 16 bytes of tag at the end."""
        params = pkcs11.GCMParams(nonce, aad=associated, tag_bits=128)

        def work(session: Any) -> bytes:
            key = self._key(session, ObjectClass.SECRET_KEY, label)
            do = key.encrypt if seal else key.decrypt
            made: bytes = do(octets, mechanism=Mechanism.AES_GCM, mechanism_param=params)
            return made

        return self._with(work)

    # --- signing keys ----------------------------------------------------------------------------------------

    def make_signing_key(self, alg: str) -> tuple[str, dict[str, str]]:
        """Makes a key pair for a JOSE algorithm (RFC 7518, 8037); gives its label and the public JWK members.

        A caller that does not keep the label leaves a key that nobody uses; `destroy_signing_key` removes it.
        """
        label = SIGNING_STEM + os.urandom(8).hex()
        known = {"store": True, "label": label, "id": label.encode(), "private_template": dict(_HIDDEN)}

        def make(session: Any) -> dict[str, str]:
            if alg in {"PS256", "RS256"}:
                public, _ = session.generate_keypair(KeyType.RSA, RSA_BITS, **known)
                return {
                    "kty": "RSA",
                    "n": _base64url(public[Attribute.MODULUS]),
                    "e": _base64url(public[Attribute.PUBLIC_EXPONENT]),
                }
            if alg == "ES256":
                curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
                domain = session.create_domain_parameters(KeyType.EC, curve, local=True)
                public, _ = domain.generate_keypair(**known)
                point = _octets(public[Attribute.EC_POINT], 65)
                return {"kty": "EC", "crv": "P-256", "x": _base64url(point[1:33]), "y": _base64url(point[33:])}
            if alg == "EdDSA":
                curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_OID_ED25519)}
                domain = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
                public, _ = domain.generate_keypair(mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, **known)
                return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(_octets(public[Attribute.EC_POINT], 32))}
            raise VaultError(f"no key for {alg} is made in a token")

        return label, self._with(make)

    def sign(self, label: str, alg: str, octets: bytes) -> bytes:
        """The JWS signature (RFC 7515 §3) of octets. Raises VaultError."""

        def work(session: Any) -> bytes:
            key = self._key(session, ObjectClass.PRIVATE_KEY, label)
            made: bytes
            if alg == "ES256":
                made = key.sign(hashlib.sha256(octets).digest(), mechanism=Mechanism.ECDSA)
            elif alg == "EdDSA":
                made = key.sign(octets, mechanism=Mechanism.EDDSA)
            elif alg == "RS256":
                made = key.sign(octets, mechanism=Mechanism.SHA256_RSA_PKCS)
            else:
                salted = (Mechanism.SHA256, MGF.SHA256, hashlib.sha256().digest_size)  # RFC 7518 §3.5
                made = key.sign(octets, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=salted)
            return made

        return self._with(work)

    def destroy_signing_key(self, label: str) -> bool:
        """Removes a key pair from the token; False when it was not there."""

        def work(session: Any) -> bool:
            self._found.pop((ObjectClass.PRIVATE_KEY, label), None)
            found = list(session.get_objects({Attribute.LABEL: label}))
            for each in found:
                each.destroy()
            return bool(found)

        return label.startswith(SIGNING_STEM) and self._with(work)

    # --- the session -----------------------------------------------------------------------------------------

    def _with(self, work: Callable[[Any], Answer]) -> Answer:
        with self._lock:
            for last in (False, True):
                try:
                    if self._session is None:
                        self._session = self._opened()
                    return work(self._session)
                except PKCS11Error as error:
                    self._drop()
                    if last:
                        told = f"the token {self._place.token!r} refuses ({type(error).__name__})"
                        raise VaultError(told) from None
        raise AssertionError("the second try returned or raised")

    def _opened(self) -> Any:
        pin = _pin(self._place.pin_file)
        try:
            library = pkcs11.lib(str(self._place.module))
        except (PKCS11Error, RuntimeError, OSError) as error:
            told = f"{self._place.module.name}: not a PKCS #11 library that loads ({type(error).__name__})"
            raise VaultError(told) from None
        return library.get_token(token_label=self._place.token).open(rw=True, user_pin=pin)

    def _key(self, session: Any, kind: ObjectClass, label: str) -> Any:
        found = self._found.get((kind, label))
        if found is None:
            found = self._found[kind, label] = session.get_key(object_class=kind, label=label)
        return found

    def _drop(self) -> None:
        session, self._session = self._session, None
        self._found.clear()
        if session is not None:
            try:
                session.close()
            except PKCS11Error:
                return  # it is gone already


class HardwareKek:
    """One key-encryption key in the token; used like `AESGCM` of cryptography."""

    __slots__ = ("_label", "_token")

    def __init__(self, token: HardwareToken, label: str) -> None:
        self._token = token
        self._label = label

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        return self._token.gcm(self._label, nonce, data, associated_data or b"", seal=True)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Raises InvalidTag; VaultError when the token or the key is not there.

        A token says of a wrong tag no more than that it failed, each in its own words. So whether it works at all is
        seen by its working with the same key.
        """
        try:
            return self._token.gcm(self._label, nonce, data, associated_data or b"", seal=False)
        except VaultError:
            self._token.gcm(self._label, os.urandom(NONCE_BYTES), b"", b"probe", seal=True)
            raise InvalidTag from None


def _number(label: str) -> int:
    """1 and up for a key-encryption key of ours, else 0."""
    tail = label.removeprefix(KEK_STEM) if label.startswith(KEK_STEM) else ""
    return int(tail) if tail.isdigit() else 0


def _octets(der: bytes, length: int) -> bytes:
    """The point, which PKCS #11 wraps in a DER OCTET STRING; some tokens give it bare."""
    point = der[-length:]
    if der not in (point, bytes((4, length)) + point):
        raise VaultError("the token gave a public key of an unknown form")
    return point


def _base64url(octets: bytes) -> str:
    return base64url.encode(octets)


def _pin(path: Path) -> str:
    try:
        with path.open() as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or mode & 0o077:
                raise VaultError(f"{path.name}: may be read by others; its mode must be 0600")
            return file.read(256).strip()
    except OSError as error:
        raise VaultError(f"{path.name}: cannot be read ({error.strerror})") from None
