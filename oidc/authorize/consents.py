"""What a request asks of consent: per purpose, the fields. Pure."""

from consent.api import PurposeAsk
from oidc.authorize.asking import Asking
from oidc.claims_parameter import sign_in_fields
from oidc.grants import REFRESH_LIFETIME
from oidc.scopes import OFFLINE, purposes_of


def purpose_asks(asking: Asking) -> tuple[PurposeAsk, ...]:
    """Standard scopes and claims, verified ones too, under the client's sign-in purpose, then each `purpose:` scope.

    Last what the agency wants to look up itself (authorization_details). Empty when only a pseudonym is asked for.
    """
    own = sign_in_fields(asking.scopes, asking.claims)
    asks = [PurposeAsk(asking.client.purpose, own.fields, own.essential)] if own.fields else []
    lookups = (PurposeAsk(each.purpose, each.fields) for each in asking.authorization_details)
    return (*asks, *(PurposeAsk(code) for code in purposes_of(asking.scopes)), *lookups)


def asks_anew(asking: Asking) -> bool:
    """Whether the person is asked whatever he agreed to before, for a pseudonym alone too.

    By prompt=consent (OpenID Connect Core §3.1.2.1), and by whoever cannot prove who it is (OWASP ASVS V10.7.1). A
    request that came to the person on another way was confirmed on a page of its own already: then data alone is
    asked anew.
    """
    anew = "consent" in asking.prompts or asking.client.public
    return anew and (asking.endpoint == "authorize" or bool(purpose_asks(asking)))


def offline_days(asking: Asking) -> int:
    """How long access is to be renewed without the person, as pages tell it; 0 for not at all."""
    return REFRESH_LIFETIME.days if OFFLINE in asking.scopes else 0


def drop_untold_offline(asking: Asking, *, answered: bool) -> None:
    """Leaves `offline_access` out where nobody was told of it (OpenID Connect Core §11 has it ignored then).

    answered: a page that tells of it, on this walk. A request that came to the person on another way was confirmed
    on a page that tells of it.
    """
    if not answered and asking.endpoint == "authorize":
        asking.scopes = tuple(scope for scope in asking.scopes if scope != OFFLINE)
