"""What a request asks of consent: per purpose, the fields. Pure."""

from collections.abc import Mapping

from consent.api import PurposeAsk
from oidc.authorize.asking import Asking
from oidc.claims import sign_in_fields
from oidc.scopes import purposes_of


def purpose_asks(asking: Asking) -> tuple[PurposeAsk, ...]:
    """Standard scopes and single claims under the client's sign-in purpose, then each `purpose:` scope.

    Empty when only a pseudonym is asked for: then there is nothing to consent to.
    """
    own = sign_in_fields(asking.scopes, asking.claims.userinfo)
    asks = [PurposeAsk(asking.client.purpose, own.fields, own.essential)] if own.fields else []
    return (*asks, *(PurposeAsk(code) for code in purposes_of(asking.scopes)))


def purpose_fields(asks: tuple[PurposeAsk, ...]) -> Mapping[str, tuple[str, ...]]:
    """Per purpose the fields asked for; none named means all that the policy holds."""
    fields: dict[str, tuple[str, ...]] = {}
    for ask in asks:
        everything = ask.code in fields and not (fields[ask.code] and ask.fields)
        fields[ask.code] = () if everything else (*fields.get(ask.code, ()), *ask.fields)
    return fields
