"""The `claims` request parameter (OpenID Connect Core §5.5): parsed into what we honour. Pure.

What is kept of it, in the cache while the person signs in and with the grant afterwards, is its own short form:
names that we do not know are gone, and values to compare with are fingerprints.
"""

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any

import orjson

from core.record import record
from oidc.claim_ask import ClaimAsk, not_such_an_object, read_claim, read_plain_ask
from oidc.claim_values import Conceal
from oidc.claims import SCOPE_CLAIMS, field_of, fields_of
from oidc.errors import invalid_request
from oidc.verified_request import VerifiedAsk, read_verified

__all__ = ["NOTHING", "ClaimAsk", "ClaimsAsk", "FieldAsk", "from_kept", "parse", "sign_in_fields"]

MAX_LENGTH = 12_288
MAX_CLAIMS = 100
MAX_DEPTH = 12
VERIFIED = "verified_claims"
_OF_ID_TOKEN = frozenset({"acr", "sub", "auth_time"})
"""Claims of the id_token that can be asked for; no field of a record ever goes into one."""


@record
class ClaimsAsk:
    """userinfo: claims about the person that we know. verified: sets of verified ones; as_array: they were asked
    for as an array, and are answered as one. id_token: only claims of the protocol."""

    userinfo: Mapping[str, ClaimAsk] = field(default_factory=dict)
    id_token: Mapping[str, ClaimAsk] = field(default_factory=dict)
    verified: tuple[VerifiedAsk, ...] = ()
    as_array: bool = False

    def to_keep(self) -> dict[str, Any]:
        """What the grant keeps, as JSON; `from_kept` reads it back."""
        userinfo: dict[str, Any] = {name: ask.to_json() for name, ask in self.userinfo.items()}
        if self.verified:
            sets = [each.to_json() for each in self.verified]
            userinfo[VERIFIED] = sets if self.as_array else sets[0]
        return {"userinfo": userinfo} if userinfo else {}

    def to_parameter(self) -> str:
        """The parameter in its short form, as the cache may hold it. Raises OAuthError when it is too large."""
        id_token = {name: ask.to_json() for name, ask in self.id_token.items()}
        text = orjson.dumps({**self.to_keep(), "id_token": id_token}).decode()
        if len(text) > MAX_LENGTH:
            raise invalid_request("The claims parameter is too large.")
        return text

    @property
    def compared(self) -> tuple[str, ...]:
        """Claims that are asked for with a value, each once."""
        plain = [name for name, ask in self.userinfo.items() if ask.constrained]
        return tuple(dict.fromkeys([*plain, *(name for each in self.verified for name in each.compared)]))


NOTHING = ClaimsAsk()


@record
class FieldAsk:
    """Fields a request asks for on one ground. essential: without these the portal cannot do its work."""

    fields: tuple[str, ...]
    essential: frozenset[str]


def parse(raw: str | None, conceal: Conceal) -> ClaimsAsk:
    """Raises OAuthError invalid_request when it is not such an object, too large or too deep."""
    if raw is None:
        return NOTHING
    if len(raw) > MAX_LENGTH or raw.count("{") + raw.count("[") > 5 * MAX_CLAIMS:
        raise invalid_request("The claims parameter is too large.")
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise not_such_an_object() from None
    if not isinstance(found, dict) or _depth(found) > MAX_DEPTH:
        raise not_such_an_object()
    return _read(found, conceal)


def from_kept(kept: Mapping[str, Any]) -> ClaimsAsk:
    """What a grant kept of its request."""
    return _read(dict(kept), _no_value) if kept else NOTHING


def _no_value(place: str, value: Any) -> str:
    """What is kept has no values left to conceal; one that stood there would be met by nothing."""
    return ""


def sign_in_fields(scopes: tuple[str, ...], asked: ClaimsAsk) -> FieldAsk:
    """The fields asked for by standard scopes and by the `claims` parameter, each once, in order."""
    by_scope = _fields_of_scopes(tuple(scope for scope in scopes if scope in SCOPE_CLAIMS))
    if not asked.userinfo and not asked.verified:
        return FieldAsk(by_scope, frozenset())
    fields = [*by_scope, *fields_of(asked.userinfo), *(code for each in asked.verified for code in each.fields)]
    essential = frozenset(fields_of(name for name, ask in asked.userinfo.items() if ask.essential))
    return FieldAsk(tuple(dict.fromkeys(fields)), essential.union(*(each.essential for each in asked.verified)))


@lru_cache(maxsize=128)
def _fields_of_scopes(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return fields_of(name for scope in scopes for name in SCOPE_CLAIMS[scope])


def _read(found: dict[str, Any], conceal: Conceal) -> ClaimsAsk:
    userinfo, id_token = _member(found, "userinfo"), _member(found, "id_token")
    plain = {name: read_claim(ask, f"userinfo/{name}", conceal) for name, ask in userinfo.items() if name != VERIFIED}
    verified = read_verified(userinfo[VERIFIED], conceal) if VERIFIED in userinfo else ()
    if VERIFIED in id_token:
        read_verified(id_token[VERIFIED], conceal)  # well-formed or refused; an id_token never holds any
    own = {name: read_plain_ask(ask) for name, ask in id_token.items() if name != VERIFIED}
    return ClaimsAsk(
        userinfo={name: ask for name, ask in plain.items() if field_of(name) is not None},
        id_token={name: ask for name, ask in own.items() if name in _OF_ID_TOKEN},
        verified=verified,
        as_array=isinstance(userinfo.get(VERIFIED), list),
    )


def _member(found: dict[str, Any], name: str) -> dict[str, Any]:
    member = found.get(name)
    if member is None:
        return {}
    if not isinstance(member, dict) or len(member) > MAX_CLAIMS:
        raise not_such_an_object()
    return member


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(each) for each in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(each) for each in value), default=0)
    return 0
