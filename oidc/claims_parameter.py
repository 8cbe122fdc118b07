"""The `claims` request parameter (OpenID Connect Core §5.5): parsed into what we honour. Pure."""

from dataclasses import dataclass
from typing import Any

import orjson

from oidc.errors import OAuthError, invalid_request

MAX_LENGTH = 4096
MAX_CLAIMS = 60
MAX_VALUES = 10
_UNKNOWN_DEPTH = 4


@dataclass(frozen=True, slots=True)
class ClaimAsk:
    """One claim asked for. values: acceptable ones, strings only (empty: any)."""

    essential: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimsAsk:
    """The two members that exist. Names we do not know are kept out by those who read this."""

    userinfo: dict[str, ClaimAsk]
    id_token: dict[str, ClaimAsk]


NOTHING = ClaimsAsk({}, {})


def parse(raw: str | None) -> ClaimsAsk:
    """Raises OAuthError invalid_request when it is not such an object, too large or too deep."""
    if raw is None:
        return NOTHING
    if len(raw) > MAX_LENGTH or raw.count("{") + raw.count("[") > 4 * MAX_CLAIMS:
        raise invalid_request("The claims parameter is too large.")
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise _not_an_object() from None
    if not isinstance(found, dict) or _depth(found) > _UNKNOWN_DEPTH:
        raise _not_an_object()
    return ClaimsAsk(userinfo=_member(found, "userinfo"), id_token=_member(found, "id_token"))


def _member(found: dict[str, Any], name: str) -> dict[str, ClaimAsk]:
    member = found.get(name)
    if member is None:
        return {}
    if not isinstance(member, dict) or len(member) > MAX_CLAIMS:
        raise _not_an_object()
    return {claim: _ask(ask) for claim, ask in member.items()}


def _ask(ask: Any) -> ClaimAsk:
    if ask is None:
        return ClaimAsk()
    if not isinstance(ask, dict) or not isinstance(ask.get("essential", False), bool):
        raise _not_an_object()
    if "value" in ask and "values" in ask:
        raise invalid_request("A claim is asked for with value or with values, not with both.")
    values = ask["values"] if "values" in ask else [ask["value"]] if "value" in ask else []
    if not isinstance(values, list) or len(values) > MAX_VALUES:
        raise _not_an_object()
    return ClaimAsk(ask.get("essential", False), tuple(value for value in values if isinstance(value, str)))


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(each) for each in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(each) for each in value), default=0)
    return 0


def _not_an_object() -> OAuthError:
    return invalid_request("The claims parameter must be a JSON object as in OpenID Connect Core section 5.5.")
