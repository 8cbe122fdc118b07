"""The suite as a client that registers itself: what it sends, and the flow with what it gets.

An operator has made its initial access token (docs/clients.md), for `openid-core` and by two people, as
`dinhdanh clients token issue --profile openid-core --seconded-by …` does.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from core.database import Database
from core.jose import SigningKey
from oidc.api import NewToken, Who
from oidc.registration import initial_tokens
from privacy.journal.api import ActorRef, Journal
from service.sandbox_conformance import DEFAULT_REDIRECT
from service.sandbox_guide import ClientGuide
from service.sandbox_world import EDUCATION
from tests.actors.relying_party import DROP, RelyingParty
from tests.conformance.suite import Conformance
from tests.support.furnished import Furnished

PROFILE = "openid-core"
REDIRECT = DEFAULT_REDIRECT
NOBODY_YET = ClientGuide("", "", "", PROFILE, "", None, None, (), (), (), (), False)


async def initial_access_token(furnished: Furnished) -> str:
    """Good for many registrations, since every module makes one."""
    parts = furnished.web
    database = parts.get(Database)
    async with database.raw() as tx:
        agency_id = await tx.conn.fetchval("SELECT agency_id FROM identity.agencies WHERE code = $1", EDUCATION)
        return await initial_tokens.issue(
            parts.get(Journal),
            furnished.clock,
            tx,
            NewToken(agency_id, EDUCATION, (PROFILE,), uses=100),
            by=Who.of_ref(ActorRef("operator", "suite")),
            seconded_by=Who.of_ref(ActorRef("operator", "second")),
        )


@dataclass
class Registering(Conformance):
    """key: with which it proves itself, ES256: RS256, which the suite takes for that, is refused in every profile."""

    token: str = ""
    method: str = "private_key_jwt"
    key: SigningKey = field(default_factory=lambda: SigningKey.generate("ES256"))
    told: dict[str, Any] = field(default_factory=dict)

    def metadata(self, **changes: Any) -> dict[str, Any]:
        """What every module registers; `changes` bend it."""
        told = {
            "client_name": f"Conformance {secrets.token_hex(4)}",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "jwks": {"keys": [self.key.public().public_jwk()]},
            "token_endpoint_auth_method": self.method,
            "redirect_uris": [REDIRECT],
            "contacts": ["suite@conformance.example"],
            **changes,
        }
        return {name: value for name, value in told.items() if value is not DROP}

    async def register(self, **changes: Any) -> httpx.Response:
        endpoint = (await self.http.get("/.well-known/openid-configuration")).json()["registration_endpoint"]
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.http.post(endpoint, json=self.metadata(**changes), headers=headers)

    async def registered(self, **changes: Any) -> dict[str, Any]:
        """A registration that is taken, as RFC 7591 §3.2.1 answers; from here on it is this client."""
        answer = await self.register(**changes)
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        self.told = answer.json()
        assert "error" not in self.told
        assert self.told["registration_client_uri"].startswith(f"{self.issuer}/")
        assert self.told["registration_access_token"]
        assert ("client_secret" in self.told) == (self.method != "private_key_jwt")
        assert ("client_secret" in self.told) == ("client_secret_expires_at" in self.told)
        self.client = ClientGuide(
            client_id=self.told["client_id"],
            name=self.told["client_name"],
            agency=EDUCATION,
            profile=PROFILE,
            auth_method=self.method,
            client_secret=self.told.get("client_secret"),
            private_jwk=None,
            redirect_uris=tuple(self.told["redirect_uris"]),
            post_logout_redirect_uris=(),
            grant_types=tuple(self.told["grant_types"]),
            scopes=("openid",),
            dpop_bound=False,
        )
        return self.told

    async def refused(self, **changes: Any) -> str:
        """RFC 7591 §3.2.2."""
        answer = await self.register(**changes)
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"].split(";")[0] == "application/json"
        return str(answer.json()["error"])

    @property
    def party(self) -> RelyingParty:
        """Makes its assertions."""
        return RelyingParty(
            self.http,
            self.furnished.clock,
            self.issuer,
            self.client.client_id,
            method="private_key_jwt",
            key=self.key,
        )

    async def post(self, params: Any, path: str = "/token") -> httpx.Response:
        if self.method == "private_key_jwt":
            return await self.party.post(path, params)
        return await super().post(params, path)

    async def unregister(self) -> None:
        """What the suite does at the end: 204, and the client is gone."""
        if not self.told:
            return
        headers = {"Authorization": f"Bearer {self.told['registration_access_token']}"}
        address = self.told["registration_client_uri"]
        assert (await self.http.delete(address, headers=headers)).status_code == 204
        assert (await self.http.get(address, headers=headers)).status_code == 401


@asynccontextmanager
async def registering(furnished: Furnished, token: str, **how: Any) -> AsyncIterator[Registering]:
    """A client of the suite that is about to register; unregistered at the end."""
    async with furnished.browser() as browser:
        made = Registering(furnished, browser, NOBODY_YET, furnished.persona("An"), token=token, **how)
        yield made
        await made.unregister()
