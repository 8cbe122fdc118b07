"""Rich authorization requests (RFC 9396) of the one type there is: `consented_lookup`. Pure.

A person lets an agency look up fields of his own record, for a purpose, perhaps for one procedure and dossier:

    {"type": "consented_lookup", "purpose": "school-enrolment", "fields": ["full_name"],
     "procedure": "1.002354", "dossier": "H26.12-241102-0001"}

Without `fields` all that the agency's policy holds for the purpose. What is granted always names its fields.
A member that is not understood is refused, never left out (§5): half of a wish is another wish.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from consent.api import Policy
from oidc.errors import OAuthError
from population_db.api import FIELDS

LOOKUP_TYPE = "consented_lookup"
TYPES = (LOOKUP_TYPE,)
MAX_LENGTH = 4096
MAX_DETAILS = 5
CONSENT = "consent"

_PURPOSE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_PROCEDURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", re.ASCII)
_MAX_DOSSIER = 100
_MEMBERS = frozenset({"type", "purpose", "fields", "procedure", "dossier"})


@dataclass(frozen=True, slots=True)
class LookupDetail:
    """One wish. fields: codes of the registry; empty in a request means all of the policy's, never in a grant."""

    purpose: str
    fields: tuple[str, ...]
    procedure: str | None = None
    dossier: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The wire form."""
        told = {
            "type": LOOKUP_TYPE,
            "purpose": self.purpose,
            "fields": list(self.fields),
            "procedure": self.procedure,
            "dossier": self.dossier,
        }
        return {name: value for name, value in told.items() if value not in (None, [])}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "LookupDetail":
        """Reads what `to_json` gave."""
        return cls(raw["purpose"], tuple(raw.get("fields", ())), raw.get("procedure"), raw.get("dossier"))


def parse(raw: str | None, *, allowed_types: Collection[str]) -> tuple[LookupDetail, ...]:
    """The details of a request; a purpose stands in one of them only. allowed_types: those of the client.

    Raises OAuthError invalid_authorization_details.
    """
    if raw is None:
        return ()
    if len(raw) > MAX_LENGTH:
        raise refused("is too large")
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise refused("must be a JSON array of objects") from None
    if not isinstance(found, list) or not 0 < len(found) <= MAX_DETAILS:
        raise refused(f"must be a JSON array of 1 to {MAX_DETAILS} objects")
    details = tuple(_detail(each, allowed_types) for each in found)
    if len({each.purpose for each in details}) != len(details):
        raise refused("names a purpose twice")
    return details


def check_policy(detail: LookupDetail, policy: Policy | None) -> None:
    """The agency's policy holds all that is asked; over-asking is refused as a whole.

    Raises OAuthError invalid_authorization_details.
    """
    if policy is None or CONSENT not in policy.legal_bases:
        raise refused("asks for a purpose that the agency has no policy with consent for")
    if not set(detail.fields) <= policy.fields:
        raise refused("asks for a field that the agency's policy does not hold")
    if policy.needs_procedure and detail.procedure is None:
        raise refused("needs a procedure for this purpose")
    if detail.procedure is not None and policy.procedures and detail.procedure not in policy.procedures:
        raise refused("names a procedure that the agency's policy does not hold for")
    if policy.needs_dossier and detail.dossier is None:
        raise refused("needs a dossier for this purpose")


def granted(details: Collection[LookupDetail], consented: Mapping[str, Collection[str]]) -> tuple[LookupDetail, ...]:
    """What of it was agreed to. consented: per purpose the fields that live consents cover."""
    found = []
    for each in details:
        covered = consented.get(each.purpose, ())
        fields = tuple(code for code in FIELDS if code in covered and (not each.fields or code in each.fields))
        if fields:
            found.append(LookupDetail(each.purpose, fields, each.procedure, each.dossier))
    return tuple(found)


def refused(why: str) -> OAuthError:
    return OAuthError("invalid_authorization_details", f"authorization_details {why}.")


def _detail(raw: Any, allowed_types: Collection[str]) -> LookupDetail:
    if not isinstance(raw, dict):
        raise refused("must be a JSON array of objects")
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in TYPES or kind not in allowed_types:
        raise refused("has a type that is not offered to this client")
    if not raw.keys() <= _MEMBERS:
        raise refused("has a member that is not known for its type")
    fields, dossier = raw.get("fields"), raw.get("dossier")
    if fields is not None and not _are_fields(fields):
        raise refused("must name fields of the registry, each once")
    if dossier is not None and not (isinstance(dossier, str) and 0 < len(dossier) <= _MAX_DOSSIER):
        raise refused("must name a dossier by 1 to 100 characters")
    if dossier is not None and not dossier.isprintable():
        raise refused("must name a dossier by printable characters")
    return LookupDetail(
        purpose=_matching(raw.get("purpose"), _PURPOSE, "a purpose by its code"),
        fields=tuple(fields or ()),
        procedure=None if raw.get("procedure") is None else _matching(raw["procedure"], _PROCEDURE, "a procedure"),
        dossier=dossier,
    )


def _are_fields(value: Any) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= len(FIELDS):
        return False
    return all(isinstance(each, str) and each in FIELDS for each in value) and len(set(value)) == len(value)


def _matching(value: Any, shape: re.Pattern[str], what: str) -> str:
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise refused(f"must name {what}")
    return value
