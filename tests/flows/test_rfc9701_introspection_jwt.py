"""RFC 9701: introspection answers as JWTs, signed, encrypted, for the one who asked."""

from typing import Any

import httpx
import pytest

from core.jose import VerificationKey, VerifiedJwt, decode_unverified, verify_signature
from oidc.api import lookup_audience, userinfo_audience
from tests.actors.jwe_reader import EncryptionKeyPair
from tests.actors.relying_party import RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

MEDIA_TYPE = "application/token-introspection+jwt"


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


async def tokens_of(world: ProviderWorld, portal: RelyingParty) -> dict[str, str]:
    attempt, got = await world.browser().walk(portal, scope="openid email offline_access")
    found: dict[str, str] = (await portal.exchange(attempt, got["code"])).json()
    return found


async def resource_server(world: ProviderWorld, audience: str | None = None, **changes: Any) -> RelyingParty:
    return await world.register(
        method="client_secret_basic",
        grant_types=["client_credentials"],
        dpop_bound_access_tokens=False,
        audiences=[audience or userinfo_audience(world.issuer)],
        **changes,
    )


async def asked(server: RelyingParty, token: str, accept: str | None = MEDIA_TYPE) -> httpx.Response:
    answer = await server.post("/introspect", {"token": token}, headers={} if accept is None else {"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def signed(world: ProviderWorld, answer: str) -> VerifiedJwt:
    """Checked as a resource server does, by the published keys."""
    published = (await world.http().get("/jwks")).json()["keys"]
    kid = decode_unverified(answer).header["kid"]
    key = next(VerificationKey.from_jwk(each) for each in published if each["kid"] == kid)
    return verify_signature(answer, key, typ={"token-introspection+jwt"})


async def test_who_accepts_a_jwt_gets_one(world: ProviderWorld, portal: RelyingParty) -> None:
    """§5: type, issuer, audience, time; nothing that would make it an access token."""
    tokens = await tokens_of(world, portal)
    server = await resource_server(world)
    answer = await asked(server, tokens["access_token"])
    assert answer.headers["content-type"] == MEDIA_TYPE
    verified = await signed(world, answer.text)
    assert verified.header["alg"] == "ES256"
    assert set(verified.claims) == {"iss", "aud", "iat", "token_introspection"}
    assert (verified.claims["iss"], verified.claims["aud"]) == (world.issuer, server.client_id)
    assert verified.claims["iat"] == int(world.clock.now().timestamp())
    told = verified.claims["token_introspection"]
    assert told == (await asked(server, tokens["access_token"], None)).json()
    assert (told["active"], told["client_id"]) == (True, portal.client_id)


async def test_it_is_minimised_to_the_one_who_asks(world: ProviderWorld, portal: RelyingParty) -> None:
    """Its own name for the person, and of the scopes those that mean something to it."""
    tokens = await tokens_of(world, portal)
    servers = [await resource_server(world, sector=sector) for sector in ("one.example", "two.example")]
    told = [(await asked(each, tokens["access_token"], None)).json() for each in servers]
    own = (await portal.userinfo(tokens["access_token"])).json()["sub"]
    assert len({own, *(each["sub"] for each in told)}) == 3
    assert told[0]["scope"] == "openid email"
    assert {"email", "name", "acr", "gid"}.isdisjoint(told[0])


async def test_inactive_says_nothing_more(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    server, other = await resource_server(world), await resource_server(world, lookup_audience(world.issuer))
    for each, token in ((other, tokens["access_token"]), (server, tokens["refresh_token"]), (server, "x")):
        verified = await signed(world, (await asked(each, token)).text)
        assert verified.claims["token_introspection"] == {"active": False}
        assert verified.claims["aud"] == each.client_id


@pytest.mark.parametrize(
    ("accept", "as_jwt"),
    [
        (None, False),
        ("*/*", False),
        ("application/*", False),
        ("application/json", False),
        ("application/jwt", False),
        (f"application/json, {MEDIA_TYPE}", True),
        (f"{MEDIA_TYPE};q=0.9, */*", True),
        (MEDIA_TYPE.upper(), True),
        (f"x{MEDIA_TYPE}", False),
    ],
)
async def test_what_the_accept_header_means(
    world: ProviderWorld, portal: RelyingParty, accept: str | None, as_jwt: bool
) -> None:
    server = await resource_server(world)
    answer = await asked(server, "x", accept)
    assert (answer.headers["content-type"] == MEDIA_TYPE) is as_jwt


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
async def test_who_registered_an_algorithm_gets_it_always(world: ProviderWorld, alg: str) -> None:
    server = await resource_server(world, introspection_signed_response_alg=alg)
    for accept in (None, "application/json", MEDIA_TYPE):
        verified = await signed(world, (await asked(server, "x", accept)).text)
        assert verified.header["alg"] == alg


async def test_who_registered_encryption_gets_nothing_in_clear(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal)
    held = EncryptionKeyPair.made("P-256")
    server = await resource_server(
        world,
        jwks={"keys": [held.jwk]},
        introspection_encrypted_response_alg="ECDH-ES",
        introspection_encrypted_response_enc="A256GCM",
    )
    for accept in (None, "application/json", MEDIA_TYPE):
        answer = await asked(server, tokens["access_token"], accept)
        assert answer.headers["content-type"] == MEDIA_TYPE
        opened = held.open(answer.text)
        assert (opened.header["cty"], opened.header["enc"]) == ("JWT", "A256GCM")
        verified = await signed(world, opened.content.decode())
        assert verified.claims["token_introspection"]["active"] is True


async def test_it_is_no_access_token_and_no_hint(world: ProviderWorld, portal: RelyingParty) -> None:
    """§8.1: cross-JWT confusion."""
    tokens = await tokens_of(world, portal)
    server = await resource_server(world)
    answer = (await asked(server, tokens["access_token"])).text
    assert (await portal.userinfo(answer)).status_code == 401
    assert (await asked(server, answer, None)).json() == {"active": False}
    hinted = await portal.http.get(portal.ask(id_token_hint=answer).url)
    assert "error=invalid_request" in hinted.headers.get("location", "")


async def test_the_metadata_names_what_there_is(world: ProviderWorld) -> None:
    document = (await world.http().get("/.well-known/openid-configuration")).json()
    assert document["introspection_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA"]
    assert "ECDH-ES" in document["introspection_encryption_alg_values_supported"]
    assert "A256GCM" in document["introspection_encryption_enc_values_supported"]
    for changes in (
        {"introspection_signed_response_alg": "RS256"},
        {"introspection_signed_response_alg": "none"},
        {"introspection_encrypted_response_alg": "RSA1_5"},
        {"introspection_encrypted_response_alg": "ECDH-ES"},  # without a key
        {"introspection_encrypted_response_enc": "A256GCM"},  # without an algorithm
    ):
        with pytest.raises(Exception, match="invalid-client-metadata"):
            await resource_server(world, None, **changes)
