"""Software statements (RFC 7591 §2.3): metadata that a trusted publisher signed, and who is trusted.

What a statement says of a client stands above what the client says of itself (§3.1.1).
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from core.database import Query, Tx
from core.errors import NotFound
from core.jose import JoseRefused, UnverifiedJwt, check_times, decode_unverified, verify_signature
from oidc.clients import keys_of
from oidc.errors import OAuthError
from oidc.profiles import ASSERTION_ALGORITHMS
from oidc.registration import journal_lines
from oidc.registration.tables import PublisherRow
from oidc.registration.who import Who
from privacy.journal.api import Journal

MEMBER = "software_statement"
_ABOUT_ITSELF = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
MAX_ISSUER = 255
TYPES = frozenset({"jwt", ""})
"""RFC 7591 names none; a JWT that says it is something else of the publisher's is no statement (RFC 8725 §3.11)."""
TIMES = ("exp", "iat")
"""What speaks for every client that shows it ends by itself one day."""

_TABLE: Any = PublisherRow.__table__  # type: ignore[attr-defined]
_C: Any = _TABLE.c
_FIND = Query(select(_C.jwks, _C.agency_id).where(_C.issuer == bindparam("issuer"), _C.ended_at.is_(None)))
_VALUES = {column.name: bindparam(column.name, type_=column.type) for column in _C}
_TRUST = Query(
    insert(_TABLE)
    .values(_VALUES)
    .on_conflict_do_update(
        index_elements=["issuer"],
        set_={name: value for name, value in _VALUES.items() if name != "issuer"},
    )
)
_END = Query(
    update(_TABLE)
    .where(_C.issuer == bindparam("of_issuer"), _C.ended_at.is_(None))
    .values(ended_at=bindparam("now", type_=_C.ended_at.type))
    .returning(_C.issuer)
)


async def trust(
    journal: Journal,
    tx: Tx,
    issuer: str,
    jwks: Mapping[str, Any],
    *,
    by: Who,
    now: datetime,
    agency_id: uuid.UUID | None = None,
) -> None:
    """Believes a publisher from now on, with these keys in the place of earlier ones.

    Raises OAuthError invalid_client_metadata when the keys cannot be used.
    """
    usable = [key for key in keys_of(jwks) if key.alg in ASSERTION_ALGORITHMS]
    if not 0 < len(issuer) <= MAX_ISSUER or not issuer.isprintable() or not usable:
        raise OAuthError("invalid_client_metadata", "A publisher has a name and public keys to sign with.")
    await tx.run(
        _TRUST,
        issuer=issuer,
        jwks=dict(jwks),
        agency_id=agency_id,
        trusted_by=by.key,
        trusted_at=now,
        ended_at=None,
    )
    await journal_lines.write(journal, tx, journal_lines.PUBLISHER_TRUSTED, by.ref, agency=None, publisher=issuer)


async def end_trust(journal: Journal, tx: Tx, issuer: str, *, by: Who, now: datetime) -> None:
    """Raises NotFound `publisher-unknown`."""
    if await tx.row(_END, of_issuer=issuer, now=now) is None:
        raise NotFound("publisher-unknown", "There is no such publisher.")
    await journal_lines.write(journal, tx, journal_lines.PUBLISHER_ENDED, by.ref, agency=None, publisher=issuer)


async def with_statement(
    tx: Tx, metadata: Mapping[str, Any], *, agency_id: uuid.UUID, issuer: str, now: datetime
) -> dict[str, Any]:
    """The metadata with the claims of its statement above them; as they are when they bring none.

    issuer: ours, which the statement's `aud`, if it has one, must name. Raises OAuthError
    invalid_software_statement (it does not hold), unapproved_software_statement (its publisher is not trusted).
    """
    statement = metadata.get(MEMBER)
    if statement is None:
        return dict(metadata)
    unverified = _read(statement)
    publisher = unverified.claims.get("iss")
    if not isinstance(publisher, str) or not 0 < len(publisher) <= MAX_ISSUER or "\x00" in publisher:
        raise _invalid("names no publisher")
    row = await tx.row(_FIND, issuer=publisher)
    if row is None or row["agency_id"] not in {None, agency_id}:
        raise OAuthError(
            "unapproved_software_statement", "The publisher of the software statement is not trusted here."
        )
    claims = _verified(unverified, row["jwks"], issuer=issuer, now=now)
    said = {name: value for name, value in claims.items() if name not in _ABOUT_ITSELF and value is not None}
    said.pop(MEMBER, None)
    return {**metadata, **said}


def expires_at(statement: object) -> int | None:
    """`exp` of a statement that was verified when it came; epoch seconds."""
    try:
        expires = decode_unverified(statement).claims.get("exp") if isinstance(statement, str) else None
    except JoseRefused:
        return None
    return int(expires) if isinstance(expires, int | float) else None


def _read(statement: object) -> UnverifiedJwt:
    if not isinstance(statement, str):
        raise _invalid("is not a JWT")
    try:
        return decode_unverified(statement)
    except JoseRefused as refused:
        raise _invalid(f"is {refused.reason}") from None


def _verified(unverified: UnverifiedJwt, jwks: Mapping[str, Any], *, issuer: str, now: datetime) -> Mapping[str, Any]:
    kid = unverified.header.get("kid")
    keys = [key for key in keys_of(jwks) if key.alg in ASSERTION_ALGORITHMS and kid in (None, key.kid)]
    if not keys:
        raise _invalid("is signed by a key that its publisher did not give us")
    for key in keys:
        try:
            claims = verify_signature(unverified, key, typ=TYPES).claims
            check_times(claims, now=now, require=TIMES)
        except JoseRefused as refused:
            reason = refused.reason
            continue
        audience = claims.get("aud", issuer)
        if issuer not in (audience if isinstance(audience, list) else [audience]):
            raise _invalid("is for another server")
        return claims
    raise _invalid(f"does not hold: {reason}")


def _invalid(why: str) -> OAuthError:
    return OAuthError("invalid_software_statement", f"The software statement {why}.")
