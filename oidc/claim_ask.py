"""One claim or element as a request asks for it (OpenID Connect Core §5.5.1, Identity Assurance §5.5-5.6). Pure."""

from typing import Any

from core.record import record
from oidc.claim_values import Conceal, is_fingerprint
from oidc.errors import OAuthError, invalid_request

MAX_VALUES = 10
BLIND = "urn:dinhdanh:blind"
"""In what we keep of a request: the fingerprints in the place of `value` and `values`. From a client it is a
constraint that nothing meets."""
_CONSTRAINTS = frozenset({"value", "values", "max_age", BLIND})


@record
class ClaimAsk:
    """values: acceptable ones in clear, strings only (of the id_token member: `acr`, `sub`; empty: any).

    blind: fingerprints of the acceptable values; None: any value will do; empty: none will.
    max_age: seconds that may have passed since the instant told.
    """

    essential: bool = False
    values: tuple[str, ...] = ()
    blind: tuple[str, ...] | None = None
    max_age: int | None = None

    @property
    def constrained(self) -> bool:
        return self.blind is not None or self.max_age is not None

    def to_json(self) -> dict[str, Any] | None:
        """What `read_ask` and `read_plain_ask` read back."""
        told: dict[str, Any] = {}
        if self.essential:
            told["essential"] = True
        if self.values:
            told["values"] = list(self.values)
        if self.blind is not None:
            told[BLIND] = list(self.blind)
        if self.max_age is not None:
            told["max_age"] = self.max_age
        return told or None


NEVER = ClaimAsk(blind=())
"""A constraint on something that is not told here: it cannot be met."""


def read_plain_ask(raw: Any) -> ClaimAsk:
    """An entry of the id_token member: its values stay in clear. Raises OAuthError invalid_request."""
    asked = _object(raw)
    values = _values(asked) or []
    return ClaimAsk(_essential(asked), tuple(value for value in values if isinstance(value, str)))


def read_ask(raw: Any, place: str, conceal: Conceal, *, timed: bool = False) -> ClaimAsk:
    """A claim, or an element of `verification`; values become fingerprints for `place`.

    timed: whether it tells an instant, which `max_age` can be about. Raises OAuthError invalid_request.
    """
    asked = _object(raw)
    values = _values(asked)
    blind = None if values is None else [conceal(place, value) for value in values]
    kept = asked.get(BLIND)
    if isinstance(kept, list):
        blind = [*(blind or []), *(each for each in kept if is_fingerprint(each))]
    max_age = asked.get("max_age")
    if "max_age" in asked and (not timed or isinstance(max_age, bool) or not isinstance(max_age, int) or max_age < 0):
        raise invalid_request("max_age is a number of seconds, asked of an instant.")
    return ClaimAsk(_essential(asked), blind=None if blind is None else tuple(blind), max_age=max_age)


def read_claim(raw: Any, place: str, conceal: Conceal) -> ClaimAsk:
    """A claim about the person. Raises OAuthError invalid_request.

    A limit on the age of one (`max_age` of a birth date) would be a way to feel for it: nothing meets it.
    """
    if isinstance(raw, dict) and "max_age" in raw:
        return ClaimAsk(_essential(raw), blind=())
    return read_ask(raw, place, conceal)


def is_constrained(raw: Any) -> bool:
    """Whether something within a part of a request that we do not know limits what may be told."""
    if isinstance(raw, dict):
        return not _CONSTRAINTS.isdisjoint(raw) or any(is_constrained(each) for each in raw.values())
    return isinstance(raw, list) and any(is_constrained(each) for each in raw)


def not_such_an_object() -> OAuthError:
    return invalid_request(
        "The claims parameter must be a JSON object as in OpenID Connect Core section 5.5, with verified_claims as in "
        "OpenID Connect for Identity Assurance section 5."
    )


def _object(raw: Any) -> dict[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise not_such_an_object()
    return raw


def _essential(asked: dict[str, Any]) -> bool:
    essential = asked.get("essential", False)
    if not isinstance(essential, bool):
        raise not_such_an_object()
    return essential


def _values(asked: dict[str, Any]) -> list[Any] | None:
    if "value" in asked and "values" in asked:
        raise invalid_request("A claim is asked for with value or with values, not with both.")
    if "value" in asked:
        return [asked["value"]]
    if "values" not in asked:
        return None
    values = asked["values"]
    if not isinstance(values, list) or not 0 < len(values) <= MAX_VALUES:
        raise not_such_an_object()
    return values
