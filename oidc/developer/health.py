"""What of a client ends soon: secrets, keys with a certificate, software statements. Pure.

The radar speaks 30, 7 and 1 days ahead, so that nobody learns of an expired secret by an outage.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core.client_certificate import CertificateUnreadable, read_der
from oidc.registration.as_metadata import as_metadata
from oidc.registration.software_statement import MEMBER, expires_at

HORIZONS = (1, 7, 30)
"""Days ahead at which the radar becomes louder."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """Something that ends. what: secret, former-secret, key, certificate or statement. name: which key.

    level: 0 far off, 1 within 30 days, 2 within 7, 3 within one, 4 over.
    """

    what: str
    name: str
    at: datetime
    level: int

    @property
    def tone(self) -> str:
        return ("good", "warn", "warn", "bad", "bad")[self.level]


@dataclass(frozen=True, slots=True)
class ClientHealth:
    """A client as an operator's command shows it. soon_what, soon_at: the nearest end, if it is near."""

    client_id: str
    agency_code: str
    name: str
    state: str
    profile: str
    soon_what: str
    soon_at: datetime | None
    metadata: Mapping[str, Any]


def client_health(row: Mapping[str, Any], now: datetime) -> ClientHealth:
    soon = worst(radar(row, now))
    return ClientHealth(
        client_id=row["client_id"],
        agency_code=row["agency_code"],
        name=row["name_vi"],
        state=row["state"],
        profile=row["profile"],
        soon_what=soon.what if soon else "",
        soon_at=soon.at if soon else None,
        metadata=as_metadata(row),
    )


def level_of(at: datetime, now: datetime) -> int:
    """How near an instant is, 0 to 4."""
    if at <= now:
        return 4
    return sum(1 for days in HORIZONS if at - now <= timedelta(days=days))


def radar(row: Mapping[str, Any], now: datetime) -> list[Expiry]:
    """row: of oidc.clients. The next to end first."""
    found = [
        Expiry(what, name, at, level_of(at, now))
        for what, name, at in _ends(row)
        if what != "former-secret" or at > now
    ]
    return sorted(found, key=lambda each: each.at)


def worst(expiries: Sequence[Expiry]) -> Expiry | None:
    """The one to tell of in a list: the nearest, if it is near. A former secret is meant to end."""
    near = [each for each in expiries if each.level > 0 and each.what != "former-secret"]
    return near[0] if near else None


def without_secret(row: Mapping[str, Any]) -> bool:
    """A client of the pages whose secret nobody has made yet: it was over when it was registered."""
    ends = row["secret_expires_at"]
    return ends is not None and bool(ends <= row["created_at"])


def _ends(row: Mapping[str, Any]) -> Iterator[tuple[str, str, datetime]]:
    if row["secret_expires_at"] is not None and not without_secret(row):
        yield "secret", "", row["secret_expires_at"]
    if row["former_secret_expires_at"] is not None:
        yield "former-secret", "", row["former_secret_expires_at"]
    for key in (row["jwks"] or {}).get("keys", ()):
        yield from _key_ends(key)
    statement = expires_at(row["details"].get(MEMBER))
    if statement is not None and (at := _instant(statement)) is not None:
        yield "statement", "", at


def _key_ends(key: Mapping[str, Any]) -> Iterator[tuple[str, str, datetime]]:
    name = str(key.get("kid") or key.get("kty") or "")[:80]
    expires = key.get("exp")
    if isinstance(expires, int | float) and (at := _instant(expires)) is not None:
        yield "key", name, at
    chain = key.get("x5c")
    if isinstance(chain, list) and chain and isinstance(chain[0], str):
        # The first certificate is the key's own (RFC 7517 §4.7).
        ends = _certificate_end(chain[0])
        if ends is not None:
            yield "certificate", name, ends


def _certificate_end(encoded: str) -> datetime | None:
    """None for what is no certificate: a client writes there what it likes, and the page is shown all the same."""
    try:
        return read_der(base64.b64decode(encoded, validate=True)).not_valid_after_utc
    except (ValueError, CertificateUnreadable):
        return None


def _instant(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
