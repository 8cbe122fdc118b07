"""What is looked at of an RSA key before it is built: how strong it is, and what a check with it would cost us.
And how a private key of our own is built again.

Anybody may hand us a key (a DPoP proof brings its own), and one check is an exponentiation: with an exponent as
long as the modulus it takes a hundred times as long as with 65537.

Sources: RFC 7518 §3.3, §6.3.1; RFC 8017 §3.1 (the exponent is odd and at least 3).
"""

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, RSAPublicNumbers

MODULUS_BITS = range(2048, 8192 + 1)
EXPONENT_BITS = range(2, 32 + 1)
_LONGEST = 8192 // 6 + 2


def is_fit_rsa(modulus: object, exponent: object) -> bool:
    """modulus, exponent: the members `n` and `e` of a JWK, as they came."""
    n, e = _number(modulus), _number(exponent)
    return n.bit_length() in MODULUS_BITS and e.bit_length() in EXPONENT_BITS and e % 2 == 1


def _number(encoded: object) -> int:
    """0 for what is no base64url, or longer than any number that is taken."""
    if not isinstance(encoded, str) or len(encoded) > _LONGEST:
        return 0
    try:
        return int.from_bytes(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except ValueError:
        return 0


def private_as_kept(jwk: Mapping[str, Any]) -> RSAPrivateKey:
    """A private key of ours, out of our own authenticated seal: as it was generated, or the seal would not open.

    For no other key: nothing of it is looked at again. Raises KeyError, ValueError.
    """
    n, e, d, p, q, dp, dq, qi = (_number(jwk[member]) for member in ("n", "e", "d", "p", "q", "dp", "dq", "qi"))
    numbers = RSAPrivateNumbers(p, q, d, dp, dq, qi, RSAPublicNumbers(e, n))
    # Whether its primes are prime takes a quarter of a second of every process's start, for each RSA key.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)
