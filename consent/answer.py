"""Signed answers: a compact JWS (RFC 7515) that an agency may file instead of a paper.

`application/lookup-answer+jwt`, `typ` lookup-answer+jwt (RFC 8725 §3.11), ES256 by the provider's published
key. The answer names its journal line and that line's leaf hash: a line that is lost later is noticed by
whoever kept an answer. `request_digest` is the SHA-256 of the request's body as it was sent.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from consent.disclosure import Disclosure
from consent.lookup_schemas import LookupIn, RecordsIn
from core import base64url
from core.ids import new_reference
from population_db.api import FieldValue

ANSWER_TYPE = "lookup-answer+jwt"
ANSWER_MEDIA_TYPE = f"application/{ANSWER_TYPE}"


def request_digest(body: bytes) -> str:
    """SHA-256, base64url without padding: 43 characters."""
    return base64url.encode(hashlib.sha256(body).digest())


def answer_claims(
    asked: LookupIn,
    given: Disclosure,
    *,
    issuer: str,
    client_id: str,
    subject: str | None,
    body_digest: str,
    now: datetime,
) -> dict[str, Any]:
    """The claims. aud: the client. sub: the person, where his own token was shown. Absent members were not in the
    request. journal.leaf_hash: hex."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": client_id,
        "sub": subject,
        "iat": int(now.timestamp()),
        "jti": new_reference(),
        "request_id": asked.request_id,
        "request_digest": body_digest,
        "purpose": asked.purpose,
        "legal_basis": asked.legal_basis,
        "procedure": asked.procedure,
        "dossier": asked.dossier,
        "answer": _record(given) if isinstance(asked, RecordsIn) else _matches(given),
        "journal": {"line_id": str(given.line.line_id), "leaf_hash": given.line.leaf_hash.hex()},
    }
    if isinstance(asked, RecordsIn):
        claims["replaces"] = asked.replaces
    return {name: value for name, value in claims.items() if value is not None}


def _matches(given: Disclosure) -> dict[str, Any]:
    fields = {
        code: {"result": one.result}
        | ({} if one.source is None or one.as_of is None else _origin(one.source, one.as_of.isoformat()))
        for code, one in given.matched.items()
    }
    return {"kind": "matches", "fields": fields} | _refused(given.refused)


def _record(given: Disclosure) -> dict[str, Any]:
    fields = {code: {"value": one.value} | _from(one) for code, one in given.values.items()}
    not_held = {"not_held": list(given.not_held)} if given.not_held else {}
    return {"kind": "record", "fields": fields} | not_held | _refused(given.refused)


def _from(one: FieldValue) -> dict[str, str]:
    return _origin(one.source, one.as_of.isoformat())


def _origin(source: str, as_of: str) -> dict[str, str]:
    return {"source": source, "as_of": as_of}


def _refused(refused: Mapping[str, str]) -> dict[str, Any]:
    return {"refused": dict(refused)} if refused else {}
