"""Clients for an outsider's OpenID conformance suite, and for anybody who wants to try a profile by hand.

Two of each kind, since the suite's plans play one client against another. Where the suite runs is a setting:
its address of return, of which the others (logout, notification) are neighbours (docs/conformance.md).
"""

from dataclasses import dataclass, replace
from typing import Any

from pydantic import field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.sandbox_client_plan import CODE_FLOW, ClientPlan
from service.sandbox_world import EDUCATION

DEFAULT_REDIRECT = "https://localhost.emobix.co.uk:8443/test/a/dinhdanh/callback"
"""The suite's own name for the machine it runs on, and our alias."""
CALLBACK = "/callback"
SECOND_CALLBACK = "?dummy1=lorem&dummy2=ipsum"
"""What the suite's second clients append to their address of return."""
CIBA = "urn:openid:params:grant-type:ciba"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_SCOPES = ("openid", "profile", "email", "phone", "address", "offline_access")


class ConformanceSettings(BaseSettings):
    """Environment: DINHDANH_CONFORMANCE_REDIRECT; the sandbox alone reads it."""

    model_config = SettingsConfigDict(env_prefix="DINHDANH_", frozen=True, extra="ignore", env_ignore_empty=True)

    conformance_redirect: str = DEFAULT_REDIRECT

    @field_validator("conformance_redirect")
    @classmethod
    def _is_a_callback(cls, value: str) -> str:
        if not value.startswith("https://") or not value.endswith(CALLBACK):
            raise ValueError(f"must be an https address that ends in {CALLBACK}")
        return value

    @property
    def chosen(self) -> bool:
        """Whether somebody set it, so that a sandbox furnished for another address must say so."""
        return "conformance_redirect" in self.model_fields_set


@dataclass(frozen=True, slots=True)
class _Kind:
    """Clients that differ in their number alone. numbers: how many; auth_methods: of each, in order."""

    stem: str
    profile: str
    name_vi: str
    name_en: str
    auth_methods: tuple[str, ...]
    bound_by: str = ""


_KINDS = (
    _Kind("standard", "standard", "hồ sơ chuẩn", "standard profile", ("client_secret_basic",) * 2),
    _Kind("standard-key", "standard", "hồ sơ chuẩn, khóa riêng", "standard profile, own key", ("private_key_jwt",) * 2),
    _Kind("core", "openid-core", "OpenID Connect Core", "OpenID Connect Core", ("client_secret_basic",) * 2),
    _Kind("core-post", "openid-core", "OpenID Connect Core", "OpenID Connect Core", ("client_secret_post",) * 2),
    # Apart from the others: a client that is told of a sign-out by the way it did not ask for fails the suite's module.
    _Kind("backchannel", "openid-core", "đăng xuất kênh sau", "back-channel logout", ("client_secret_basic",) * 2),
    _Kind("frontchannel", "openid-core", "đăng xuất kênh trước", "front-channel logout", ("client_secret_basic",) * 2),
    _Kind("fapi2-dpop", "fapi2", "FAPI 2.0, DPoP", "FAPI 2.0, DPoP", ("private_key_jwt",) * 2, "dpop"),
    _Kind("fapi2-mtls", "fapi2", "FAPI 2.0, mTLS", "FAPI 2.0, mTLS", ("private_key_jwt",) * 2, "mtls"),
    _Kind(
        "tls-auth",
        "fapi2",
        "FAPI 2.0, xác thực bằng chứng thư",
        "FAPI 2.0, certificate authentication",
        ("tls_client_auth", "self_signed_tls_client_auth"),
        "mtls",
    ),
    _Kind(
        "tls-auth-dpop",
        "fapi2",
        "FAPI 2.0, xác thực bằng chứng thư, DPoP",
        "FAPI 2.0, certificate authentication, DPoP",
        ("tls_client_auth", "self_signed_tls_client_auth"),
        "dpop",
    ),
    _Kind(
        "signing",
        "fapi2-message-signing",
        "FAPI 2.0 ký thông điệp",
        "FAPI 2.0 message signing",
        ("private_key_jwt",) * 2,
        "dpop",
    ),
)


