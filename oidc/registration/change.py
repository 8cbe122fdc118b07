"""The act of changing a registration, whoever asks for it: the client itself (RFC 7592) or its agency.

A change never touches whose client it is, its profile, or its sector: the pseudonyms of its people hang on that, and
a client that could move to another sector could take another one's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, update

from core.database import Query, Row, Tx
from core.errors import Conflict
from oidc import standing_grants
from oidc.client_secrets import hash_secret, new_secret
from oidc.errors import OAuthError
from oidc.redirect_uris import hosts_of
from oidc.registration import journal_lines
from oidc.registration.check import CheckedMetadata
from oidc.registration.register import SECRET_LIFE, row_values
from oidc.registration.state import after, announce
from oidc.registration.who import Who
from oidc.tables import ClientRow
from privacy.journal.api import Journal

SECRET_OVERLAP = timedelta(days=7)
"""How long the former secret holds beside a new one."""
SECRET_RENEWAL = timedelta(days=30)
"""A change within this time before the end of a secret brings a new one."""

_SECRET_COLUMNS = ("secret_hash", "secret_expires_at", "former_secret_hash", "former_secret_expires_at")
_CHANGED = (
    "name_vi",
    "name_en",
    "auth_method",
    "assertion_alg",
    "jwks",
    "jwks_uri",
    "redirect_uris",
    "post_logout_redirect_uris",
    "grant_types",
    "scopes",
    "id_token_alg",
    "access_token_alg",
    "dpop_bound",
    "mtls_bound",
    "requires_par",
    "default_max_age",
    "default_acr_values",
    "options",
    "details",
    *_SECRET_COLUMNS,
    "registration_token_hash",
    "changed_at",
)
_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]


def _bound(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}", type_=_C[name].type) for name in names}


_UPDATE = Query(update(ClientRow).where(_C.client_id == bindparam("of_client")).values(_bound(_CHANGED)))
_SET_SECRET = Query(
    update(ClientRow).where(_C.client_id == bindparam("of_client")).values(_bound((*_SECRET_COLUMNS, "changed_at")))
)
_END_TOKEN = Query(update(ClientRow).where(_C.client_id == bindparam("of_client")).values(registration_token_hash=None))


@dataclass(frozen=True, slots=True)
class NewSecret:
    """The columns of a client's secret, and the secret itself when a new one was made."""

    columns: Mapping[str, Any]
    secret: str | None


def next_secret(
    row: Row, auth_method: str, now: datetime, *, renew: bool = False, lost: bool = False, told: bool = True
) -> NewSecret:
    """What becomes of the secret when the client's method is `auth_method`. renew: make a new one in any case.

    A client without a secret method loses it; one that had none, or whose secret ends soon, gets a new one, and
    the former holds on for a week unless it was lost. told: whether anybody is shown a new one; else none takes the
    place of one that is known.
    """
    if not auth_method.startswith("client_secret_"):
        return NewSecret(dict.fromkeys(_SECRET_COLUMNS), None)
    expires: datetime | None = row["secret_expires_at"]
    ends_soon = expires is not None and expires - now < SECRET_RENEWAL
    if row["secret_hash"] is not None and not (ends_soon and told) and not renew:
        return NewSecret({name: row[name] for name in _SECRET_COLUMNS}, None)
    secret = new_secret()
    columns: dict[str, Any] = {"secret_hash": hash_secret(secret), "secret_expires_at": now + SECRET_LIFE}
    still_good = not lost and row["secret_hash"] is not None and (expires is None or expires > now)
    until = min(now + SECRET_OVERLAP, expires or now + SECRET_OVERLAP)
    columns["former_secret_hash"] = row["secret_hash"] if still_good else None
    columns["former_secret_expires_at"] = until if still_good else None
    return NewSecret(columns, secret)


