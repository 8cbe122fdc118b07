"""A key set as it came from a client's `jwks_uri`: read and judged as a whole. Pure."""

from collections.abc import Mapping
from typing import Any

import orjson

MAX_KEYS = 20
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class KeySetRefused(Exception):
    """The whole set is refused; reason: for the client's developers, nothing of its content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_key_set(body: bytes) -> tuple[Mapping[str, Any], ...]:
    """The keys of a JWK set (RFC 7517 §5), of every kind. Raises KeySetRefused.

    One private or symmetric key spoils the set: its owner has lost it. Two keys of one use and one name are refused,
    since a signature would not say by which of them it holds. Keys of kinds that are not used here may lie in it.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise KeySetRefused("it is not JSON") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise KeySetRefused("it is not a JWK set")
    if not 0 < len(keys) <= MAX_KEYS:
        raise KeySetRefused(f"it must hold 1 to {MAX_KEYS} keys")
    if any(key.get("kty") == "oct" or _SECRET.intersection(key) for key in keys):
        raise KeySetRefused("it holds a private or symmetric key")
    named = [(key.get("kid"), key.get("use"), key.get("alg")) for key in keys if key.get("kid") is not None]
    if not all(isinstance(kid, str) for kid, _, _ in named):
        raise KeySetRefused("a kid in it is not a text")
    if len(set(map(str, named))) != len(named):
        raise KeySetRefused("two keys in it have the same kid")
    return tuple(keys)
