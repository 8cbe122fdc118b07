"""Logout tokens (Back-Channel Logout 1.0 §2.6): the provider says that a session has ended. Checked to the letter."""

import time
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

EVENT = "http://schemas.openid.net/event/backchannel-logout"
ALGORITHMS = ["ES256", "PS256"]
LEEWAY_SECONDS = 30
MOST_SEEN = 10_000


class LogoutRefused(Exception):
    """It is not a logout token of the provider for this portal; the message says why."""


@dataclass(frozen=True, slots=True)
class Logout:
    """What has ended: one session, or without a sid everything of the subject."""

    subject: str
    sid: str | None


class LogoutTokens:
    """Reads tokens, each once."""

    def __init__(self, issuer: str, client_id: str) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._seen: dict[str, float] = {}

    def is_signed_by_one_of(self, token: str, keys: KeySet) -> bool:
        """Whether the key it names is among these; if not, the provider may have a new one."""
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
        except (JoseError, ValueError):
            return True  # no key would help
        return any(key.kid == kid for key in keys.keys)

    def read(self, token: str, keys: KeySet) -> Logout:
        """Raises LogoutRefused."""
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            raise LogoutRefused("the signature does not hold") from None
        claims, now = decoded.claims, time.time()
        if decoded.header.get("typ") != "logout+jwt":
            raise LogoutRefused("it has another type")
        if claims.get("iss") != self._issuer or claims.get("aud") not in (self._client_id, [self._client_id]):
            raise LogoutRefused("it is from or for somebody else")
        if not _number(claims.get("iat"), most=now + LEEWAY_SECONDS):
            raise LogoutRefused("iat is missing or lies ahead")
        if not _number(claims.get("exp"), least=now - LEEWAY_SECONDS):
            raise LogoutRefused("it has expired")
        if "nonce" in claims or not isinstance(claims.get("events", {}).get(EVENT), dict):
            raise LogoutRefused("it is not a logout token")
        if not isinstance(claims.get("sub"), str):
            raise LogoutRefused("it names nobody")
        self._only_once(claims.get("jti"), float(claims["exp"]), now)
        return Logout(claims["sub"], claims.get("sid"))

    def _only_once(self, jti: Any, expires: float, now: float) -> None:
        self._seen = {seen: until for seen, until in self._seen.items() if until + LEEWAY_SECONDS > now}
        if not isinstance(jti, str) or jti in self._seen or len(self._seen) >= MOST_SEEN:
            raise LogoutRefused("it was seen before")
        self._seen[jti] = expires


def _number(value: Any, *, least: float = 0.0, most: float = float("inf")) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
