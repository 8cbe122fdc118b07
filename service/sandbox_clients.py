"""The sandbox's clients: the demo portal, a FAPI 2.0 portal, agencies' back ends, and those for the suite."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.clock import Clock
from core.database import Tx
from core.jose import SigningKey
from core.runtime import Parts
from core.settings import Settings
from identity.api import Identity
from oidc.api import OpenIdProvider, lookup_audience
from privacy.journal.api import ActorRef
from service.database_checks import SANDBOX_MARK
from service.sandbox_authority import sandbox_authority
from service.sandbox_client_plan import CODE_FLOW, ClientPlan
from service.sandbox_conformance import conformance_plans
from service.sandbox_guide import ClientGuide
from service.sandbox_world import EDUCATION, INSURANCE
from service.tls_certificates import Identified, issue_client, self_signed_client

PORTAL = SANDBOX_MARK
PORTAL_FAPI = "portal-fapi"
BACKEND_EDUCATION = "agency-education"
BACKEND_INSURANCE = "agency-insurance"
BACKEND_INSURANCE_MTLS = "agency-insurance-mtls"
SECOND = ActorRef(kind="operator", id="sandbox-second", name_hint="Sandbox")
"""Who stands, beside the first, behind clients of a profile that takes two people."""


def plans(portal: str, conformance: str) -> tuple[ClientPlan, ...]:
    """What is registered. portal: base URL of the demo portal. conformance: address of return of the suite."""
    return (*_portals(portal), *_backends(), *conformance_plans(conformance))


def _portals(portal: str) -> tuple[ClientPlan, ...]:
    scopes = ("openid", "profile", "email", "phone", "address", "offline_access", "purpose:school-enrolment")
    return (
        ClientPlan(
            PORTAL,
            EDUCATION,
            "standard",
            "Cổng tuyển sinh đầu cấp Hà Nội",
            "Hà Nội school enrolment portal",
            auth_method="client_secret_basic",
            scopes=scopes,
            grant_types=CODE_FLOW,
            redirect_uris=(f"{portal}/callback",),
            post_logout_redirect_uris=(f"{portal}/signed-out",),
            further={
                "initiate_login_uri": f"{portal}/login",
                "backchannel_logout_uri": f"{portal}/backchannel-logout",
                "backchannel_logout_session_required": True,
            },
        ),
        ClientPlan(
            PORTAL_FAPI,
            EDUCATION,
            "fapi2",
            "Cổng dịch vụ giáo dục (FAPI 2.0)",
            "Education services portal (FAPI 2.0)",
            auth_method="private_key_jwt",
            scopes=scopes,
            grant_types=CODE_FLOW,
            redirect_uris=("http://localhost:8002/callback",),
            post_logout_redirect_uris=("http://localhost:8002/signed-out",),
            bound_by="dpop",
        ),
    )


def _backends() -> tuple[ClientPlan, ...]:
    education = ClientPlan(
        BACKEND_EDUCATION,
        EDUCATION,
        "fapi2",
        "Hệ thống tuyển sinh Hà Nội",
        "Hà Nội enrolment back end",
        auth_method="private_key_jwt",
        scopes=("lookup",),
        grant_types=("client_credentials",),
        bound_by="dpop",
    )
    insurance = replace(
        education,
        client_id=BACKEND_INSURANCE,
        agency=INSURANCE,
        name_vi="Hệ thống chi trả bảo hiểm xã hội",
        name_en="Social insurance payment back end",
    )
    by_certificate = replace(
        insurance,
        client_id=BACKEND_INSURANCE_MTLS,
        name_vi="Hệ thống chi trả bảo hiểm xã hội (mTLS)",
        name_en="Social insurance payment back end (mTLS)",
        bound_by="mtls",
    )
    return education, insurance, by_certificate


async def register_clients(
    settings: Settings, parts: Parts, tx: Tx, by: ActorRef, wanted: Sequence[ClientPlan]
) -> tuple[ClientGuide, ...]:
    """Registers the plans that fit this provider; gives what the guide shows, secrets and private keys included."""
    offered = parts.get(OpenIdProvider).metadata
    clock: Clock = parts.get(Clock)  # type: ignore[type-abstract]
    guides = []
    for plan in wanted:
        if not plan.fits(offered):
            continue
        key = SigningKey.generate("ES256") if plan.has_key else None
        certificate = _certificate(settings, plan, clock.now()) if plan.has_certificate else None
        guides.append(await _register(settings, parts, tx, by, plan, key, certificate))
    return tuple(guides)


def _certificate(settings: Settings, plan: ClientPlan, now: datetime) -> Identified:
    if plan.auth_method == "tls_client_auth":
        return issue_client(sandbox_authority(settings.secrets_dir, now), plan.client_id, now)
    return self_signed_client(plan.client_id, now)


async def _register(
    settings: Settings,
    parts: Parts,
    tx: Tx,
    by: ActorRef,
    plan: ClientPlan,
    key: SigningKey | None,
    certificate: Identified | None,
) -> ClientGuide:
    agency = await parts.get(Identity).agency(tx, code=plan.agency)
    made = await parts.get(OpenIdProvider).register_client(
        tx,
        plan.metadata(key, certificate),
        agency_id=agency.agency_id,
        agency_code=agency.code,
        by=by,
        seconded_by=SECOND if plan.profile == "openid-core" else None,
        profile=plan.profile,
        client_id=plan.client_id,
    )
    return ClientGuide(
        client_id=made.client_id,
        name=plan.name_vi,
        agency=plan.agency,
        profile=plan.profile,
        auth_method=plan.auth_method,
        client_secret=made.secret,
        private_jwk=key.private_jwk() if key else None,
        redirect_uris=plan.redirect_uris,
        post_logout_redirect_uris=plan.post_logout_redirect_uris,
        grant_types=plan.grant_types,
        scopes=plan.scopes,
        dpop_bound=plan.bound_by == "dpop",
        resource=lookup_audience(settings.issuer) if "lookup" in plan.scopes else None,
        mtls_bound=plan.bound_by == "mtls",
        certificate=certificate.certificate_pem if certificate else None,
        certificate_key=certificate.key_pem if certificate else None,
        delivery_mode=plan.further.get("backchannel_token_delivery_mode"),
    )
