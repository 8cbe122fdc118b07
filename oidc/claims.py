"""Fields of the registry as claims: which scope asks for which field, and how a value looks on the wire. Pure.

The full legal name is `name`; given and family names are not cut out of it, since the cut would be a guess
in Vietnamese. `birthdate` keeps a partial date's precision (OpenID Connect Core §5.1 allows the year alone).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from oidc.claims_parameter import ClaimAsk
from oidc.scopes import CLAIM_SCOPES

NAMESPACE = "urn:dinhdanh:claim:"

SCOPE_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "profile": ("full_name", "birth_date", "sex"),
        "email": ("email",),
        "phone": ("phone",),
        "address": ("permanent_residence",),
    }
)

_STANDARD: Mapping[str, str] = MappingProxyType(
    {
        "full_name": "name",
        "birth_date": "birthdate",
        "sex": "gender",
        "email": "email",
        "phone": "phone_number",
        "permanent_residence": "address",
    }
)
_FIELD_OF_STANDARD = {claim: field for field, claim in _STANDARD.items()}


def claim_of(field: str) -> str:
    """The claim's name for a field."""
    return _STANDARD.get(field, NAMESPACE + field)


def field_of(claim: str) -> str | None:
    """The field behind a claim's name; None for a claim that is not a person's data here."""
    if claim.startswith(NAMESPACE):
        field = claim.removeprefix(NAMESPACE)
        # One name for one thing: a field with a standard claim is asked for by that.
        return None if field in _STANDARD else field
    return _FIELD_OF_STANDARD.get(claim)


def claims_supported(fields: Iterable[str]) -> list[str]:
    """For discovery: protocol claims, then the person's under both names."""
    protocol = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"]
    return [*protocol, *_STANDARD.values(), *(NAMESPACE + field for field in fields)]


def standard_claims(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field as the claims that standard scopes and the `claims` parameter open.

    A value of None is left out: a claim is there or it is not.
    """
    shapes: Mapping[str, Callable[[Any], Any]] = {"permanent_residence": _address, "birth_date": _birthdate}
    return {
        claim_of(field): shapes[field](value) if field in shapes else value
        for field, value in values.items()
        if value is not None
    }


def purpose_claims(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field as the claims that a `purpose:` scope opens: namespaced, as the registry holds them."""
    return {NAMESPACE + field: value for field, value in values.items() if value is not None}


def _birthdate(value: Any) -> str:
    """YYYY, or YYYY-MM-DD. A month without a day is told as the year: `0000-MM` and the like do not exist."""
    text = str(value)
    return text[:4] if len(text) == 7 else text


def _address(value: Any) -> dict[str, str]:
    """The address claim (§5.1.1): formatted text, commune as locality, province as region."""
    members = {
        "formatted": value.get("text"),
        "locality": value.get("commune_name"),
        "region": value.get("province_name"),
        "country": "VN",
    }
    return {name: text for name, text in members.items() if text}


@dataclass(frozen=True, slots=True)
class FieldAsk:
    """Fields a request asks for on one ground. essential: without these the portal cannot do its work."""

    fields: tuple[str, ...]
    essential: frozenset[str]


def sign_in_fields(scopes: Iterable[str], userinfo: Mapping[str, ClaimAsk]) -> FieldAsk:
    """The fields asked for by standard scopes and by the `claims` parameter, each once, in order."""
    wanted = [field for scope in scopes if scope in CLAIM_SCOPES for field in SCOPE_FIELDS[scope]]
    named = {field: ask for claim, ask in userinfo.items() if (field := field_of(claim)) is not None}
    essential = frozenset(field for field, ask in named.items() if ask.essential)
    return FieldAsk(tuple(dict.fromkeys([*wanted, *named])), essential)
