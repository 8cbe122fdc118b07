"""What of a client ends soon: secrets, keys with a certificate, software statements. Pure.

The radar speaks 30, 7 and 1 days ahead, so that nobody learns of an expired secret by an outage.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from oidc.client_ends import NOTHING, Seen
from oidc.key_ends import ends_of_key, instant
from oidc.profiles import CERTIFICATE_METHODS
from oidc.registration.as_metadata import as_metadata
from oidc.registration.software_statement import MEMBER, expires_at

HORIZONS = (1, 7, 30)
"""Days ahead at which the radar becomes louder."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """Something that ends. what: secret, former-secret, key, certificate (of a key), client-certificate (that it came
    with last) or statement. name: which key.

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


def client_health(row: Mapping[str, Any], now: datetime, seen: Seen = NOTHING) -> ClientHealth:
    soon = worst(radar(row, now, seen))
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


def radar(row: Mapping[str, Any], now: datetime, seen: Seen = NOTHING) -> list[Expiry]:
    """row: of oidc.clients. seen: what was seen of the client beside it. The next to end first."""
    found = [
        Expiry(what, name, at, level_of(at, now))
        for what, name, at in _ends(row, seen)
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


def _ends(row: Mapping[str, Any], seen: Seen) -> Iterator[tuple[str, str, datetime]]:
    if row["secret_expires_at"] is not None and not without_secret(row):
        yield "secret", "", row["secret_expires_at"]
    if row["former_secret_expires_at"] is not None:
        yield "former-secret", "", row["former_secret_expires_at"]
    for key in (row["jwks"] or {}).get("keys", ()):
        yield from ends_of_key(key)
    # What was seen before the registration changed says nothing of the client any more.
    if seen.keys_uri and seen.keys_uri == row["jwks_uri"]:
        yield from seen.keys
    if seen.certificate is not None and row["auth_method"] in CERTIFICATE_METHODS:
        yield "client-certificate", "", seen.certificate
    statement = expires_at(row["details"].get(MEMBER))
    if statement is not None and (at := instant(statement)) is not None:
        yield "statement", "", at
