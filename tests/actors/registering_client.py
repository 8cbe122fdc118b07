"""A client that registers itself and manages its registration, over HTTP; every message can be bent."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from core.jose import SigningKey, sign_jwt
from oidc.registration import initial_tokens, software_statement
from oidc.registration.initial_tokens import NewToken
from oidc.registration.who import Who
from privacy.journal.api import NOBODY, Journal
from tests.support.client_certificates import NOW
from tests.support.provider_world import AGENCY, OPERATOR, SECOND_OPERATOR, ProviderWorld

PUBLISHER = "https://software.example"
DROP: Any = object()


def web_client(**changes: Any) -> dict[str, Any]:
    """Metadata of an ordinary portal; `changes` bend it, DROP leaves a member out."""
    host = f"https://{secrets.token_hex(6)}.example"
    told = {
        "client_name": "Cổng dịch vụ công",
        "redirect_uris": [f"{host}/cb"],
        "token_endpoint_auth_method": "client_secret_basic",
        "dinhdanh_profile": "standard",
        **changes,
    }
    return {name: value for name, value in told.items() if value is not DROP}


def fapi_client(**changes: Any) -> dict[str, Any]:
    key = SigningKey.generate("ES256")
    jwks = {"keys": [key.public().public_jwk()]}
    own = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks, "dinhdanh_profile": DROP}
    return web_client(**{**own, **changes})


async def new_token(world: ProviderWorld, profiles: Sequence[str] = ("fapi2", "standard"), **terms: Any) -> str:
    """An initial access token of the world's agency. seconded: somebody else stands behind it as well."""
    second = Who.of_ref(SECOND_OPERATOR) if terms.pop("seconded", False) else None
    agency_id = terms.pop("agency_id", world.agency_id)
    wanted = NewToken(agency_id, AGENCY, profiles, **{"uses": 50, "life": timedelta(days=1), **terms})
    async with world.database.raw() as tx:
        return await initial_tokens.issue(
            world.parts.get(Journal), world.clock, tx, wanted, by=Who.of_ref(OPERATOR), seconded_by=second
        )


async def trust_publisher(world: ProviderWorld, key: SigningKey, **terms: Any) -> None:
    jwks = {"keys": [key.public().public_jwk()]}
    async with world.database.raw() as tx:
        await software_statement.trust(
            world.parts.get(Journal), tx, PUBLISHER, jwks, by=Who.of_ref(OPERATOR), now=world.clock.now(), **terms
        )


def statement(key: SigningKey, typ: str | None = "JWT", **claims: Any) -> str:
    """Good for a year from the tests' now; `claims` bend it."""
    issued_at = int(NOW.timestamp())
    times = {"iat": issued_at, "exp": issued_at + 365 * 24 * 3600}
    told = {"iss": PUBLISHER, "software_id": "portal-kit", **times, **claims}
    return sign_jwt(key, {name: value for name, value in told.items() if value is not DROP}, typ=typ)


@dataclass
class Registration:
    """A registration as its client knows it."""

    http: httpx.AsyncClient
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/register/{self.told['client_id']}"

    @property
    def token(self) -> str:
        found: str = self.told["registration_access_token"]
        return found

    async def read(self, *, token: str | None = None, path: str | None = None) -> httpx.Response:
        return await self.http.get(path or self.path, headers=bearer(token or self.token))

    async def change(self, *, token: str | None = None, path: str | None = None, **changes: Any) -> httpx.Response:
        """Sends back what it has, as RFC 7592 §2.2 wants it, bent by `changes`; remembers a new token."""
        body = {name: value for name, value in {**self.told, **changes}.items() if value is not DROP}
        for name in _NOT_SENT:
            if name not in changes:
                body.pop(name, None)
        answer = await self.http.put(path or self.path, json=body, headers=bearer(token or self.token))
        if answer.status_code == 200:
            self.told = answer.json()
        return answer

    async def delete(self, *, token: str | None = None, path: str | None = None) -> httpx.Response:
        return await self.http.delete(path or self.path, headers=bearer(token or self.token))


_NOT_SENT = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def post(http: httpx.AsyncClient, token: str | None, metadata: Mapping[str, Any]) -> httpx.Response:
    return await http.post("/register", json=dict(metadata), headers=bearer(token) if token else {})


async def registered(
    world: ProviderWorld, metadata: Mapping[str, Any] | None = None, **token_terms: Any
) -> Registration:
    """A client that registered itself."""
    http = world.http()
    answer = await post(http, await new_token(world, **token_terms), metadata or web_client())
    assert answer.status_code == 201, answer.text
    return Registration(http, answer.json())


async def acts_of(world: ProviderWorld, client_id: str) -> list[str]:
    """Actions that the journal holds about a client, oldest first."""
    found = []
    async with world.database.raw_read() as tx:
        for line in await world.parts.get(Journal).about(tx, NOBODY, limit=500):
            if line.line.details.get("client") == client_id:
                found.append(line.line.action)
    return list(reversed(found))