def conformance_plans(redirect: str) -> tuple[ClientPlan, ...]:
    """Every client for the suite. redirect: its address of return, ending in `/callback`."""
    base = redirect.removesuffix(CALLBACK)
    return (*_code_flow(redirect, base), *_ciba(base), *_desk())


def _code_flow(redirect: str, base: str) -> tuple[ClientPlan, ...]:
    further: dict[str, dict[str, Any]] = {
        "backchannel": {
            "backchannel_logout_uri": f"{base}/backchannel_logout",
            "backchannel_logout_session_required": True,
        },
        "frontchannel": {
            "frontchannel_logout_uri": f"{base}/frontchannel_logout",
            "frontchannel_logout_session_required": True,
        },
        "signing": {"request_object_signing_alg": "ES256", "authorization_signed_response_alg": "ES256"},
    }
    return tuple(
        ClientPlan(
            client_id=f"conformance-{kind.stem}-{number}",
            agency=EDUCATION,
            profile=kind.profile,
            name_vi=f"Kiểm thử {kind.name_vi} {number}",
            name_en=f"Conformance {kind.name_en} {number}",
            auth_method=method,
            scopes=_SCOPES,
            grant_types=CODE_FLOW,
            redirect_uris=(redirect, f"{redirect}{SECOND_CALLBACK}"),
            post_logout_redirect_uris=(f"{base}/post_logout_redirect",),
            bound_by=kind.bound_by,
            further=further.get(kind.stem, {}),
        )
        for kind in _KINDS
        for number, method in enumerate(kind.auth_methods, start=1)
    )


def _ciba(base: str) -> tuple[ClientPlan, ...]:
    """FAPI-CIBA §5.2.2: tokens are bound by mTLS; requests are signed. Its plan is of before FAPI 2.0: assertions name
    the address they are sent to, which only `standard` takes."""
    plain = ClientPlan(
        client_id="conformance-ciba-poll-1",
        agency=EDUCATION,
        profile="standard",
        name_vi="Kiểm thử CIBA",
        name_en="Conformance CIBA",
        auth_method="private_key_jwt",
        scopes=_SCOPES,
        grant_types=(CIBA, "refresh_token"),
        bound_by="mtls",
    )
    poll = {"backchannel_token_delivery_mode": "poll", "backchannel_authentication_request_signing_alg": "ES256"}
    ping = {
        **poll,
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": f"{base}/ciba-notification-endpoint",
    }
    modes: tuple[tuple[str, dict[str, str]], ...] = (("poll", poll), ("ping", ping))
    return tuple(
        replace(
            plain,
            client_id=f"conformance-ciba-{mode}-{number}",
            name_vi=f"Kiểm thử CIBA {mode} {number}",
            name_en=f"Conformance CIBA {mode} {number}",
            further=further,
        )
        for mode, further in modes
        for number in (1, 2)
    )


def _desk() -> tuple[ClientPlan, ...]:
    return (
        ClientPlan(
            client_id="desk-one-stop",
            agency=EDUCATION,
            profile="standard",
            name_vi="Quầy Một cửa (CIBA)",
            name_en="One-stop desk (CIBA)",
            auth_method="private_key_jwt",
            scopes=_SCOPES,
            grant_types=(CIBA, "refresh_token"),
            further={"backchannel_token_delivery_mode": "poll"},
        ),
        ClientPlan(
            client_id="conformance-device-1",
            agency=EDUCATION,
            profile="standard",
            name_vi="Kiểm thử ki-ốt Một cửa",
            name_en="Conformance one-stop kiosk",
            auth_method="client_secret_basic",
            scopes=_SCOPES,
            grant_types=(DEVICE, "refresh_token"),
        ),
    )
