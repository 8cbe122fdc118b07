"""ECDSA with P-256 and SHA-256 as JOSE writes it: R and S, 32 octets each (RFC 7518 §3.4).

By `cryptography` itself: the way around it in the JOSE library costs as much as the signature.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

HALF = 32
_ECDSA = ec.ECDSA(hashes.SHA256())


def sign(private: ec.EllipticCurvePrivateKey, octets: bytes) -> bytes:
    """64 octets."""
    r, s = decode_dss_signature(private.sign(octets, _ECDSA))
    return r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big")


def holds(public: ec.EllipticCurvePublicKey, octets: bytes, signature: bytes) -> bool:
    """Whether the signature is one of these octets by this key."""
    if len(signature) != 2 * HALF:
        return False
    r, s = int.from_bytes(signature[:HALF], "big"), int.from_bytes(signature[HALF:], "big")
    try:
        public.verify(encode_dss_signature(r, s), octets, _ECDSA)
    except InvalidSignature:
        return False
    return True
