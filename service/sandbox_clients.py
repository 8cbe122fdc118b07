"""The sandbox's clients: the demo portal, a FAPI 2.0 portal, two agencies' back ends."""

from dataclasses import dataclass
from typing import Any

from core.database import Tx
from core.jose import SigningKey
from core.runtime import Parts
from core.settings import Settings
from identity.api import Identity
from oidc.api import OpenIdProvider, lookup_audience
from privacy.journal.api import ActorRef
from service.sandbox_guide import ClientGuide
from service.sandbox_world import EDUCATION, INSURANCE

PORTAL = "portal-enrolment"
PORTAL_FAPI = "portal-fapi"
BACKEND_EDUCATION = "agency-education"
BACKEND_INSURANCE = "agency-insurance"


@dataclass(frozen=True, slots=True)
class ClientPlan:
    """A client to register. with_key: private_key_jwt with a key of our making; else a secret of the provider's."""

    client_id: str
    agency: str
    profile: str
    name_vi: str
    name_en: str
    with_key: bool
    scopes: tuple[str, ...]
    grant_types: tuple[str, ...]
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()

    def metadata(self, key: SigningKey | None) -> dict[str, Any]:
        """RFC 7591 and OpenID Connect Registration."""
        told: dict[str, Any] = {
            "client_name": self.name_en,
            "client_name#vi": self.name_vi,
            "client_name#en": self.name_en,
            "scope": " ".join(self.scopes),
            "grant_types": list(self.grant_types),
            "response_types": ["code"] if "authorization_code" in self.grant_types else [],
            "token_endpoint_auth_method": "private_key_jwt" if key else "client_secret_basic",
        }
        if self.redirect_uris:
            told["redirect_uris"] = list(self.redirect_uris)
        if self.post_logout_redirect_uris:
            told["post_logout_redirect_uris"] = list(self.post_logout_redirect_uris)
        if key:
            told["jwks"] = {"keys": [key.public().public_jwk()]}
        if self.with_key:
            told["dpop_bound_access_tokens"] = True
        return told


def plans(portal: str) -> tuple[ClientPlan, ...]:
    """What is registered. portal: base URL of the demo portal."""
    code_flow = ("authorization_code", "refresh_token")
    scopes = ("openid", "profile", "email", "phone", "address", "offline_access", "purpose:school-enrolment")
    return (
        ClientPlan(
            PORTAL,
            EDUCATION,
            "standard",
            "Cổng tuyển sinh đầu cấp Hà Nội",
            "Hà Nội school enrolment portal",
            with_key=False,
            scopes=scopes,
            grant_types=code_flow,
            redirect_uris=(f"{portal}/callback",),
            post_logout_redirect_uris=(f"{portal}/signed-out",),
        ),
        ClientPlan(
            PORTAL_FAPI,
            EDUCATION,
            "fapi2",
            "Cổng dịch vụ giáo dục (FAPI 2.0)",
            "Education services portal (FAPI 2.0)",
            with_key=True,
            scopes=scopes,
            grant_types=code_flow,
            redirect_uris=("http://localhost:8002/callback",),
            post_logout_redirect_uris=("http://localhost:8002/signed-out",),
        ),
        ClientPlan(
            BACKEND_EDUCATION,
            EDUCATION,
            "fapi2",
            "Hệ thống tuyển sinh Hà Nội",
            "Hà Nội enrolment back end",
            with_key=True,
            scopes=("lookup",),
            grant_types=("client_credentials",),
        ),
        ClientPlan(
            BACKEND_INSURANCE,
            INSURANCE,
            "fapi2",
            "Hệ thống chi trả bảo hiểm xã hội",
            "Social insurance payment back end",
            with_key=True,
            scopes=("lookup",),
            grant_types=("client_credentials",),
        ),
    )


async def register_clients(
    settings: Settings, parts: Parts, tx: Tx, by: ActorRef, portal: str
) -> tuple[ClientGuide, ...]:
    """Registers every plan; gives what the guide shows, secrets and private keys included."""
    identity, provider = parts.get(Identity), parts.get(OpenIdProvider)
    guides = []
    for plan in plans(portal):
        agency = await identity.agency(tx, code=plan.agency)
        key = SigningKey.generate("ES256") if plan.with_key else None
        made = await provider.register_client(
            tx,
            plan.metadata(key),
            agency_id=agency.agency_id,
            agency_code=agency.code,
            by=by,
            profile=plan.profile,
            client_id=plan.client_id,
        )
        guides.append(
            ClientGuide(
                client_id=made.client_id,
                name=plan.name_vi,
                agency=plan.agency,
                profile=plan.profile,
                auth_method="private_key_jwt" if key else "client_secret_basic",
                client_secret=made.secret,
                private_jwk=key.private_jwk() if key else None,
                redirect_uris=plan.redirect_uris,
                post_logout_redirect_uris=plan.post_logout_redirect_uris,
                grant_types=plan.grant_types,
                scopes=plan.scopes,
                dpop_bound=plan.with_key,
                resource=lookup_audience(settings.issuer) if "lookup" in plan.scopes else None,
            )
        )
    return tuple(guides)
