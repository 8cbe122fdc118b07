"""What has to be there before anything is measured: clients on both sides, people with accounts and consents."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.citizens import OPERATOR, SCHOOL, Citizen, Portal, agree, enrol, grown_ups
from bench.house import House
from bench.jwts import Signer, new_private_jwk
from core.database import Database
from core.runtime import Parts
from identity.api import Identity
from oidc.api import OpenIdProvider, lookup_audience

REDIRECT = "http://127.0.0.1:8599/callback"
SCOPE = "openid profile"
SESSIONS = 48
"""People who are signed in and have agreed: more than there are requests in flight."""
PASSWORDS = 240
"""People who sign in by password during the runs: a one-time code is good once, so each does it once."""
LOOKED_UP = 5_000


@dataclass
class Stage:
    """signed_in: with sessions and consents. by_password: not signed in yet. registered: looked up by law."""

    house: House
    portal: Portal
    app: Portal
    back_end: dict[str, str]
    resource_server: dict[str, str]
    signed_in: Sequence[Citizen] = field(repr=False)
    by_password: Sequence[Citizen] = field(repr=False)
    registered: Sequence[Citizen] = field(repr=False)

    def agency(self, client_id: str) -> Signer:
        return Signer(self.house.client(client_id)["private_jwk"])


async def set_up(house: House, people: Path, *, passwords: int = PASSWORDS) -> Stage:
    """Registers clients, enrols people, lets some of them sign in and agree."""
    found = grown_ups(people)
    citizens = [citizen for citizen, _ in zip(found, range(SESSIONS + passwords + LOOKED_UP), strict=False)]
    signed_in, by_password = citizens[:SESSIONS], citizens[SESSIONS : SESSIONS + passwords]
    async with house.rooms() as parts:
        portal = Portal("bench-portal", await _register(parts, _portal("bench-portal", public=False)), REDIRECT)
        await _register(parts, _portal("bench-app", public=True))
        back_end = await _register(parts, _back_end("bench-back-end"))
        audience = lookup_audience(house.issuer)
        resource_server = await _register(parts, _back_end("bench-resource-server"), audiences=(audience,))
        await enrol(parts, [*signed_in, *by_password])
    await agree(house.port, portal, signed_in, f"{SCOPE} offline_access {SCHOOL}")
    return Stage(
        house=house,
        portal=portal,
        app=Portal("bench-app", "", REDIRECT),
        back_end=basic("bench-back-end", back_end),
        resource_server=basic("bench-resource-server", resource_server),
        signed_in=signed_in,
        by_password=by_password,
        registered=citizens[SESSIONS + passwords :] or citizens,
    )


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


@dataclass(frozen=True)
class PeerClients:
    """The same clients at the peer."""

    secret: str = field(default="0" * 43, repr=False)
    key: dict[str, str] = field(default_factory=new_private_jwk, repr=False)

    def registered(self) -> list[dict[str, Any]]:
        """As oidc-provider takes them."""
        code = {
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": [REDIRECT],
            "response_types": ["code"],
            "id_token_signed_response_alg": "ES256",
            "scope": f"{SCOPE} offline_access",
        }
        back = {"grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [], "scope": "lookup",
                "id_token_signed_response_alg": "ES256"}  # fmt: skip
        by_secret = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": self.secret}
        public = {name: self.key[name] for name in ("kty", "crv", "x", "y", "kid", "alg", "use")}
        by_key = {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": {"keys": [public]},
            "dpop_bound_access_tokens": True,
        }
        return [
            {"client_id": "bench-portal", **code, **by_secret},
            {"client_id": "bench-app", **code, "token_endpoint_auth_method": "none"},
            {"client_id": "bench-back-end", **back, **by_secret},
            {"client_id": "bench-agency", **back, **by_key},
            {"client_id": "bench-resource-server", **back, **by_secret},
        ]

    @property
    def portal(self) -> Portal:
        return Portal("bench-portal", self.secret, REDIRECT)

    @property
    def app(self) -> Portal:
        return Portal("bench-app", "", REDIRECT)


def _portal(client_id: str, *, public: bool) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "client_name": client_id,
        "scope": f"{SCOPE} offline_access {SCHOOL}",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none" if public else "client_secret_basic",
    }


def _back_end(client_id: str) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "client_name": client_id,
        "scope": "lookup",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_basic",
        "dpop_bound_access_tokens": False,
    }


async def _register(parts: Parts, metadata: dict[str, Any], *, audiences: Sequence[str] = ()) -> str:
    """The client's secret; "" for one without."""
    async with parts.get(Database).page() as tx:
        agency = await parts.get(Identity).agency(tx, code="H26.17")
        made = await parts.get(OpenIdProvider).register_client(
            tx,
            {name: value for name, value in metadata.items() if name != "client_id"},
            agency_id=agency.agency_id,
            agency_code=agency.code,
            by=OPERATOR,
            profile="standard",
            audiences=audiences,
            client_id=metadata["client_id"],
        )
    return made.secret or ""