async def write_change(
    journal: Journal,
    tx: Tx,
    row: Row,
    checked: CheckedMetadata,
    *,
    by: Who,
    now: datetime,
    registration_token_hash: bytes | None = None,
    told: bool = True,
) -> str | None:
    """Writes checked metadata over a held row, journals, tells all processes; gives a new secret if one was made.

    told: whether the caller shows it to the client (next_secret).
    registration_token_hash: of the token that follows the present one; None keeps it. Raises OAuthError
    invalid_client_metadata when the addresses would leave the client's sector.
    """
    refuse_other_sector(row, checked)
    made = next_secret(row, checked.auth_method, now, told=told)
    values = {
        **row_values(checked),
        **made.columns,
        "registration_token_hash": registration_token_hash or row["registration_token_hash"],
        "changed_at": after(row, now),
    }
    await tx.run(_UPDATE, of_client=row["client_id"], **{f"new_{name}": values[name] for name in _CHANGED})
    await _keep_standing(tx, row, checked, now)
    await announce(tx, row["client_id"])
    await journal_lines.write(
        journal,
        tx,
        journal_lines.CHANGED,
        by.ref,
        agency=row["agency_code"],
        client=row["client_id"],
        members=" ".join(changed_members(row, values)),
    )
    return made.secret


async def renew_secret(journal: Journal, tx: Tx, row: Row, *, by: Who, now: datetime, lost: bool) -> str:
    """A new secret for a held row. Raises OAuthError when the client does not authenticate by one.

    lost: the former one ends now; so it does of a suspended client, since a lost secret is a reason to suspend.
    """
    made = next_secret(row, row["auth_method"], now, renew=True, lost=lost or row["state"] == "suspended")
    if made.secret is None:
        raise OAuthError("invalid_client_metadata", "This client has no secret.")
    values = {**made.columns, "changed_at": after(row, now)}
    await tx.run(_SET_SECRET, of_client=row["client_id"], **{f"new_{name}": value for name, value in values.items()})
    await announce(tx, row["client_id"])
    await journal_lines.write(
        journal, tx, journal_lines.SECRET_MADE, by.ref, agency=row["agency_code"], client=row["client_id"]
    )
    return made.secret


async def end_registration_token(journal: Journal, tx: Tx, row: Row, *, by: Who) -> None:
    """Nobody manages a held row by RFC 7592 any more; nothing else of the client changes. Raises Conflict
    `registration-token-none`."""
    if row["registration_token_hash"] is None:
        raise Conflict("registration-token-none", "This client has no registration token.")
    await tx.run(_END_TOKEN, of_client=row["client_id"])
    await journal_lines.write(
        journal, tx, journal_lines.REGISTRATION_TOKEN_ENDED, by.ref, agency=row["agency_code"], client=row["client_id"]
    )


def refuse_other_sector(row: Row, checked: CheckedMetadata) -> None:
    """Raises OAuthError invalid_client_metadata. Without a host in redirect addresses nothing names another sector."""
    if not checked.redirect_uris or checked.sector == row["sector"]:
        return
    if checked.sector is None and not hosts_of(checked.redirect_uris):
        return
    if checked.sector is None and set(checked.redirect_uris) <= set(row["redirect_uris"]):
        return  # an operator gave this client of several hosts its sector
    raise OAuthError(
        "invalid_client_metadata",
        "redirect_uris must stay with the host that the pseudonyms of this client are made for; register a new client.",
    )


def changed_members(row: Row, values: Mapping[str, Any]) -> list[str]:
    """Names of columns whose value differs; for the journal, never the values."""
    own = [name for name in _CHANGED if name not in {*_SECRET_COLUMNS, "registration_token_hash", "changed_at"}]
    return [name for name in own if _plain(row[name]) != _plain(values[name])]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


async def _keep_standing(tx: Tx, row: Row, checked: CheckedMetadata, now: datetime) -> None:
    """A client that newly acts for itself needs its standing grant; with one that stops, the tokens given out end."""
    before, wanted = "client_credentials" in row["grant_types"], "client_credentials" in checked.grant_types
    if before == wanted:
        return
    gid = await standing_grants.find(tx, row["client_id"])
    if gid is None and wanted:
        await standing_grants.create(tx, row["client_id"], now)
    elif gid is not None and before:
        await standing_grants.renew(tx, row["client_id"], gid, now)
