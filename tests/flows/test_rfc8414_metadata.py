"""RFC 8414 and OpenID Connect Discovery: the document says what is true (security cases 19, 37, 38, 64)."""

from datetime import timedelta

import pytest

from core.jose import decode_unverified
from oidc.api import validate_provider_metadata
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

DISCOVERY = "/.well-known/openid-configuration"


async def test_the_document(world: ProviderWorld) -> None:
    answer = await world.http().get(DISCOVERY, headers={"Origin": "https://any.example"})
    document = answer.json()
    validate_provider_metadata({**document, **_as_https(document)})
    assert document["issuer"] == world.issuer
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["response_types_supported"] == ["code"]
    assert document["subject_types_supported"] == ["pairwise"]
    algorithms = str([value for name, value in document.items() if "alg" in name])
    assert "none" not in algorithms
    assert "HS" not in algorithms
    alias = await world.http().get("/.well-known/oauth-authorization-server")
    assert alias.json() == document


async def test_every_named_endpoint_is_there(world: ProviderWorld) -> None:
    document = (await world.http().get(DISCOVERY)).json()
    for name, url in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert url.startswith(world.issuer)
            answer = await world.http().get(url.removeprefix(world.issuer))
            assert answer.status_code in {200, 400, 401, 405}, name


async def test_the_published_keys(world: ProviderWorld) -> None:
    """Case 37."""
    answer = await world.http().get("/jwks", headers={"Origin": "https://any.example"})
    keys = answer.json()["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "PS256", "EdDSA", "RS256"}
    assert len({key["kid"] for key in keys}) == len(keys)
    assert all(key["use"] == "sig" for key in keys)
    assert not any(member in key for key in keys for member in ("d", "p", "q", "dp", "dq", "qi", "k"))
    rows = await world.fetch("SELECT sealed FROM oidc.signing_keys")
    assert rows
    assert not any(b"kty" in row["sealed"] or b'"d"' in row["sealed"] for row in rows)


async def test_who_may_read_across_origins(world: ProviderWorld) -> None:
    """Case 64: discovery and keys; nothing that has to do with a person or a client."""
    http = world.http()
    for path in (DISCOVERY, "/.well-known/oauth-authorization-server", "/jwks"):
        answer = await http.get(path, headers={"Origin": "https://any.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "max-age" in answer.headers["cache-control"]
    for method, path in (("POST", "/token"), ("GET", "/userinfo"), ("POST", "/par"), ("OPTIONS", "/token")):
        answer = await http.request(method, path, headers={"Origin": "https://any.example"})
        assert "access-control-allow-origin" not in answer.headers


async def test_keys_overlap(world: ProviderWorld) -> None:
    """Case 37: a new key is known before it signs, the old one stays after it."""
    keys = world.provider.foundation.keys
    old = keys.signing("ES256").kid
    async with world.database.raw() as tx:
        new = await keys.add(tx, "ES256", signs_in=timedelta(hours=1))
    await keys.refresh(world.database)
    assert {old, new} <= {key["kid"] for key in keys.jwks()["keys"]}
    assert keys.signing("ES256").kid == old
    portal = await world.register()
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    world.clock.advance(timedelta(hours=1))
    assert keys.signing("ES256").kid == new
    attempt, got = await world.browser().walk(portal)
    answer = (await portal.exchange(attempt, got["code"])).json()
    assert decode_unverified(answer["access_token"]).header["kid"] == new
    assert decode_unverified(token).header["kid"] == old
    assert {old, new} <= {key["kid"] for key in keys.jwks()["keys"]}
    assert (await portal.userinfo(answer["access_token"])).status_code == 200


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
async def test_an_id_token_has_the_clients_algorithm(world: ProviderWorld, alg: str) -> None:
    """Case 38."""
    portal = await world.register(id_token_signed_response_alg=alg)
    attempt, got = await world.browser().walk(portal)
    tokens = (await portal.exchange(attempt, got["code"])).json()
    assert decode_unverified(tokens["id_token"]).header["alg"] == alg
    assert decode_unverified(tokens["id_token"]).header["typ"] == "JWT"
    assert decode_unverified(tokens["access_token"]).header["alg"] == "ES256"
    assert decode_unverified(tokens["access_token"]).header["typ"] == "at+jwt"


def _as_https(document: dict[str, object]) -> dict[str, object]:
    """The sandbox is plain http on the loopback host; the rule of the RFC is about https."""
    return {
        name: value.replace("http://localhost:8000", "https://id.example", 1)
        for name, value in document.items()
        if isinstance(value, str)
    }
