"""Claims about a person: which field each comes from, which scope asks for it, how its value looks. Pure.

Three kinds, never to be taken for one another: facts of the registry, what people say of themselves (one field,
`self_declared`), and hints made from a fact (parts of the name). The full legal name is `name`. `birthdate` keeps
a partial date's precision (OpenID Connect Core §5.1). See docs/claims-and-levels.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from identity.api import MEMBERS, SELF_DECLARED
from oidc.name_parts import name_parts
from oidc.scopes import CLAIM_SCOPES
from population_db.api import FIELDS

NAMESPACE = "urn:dinhdanh:claim:"
COUNTRY = "VN"


@dataclass(frozen=True, slots=True)
class Claim:
    """One standard claim. read: the claim's value out of the field's, None when there is none.

    scope: that opens it, None when it is asked for by name only. fact: as the registry holds it, nothing guessed,
    nothing declared: only such a claim may stand among verified ones.
    """

    field: str
    scope: str | None
    read: Callable[[Any], Any]
    fact: bool = True


def _as_held(value: Any) -> Any:
    return value


def _birthdate(value: Any) -> str:
    """YYYY, or YYYY-MM-DD. A month without a day is told as the year: `0000-MM` and the like do not exist."""
    text = str(value)
    return text[:4] if len(text) == 7 else text


def _address(value: Any) -> dict[str, str] | None:
    """The address claim (§5.1.1): formatted text, commune as locality, province as region."""
    members = {
        "formatted": value.get("text"),
        "locality": value.get("commune_name"),
        "region": value.get("province_name"),
        "country": COUNTRY,
    }
    return {name: text for name, text in members.items() if text}


def _place_of_birth(value: Any) -> dict[str, str] | None:
    """`place_of_birth` (OpenID Connect for Identity Assurance Claims Registration §4.1).

    The registry's text may name a place that no list has any more; it goes out as the locality.
    """
    members = {"locality": value.get("commune_name") or value.get("text"), "region": value.get("province_name")}
    found = {name: text for name, text in members.items() if text}
    return found or None


def _part(name: str) -> Callable[[Any], Any]:
    return lambda value: name_parts(str(value)).get(name)


def _declared(name: str) -> Callable[[Any], Any]:
    return lambda value: value.get(name)


def _unchecked(value: Any) -> bool:
    """`…_verified`: nobody here has sent a message there and got an answer, so it is never true."""
    return False


STANDARD: Mapping[str, Claim] = MappingProxyType(
    {
        "name": Claim("full_name", "profile", _as_held),
        "family_name": Claim("full_name", "profile", _part("family_name"), fact=False),
        "middle_name": Claim("full_name", "profile", _part("middle_name"), fact=False),
        "given_name": Claim("full_name", "profile", _part("given_name"), fact=False),
        "birthdate": Claim("birth_date", "profile", _birthdate),
        "gender": Claim("sex", "profile", _as_held),
        **{name: Claim(SELF_DECLARED, "profile", _declared(name), fact=False) for name in (*MEMBERS, "updated_at")},
        "email": Claim("email", "email", _as_held, fact=False),
        "email_verified": Claim("email", "email", _unchecked, fact=False),
        "phone_number": Claim("phone", "phone", _as_held, fact=False),
        "phone_number_verified": Claim("phone", "phone", _unchecked, fact=False),
        "address": Claim("permanent_residence", "address", _address),
        "place_of_birth": Claim("birth_place", None, _place_of_birth),
        "nationalities": Claim("nationality", None, lambda value: [value]),
        "also_known_as": Claim("other_name", None, _as_held),
    }
)
"""Claim → where it comes from. Contacts are what people told the registry: held there, but no verified fact."""

_BY_STANDARD_NAME_ONLY = frozenset(claim.field for claim in STANDARD.values() if claim.scope is not None)
"""Fields with a claim that a scope opens: one name for one thing, so they have no namespaced one."""

_VERIFIABLE_GROUPS = frozenset({"civil", "family", "residence", "sensitive"})

SCOPE_CLAIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {scope: tuple(name for name, claim in STANDARD.items() if claim.scope == scope) for scope in CLAIM_SCOPES}
)
SCOPE_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {scope: tuple(dict.fromkeys(STANDARD[name].field for name in names)) for scope, names in SCOPE_CLAIMS.items()}
)


_FIELD_OF: Mapping[str, str] = MappingProxyType(
    {
        **{name: claim.field for name, claim in STANDARD.items()},
        **{NAMESPACE + code: code for code in FIELDS if code not in _BY_STANDARD_NAME_ONLY},
    }
)


def field_of(claim: str) -> str | None:
    """The field behind a claim's name; None for a claim that is not a person's data here."""
    return _FIELD_OF.get(claim)


def may_be_verified(claim: str) -> bool:
    """Whether it may stand in `verified_claims`: a fact of the registry, with source and date."""
    field = field_of(claim)
    if field is None or field not in FIELDS or FIELDS[field].group not in _VERIFIABLE_GROUPS:
        return False
    return claim not in STANDARD or STANDARD[claim].fact


def value_of(claim: str, held: Any) -> Any:
    """The claim's value out of its field's; None when there is none to tell."""
    if held is None:
        return None
    return STANDARD[claim].read(held) if claim in STANDARD else held


def own_claims() -> tuple[str, ...]:
    """The namespaced claims that can be asked for by name."""
    return tuple(NAMESPACE + code for code in FIELDS if code not in _BY_STANDARD_NAME_ONLY)


def verifiable_claims() -> list[str]:
    """For discovery: `claims_in_verified_claims_supported`."""
    return [name for name in (*STANDARD, *own_claims()) if may_be_verified(name)]


def claims_supported(fields: Iterable[str]) -> list[str]:
    """For discovery: protocol claims, then the person's: standard ones, then ours for every field."""
    protocol = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"]
    return [*protocol, *STANDARD, *(NAMESPACE + code for code in fields), "verified_claims"]


def purpose_claims(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field as the claims that a `purpose:` scope opens: namespaced, as the registry holds them."""
    return {NAMESPACE + field: value for field, value in values.items() if value is not None}


def fields_of(claims: Iterable[str]) -> tuple[str, ...]:
    """The fields behind claims, each once, in order; claims that are no person's data add none."""
    return tuple(dict.fromkeys(field for claim in claims if (field := field_of(claim)) is not None))
