"""The tables of the schema `oidc`. No row holds a secret in clear, and none holds a value of a record.

Clients, standing grants and keys are reference tables; grants and refresh tokens are about a person and have
`person_id` first.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Column, SmallInteger, Uuid
from sqlmodel import Field

from core.tables import Table, blob, instant, jsonb, text_array

SCHEMA = {"schema": "oidc"}

CLIENT_STATES = ("pending", "active", "suspended", "deleted")
CLIENT_ORIGINS = ("operator", "registration", "agency")
KEY_ALGORITHMS = ("ES256", "PS256", "EdDSA", "RS256")
GRANT_KINDS = ("code", "ciba", "device")


def _small() -> Any:
    return Column(SmallInteger, nullable=False)


class ClientRow(Table, table=True):
    """A relying party, a back end or a resource server of an agency.

    suspended_by: "agency" or "operator" while it is suspended; not known (None) counts as the operator.
    secret_hash: SHA-256 of the secret we issued. assertion_alg: the one algorithm its assertions may have,
    if it named one. audiences: resource identifiers it serves and may introspect tokens for. sector: of the
    pairwise subjects, never changed. secret_expires_at: None for never; former_secret_*: the secret before the
    last change, good for a while beside it. registration_token_hash: of the token its registration is managed
    with (RFC 7592). origin: who registered it. purpose: the consent purpose that the standard scopes count
    under. options: see client_options.ClientOptions. details: what only people read (links, contacts).
    """

    __tablename__ = "clients"
    __table_args__ = SCHEMA

    client_id: str = Field(primary_key=True)
    agency_id: uuid.UUID
    agency_code: str
    profile: str
    state: str
    suspended_by: str | None = None
    name_vi: str
    name_en: str
    auth_method: str
    secret_hash: bytes | None = Field(default=None, sa_column=blob(nullable=True))
    secret_expires_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    former_secret_hash: bytes | None = Field(default=None, sa_column=blob(nullable=True))
    former_secret_expires_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    registration_token_hash: bytes | None = Field(default=None, sa_column=blob(nullable=True))
    origin: str = "operator"
    assertion_alg: str | None = None
    jwks: dict[str, Any] | None = Field(default=None, sa_column=jsonb(nullable=True))
    jwks_uri: str | None = None
    redirect_uris: list[str] = Field(sa_column=text_array())
    post_logout_redirect_uris: list[str] = Field(sa_column=text_array())
    grant_types: list[str] = Field(sa_column=text_array())
    scopes: list[str] = Field(sa_column=text_array())
    audiences: list[str] = Field(sa_column=text_array())
    sector: str
    purpose: str
    id_token_alg: str
    access_token_alg: str
    dpop_bound: bool
    mtls_bound: bool
    requires_par: bool
    default_max_age: int | None = None
    default_acr_values: list[str] = Field(sa_column=text_array())
    options: dict[str, Any] = Field(sa_column=jsonb())
    details: dict[str, Any] = Field(sa_column=jsonb())
    created_at: datetime = Field(sa_column=instant())
    changed_at: datetime = Field(sa_column=instant())


class GrantRow(Table, table=True):
    """One authorization by a person for a client: the truth behind its code and all its tokens.

    gid: random, public (it stands in access tokens), ends in the person's bucket. purposes: per purpose
    code the consent ids and the fields (consent_ids: all of them, for withdrawal). code_*: of the one code (a grant
    of kind `ciba` or `device` has none). resources: audiences asked for (RFC 8707). authorization_details: as
    granted (RFC 9396). claims: the `claims` parameter as far as later steps need it.
    Revoking sets revoked_at, once.
    """

    __tablename__ = "grants"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    gid: uuid.UUID = Field(primary_key=True)
    account_id: uuid.UUID
    client_id: str
    agency_id: uuid.UUID
    scopes: list[str] = Field(sa_column=text_array())
    purposes: dict[str, Any] = Field(sa_column=jsonb())
    consent_ids: list[uuid.UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    acr: str
    aal: int = Field(sa_column=_small())
    ial: int = Field(sa_column=_small())
    amr: list[str] = Field(sa_column=text_array())
    auth_time: datetime = Field(sa_column=instant())
    sid: str | None = None
    nonce: str | None = None
    redirect_uri: str | None = None
    code_hash: bytes | None = Field(default=None, sa_column=blob(nullable=True))
    code_challenge: str | None = None
    code_expires_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    code_used_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    dpop_jkt: str | None = None
    granted_at: datetime = Field(sa_column=instant())
    refresh_until: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    revoked_reason: str | None = None
    kind: str
    resources: list[str] = Field(sa_column=text_array())
    authorization_details: list[dict[str, Any]] = Field(sa_column=jsonb())
    claims: dict[str, Any] = Field(sa_column=jsonb())


class RefreshTokenRow(Table, table=True):
    """A refresh token. successor_salt: makes the successor of a rotated one repeatable for a retry."""

    __tablename__ = "refresh_tokens"
    __table_args__ = SCHEMA

    person_id: uuid.UUID = Field(primary_key=True)
    token_hash: bytes = Field(sa_column=blob(primary_key=True))
    gid: uuid.UUID
    client_id: str
    scopes: list[str] = Field(sa_column=text_array())
    dpop_jkt: str | None = None
    successor_salt: bytes = Field(sa_column=blob())
    issued_at: datetime = Field(sa_column=instant())
    rotated_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class StandingGrantRow(Table, table=True):
    """The one grant of a client that acts for itself (client_credentials), so that revoking works."""

    __tablename__ = "standing_grants"
    __table_args__ = SCHEMA

    client_id: str = Field(primary_key=True)
    gid: uuid.UUID
    granted_at: datetime = Field(sa_column=instant())
    revoked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    revoked_reason: str | None = None


class SigningKeyRow(Table, table=True):
    """A signing key, its private half sealed by the vault, or in a hardware token under token_label.

    Published from published_at, signs from active_at until a later one is active, leaves the key set at
    retired_at, or at once at revoked_at; then the private half is erased. public_jwk: of keys in a token.
    """

    __tablename__ = "signing_keys"
    __table_args__ = SCHEMA

    kid: str = Field(primary_key=True)
    alg: str
    sealed: bytes | None = Field(default=None, sa_column=blob(nullable=True))
    token_label: str | None = None
    public_jwk: dict[str, Any] | None = Field(default=None, sa_column=jsonb(nullable=True))
    published_at: datetime = Field(sa_column=instant())
    active_at: datetime = Field(sa_column=instant())
    retired_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
