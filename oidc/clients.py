"""Clients as the provider works with them: the frozen object, and the short memory of them in a process."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import bindparam, select

from core.database import Database, Query, Row
from core.jose import JoseRefused, VerificationKey, is_for_signing
from oidc.acr import Level, known_levels
from oidc.client_options import ClientOptions
from oidc.profiles import PROFILES, Profile
from oidc.tables import ClientRow

MEMORY_SECONDS = 0.9
"""A suspended client is refused within a second by every process, notified or not."""

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_FIND = Query(select(*_C).where(_C.client_id == bindparam("client_id")))


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; see tables.ClientRow for the meaning of each value.

    keys: those of a key set registered by value; ask `ClientKeys` for keys to check with, it knows `jwks_uri` too.
    """

    client_id: str
    agency_id: uuid.UUID
    agency_code: str
    profile: Profile
    active: bool
    name_vi: str
    name_en: str
    auth_method: str
    secret_hash: bytes | None
    secret_expires_at: datetime | None
    former_secret_hash: bytes | None
    former_secret_expires_at: datetime | None
    jwks: Mapping[str, Any] | None
    jwks_uri: str | None
    keys: tuple[VerificationKey, ...]
    assertion_alg: str | None
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: frozenset[str]
    scopes: frozenset[str]
    audiences: frozenset[str]
    sector: str
    purpose: str
    id_token_alg: str
    access_token_alg: str
    dpop_bound: bool
    mtls_bound: bool
    requires_par: bool
    default_max_age: int | None
    default_levels: tuple[Level, ...]
    options: ClientOptions
    policy_uri: str | None
    tos_uri: str | None
    changed_at: datetime

    @property
    def public(self) -> bool:
        return self.auth_method == "none"

    def secret_hashes(self, now: datetime) -> tuple[bytes | None, bytes | None]:
        """What a secret is compared with: the present one and the one before, as far as they still hold."""
        expired = self.secret_expires_at is not None and self.secret_expires_at <= now
        replaced = self.former_secret_expires_at is None or self.former_secret_expires_at <= now
        return (None if expired else self.secret_hash, None if replaced else self.former_secret_hash)

    def name(self, locale: str | None) -> str:
        """The name to show, Vietnamese unless English is wanted."""
        return self.name_en if locale == "en" else self.name_vi


def client_from_row(row: Row) -> Client:
    """Raises LookupError when the profile is not one of ours (a newer release wrote the row)."""
    profile = PROFILES.get(row["profile"])
    if profile is None:
        raise LookupError("unknown profile")
    return Client(
        client_id=row["client_id"],
        agency_id=row["agency_id"],
        agency_code=row["agency_code"],
        profile=profile,
        active=row["state"] == "active",
        name_vi=row["name_vi"],
        name_en=row["name_en"],
        auth_method=row["auth_method"],
        secret_hash=row["secret_hash"],
        secret_expires_at=row["secret_expires_at"],
        former_secret_hash=row["former_secret_hash"],
        former_secret_expires_at=row["former_secret_expires_at"],
        jwks=row["jwks"],
        jwks_uri=row["jwks_uri"],
        keys=keys_of(row["jwks"]),
        assertion_alg=row["assertion_alg"],
        redirect_uris=tuple(row["redirect_uris"]),
        post_logout_redirect_uris=tuple(row["post_logout_redirect_uris"]),
        grant_types=frozenset(row["grant_types"]),
        scopes=frozenset(row["scopes"]),
        audiences=frozenset(row["audiences"]),
        sector=row["sector"],
        purpose=row["purpose"],
        id_token_alg=row["id_token_alg"],
        access_token_alg=row["access_token_alg"],
        # A profile that wants bound tokens gets them by DPoP, unless the client chose its certificate.
        dpop_bound=row["dpop_bound"] or (profile.requires_bound_tokens and not row["mtls_bound"]),
        mtls_bound=row["mtls_bound"],
        requires_par=row["requires_par"] or profile.requires_par,
        default_max_age=row["default_max_age"],
        default_levels=known_levels(row["default_acr_values"]),
        options=ClientOptions.from_json(row["options"]),
        policy_uri=row["details"].get("policy_uri"),
        tos_uri=row["details"].get("tos_uri"),
        changed_at=row["changed_at"],
    )


def keys_of(jwks: Mapping[str, Any] | None) -> tuple[VerificationKey, ...]:
    """The keys of a registered set that may sign; others in it are the client's own affair."""
    keys = []
    for each in (jwks or {}).get("keys", ()):
        if not is_for_signing(each):
            continue
        try:
            keys.append(VerificationKey.from_jwk(each))
        except JoseRefused:
            continue
    return tuple(keys)


class Clients:
    """Finds clients, remembered for less than a second. Ask before opening a transaction: it takes its own
    connection when it has to read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, Client]] = {}

    async def get(self, client_id: str) -> Client | None:
        """The client, suspended ones too; None when there is none. Raises Unavailable."""
        known = self._known.get(client_id)
        asked_at = monotonic()
        if known is not None and asked_at - known[0] < MEMORY_SECONDS:
            return known[1]
        if len(client_id) > 100 or not client_id.isascii() or not client_id.isprintable():
            return None
        row = await self._database.shared.row(_FIND, client_id=client_id)
        if row is None:
            self._known.pop(client_id, None)
            return None
        # Reading keys is dear: an unchanged client keeps its object.
        unchanged = known is not None and known[1].changed_at == row["changed_at"]
        client = known[1] if known is not None and unchanged else client_from_row(row)
        self._known[client_id] = (asked_at, client)
        return client

    def forget(self, client_id: str) -> None:
        """Drops what is remembered (a notification said it changed)."""
        self._known.pop(client_id, None)

    def forget_all(self) -> None:
        self._known.clear()
