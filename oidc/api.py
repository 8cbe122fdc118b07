"""The door of the OpenID Provider."""

from fastapi import APIRouter

from oidc import elsewhere_routes
from oidc.acr import ACR_VALUES, Level
from oidc.audiences import lookup_audience, userinfo_audience
from oidc.authlib_ import validate_provider_metadata
from oidc.client_ends import ClientEnds
from oidc.client_log import ClientLog
from oidc.developer.health import ClientHealth, client_health
from oidc.developer.routes import ROUTERS as DEVELOPER_ROUTERS
from oidc.errors import OAuthError
from oidc.events import register_events
from oidc.foundation import ProviderFoundation
from oidc.openapi import provider_openapi
from oidc.profiles import PROFILES
from oidc.provider import OpenIdProvider
from oidc.registration import routes as registration_routes
from oidc.registration.initial_tokens import NewToken
from oidc.registration.register import DEFAULT_PURPOSE, Registered
from oidc.registration.room import Registration
from oidc.registration.who import Who
from oidc.routes import router
from oidc.signing_key_acts import Acted, KeyShown, SigningKeyActs
from oidc.tables import KEY_ALGORITHMS

__all__ = [
    "ACR_VALUES",
    "DEFAULT_PURPOSE",
    "KEY_ALGORITHMS",
    "PROFILES",
    "Acted",
    "ClientEnds",
    "ClientHealth",
    "ClientLog",
    "KeyShown",
    "Level",
    "NewToken",
    "OAuthError",
    "OpenIdProvider",
    "ProviderFoundation",
    "Registered",
    "Registration",
    "SigningKeyActs",
    "Who",
    "client_health",
    "lookup_audience",
    "provider_openapi",
    "register_events",
    "routers",
    "userinfo_audience",
    "validate_provider_metadata",
]


def routers() -> list[APIRouter]:
    """Every address of the provider."""
    return [router, elsewhere_routes.router, registration_routes.router, *DEVELOPER_ROUTERS]
