"""OpenID Connect Core §10.2, §5.3.2: id_tokens and userinfo, signed and encrypted as the client registered."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from core.jose import VerificationKey, VerifiedJwt, decode_unverified, verify_signature
from tests.actors.jwe_reader import EncryptionKeyPair
from tests.actors.relying_party import RelyingParty
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

HELD = {kind: EncryptionKeyPair.made(kind) for kind in ("P-256", "X25519", "RSA")}
KINDS = [("ECDH-ES", "P-256"), ("ECDH-ES+A256KW", "X25519"), ("RSA-OAEP-256", "RSA")]


async def portal_with(world: ProviderWorld, held: EncryptionKeyPair | None = None, **changes: Any) -> RelyingParty:
    told: dict[str, Any] = {} if held is None else {"jwks": {"keys": [held.jwk]}}
    return await world.register(**{**told, **changes})


async def tokens_of(world: ProviderWorld, portal: RelyingParty, **changes: Any) -> dict[str, Any]:
    attempt, got = await world.browser().walk(portal, scope="openid email offline_access", **changes)
    answer = await portal.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def signed(world: ProviderWorld, token: str, typ: set[str] | None) -> VerifiedJwt:
    published = (await world.http().get("/jwks")).json()["keys"]
    kid = decode_unverified(token).header["kid"]
    key = next(VerificationKey.from_jwk(each) for each in published if each["kid"] == kid)
    return verify_signature(token, key, typ=typ)


# --- id_tokens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("alg", "kind"), KINDS)
@pytest.mark.parametrize("enc", [None, "A128GCM", "A256CBC-HS512"])
async def test_an_id_token_is_signed_then_encrypted(world: ProviderWorld, alg: str, kind: str, enc: str | None) -> None:
    named = {} if enc is None else {"id_token_encrypted_response_enc": enc}
    portal = await portal_with(world, HELD[kind], id_token_encrypted_response_alg=alg, **named)
    tokens = await tokens_of(world, portal)
    opened = HELD[kind].open(tokens["id_token"])
    # Registration §2: the default of the content encryption.
    assert (opened.header["alg"], opened.header["enc"]) == (alg, enc or "A128CBC-HS256")
    assert opened.header["cty"] == "JWT"
    claims = (await signed(world, opened.content.decode(), {"JWT"})).claims
    assert (claims["aud"], claims["nonce"]) == (portal.client_id, portal.attempts[-1].nonce)
    fresh = (await portal.refresh(tokens["refresh_token"])).json()
    assert b"." in HELD[kind].open(fresh["id_token"]).content


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "RS256"])
async def test_the_client_chooses_what_signs_it(world: ProviderWorld, alg: str) -> None:
    portal = await portal_with(world, id_token_signed_response_alg=alg)
    verified = await signed(world, (await tokens_of(world, portal))["id_token"], {"JWT"})
    assert verified.header["alg"] == alg


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
async def test_the_client_chooses_what_signs_its_access_tokens(world: ProviderWorld, alg: str) -> None:
    """RFC 9068; never RS256 nor anything symmetric (case 38)."""
    portal = await portal_with(world, access_token_signing_alg=alg)
    token = (await tokens_of(world, portal))["access_token"]
    assert (await signed(world, token, {"at+jwt"})).header["alg"] == alg
    assert (await portal.userinfo(token)).status_code == 200
    for other in ("RS256", "HS256", "none"):
        with pytest.raises(Exception, match="invalid-client-metadata"):
            await portal_with(world, access_token_signing_alg=other)


async def test_without_a_key_nothing_is_spent(world: ProviderWorld) -> None:
    """The key is looked for before the code is: a client that mends its set in time can still redeem it."""
    portal = await portal_with(world, HELD["P-256"], id_token_encrypted_response_alg="ECDH-ES")
    attempt, got = await world.browser().walk(portal)
    await _set_keys(world, portal, [HELD["RSA"].jwk])
    answer = await portal.exchange(attempt, got["code"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    await _set_keys(world, portal, [HELD["P-256"].jwk])
    assert (await portal.exchange(attempt, got["code"])).status_code == 200


# --- userinfo ------------------------------------------------------------------------------------------------


async def test_plain_by_default(world: ProviderWorld) -> None:
    portal = await portal_with(world)
    answer = await portal.userinfo((await tokens_of(world, portal))["access_token"])
    assert answer.headers["content-type"] == "application/json"
    assert {"iss", "aud"}.isdisjoint(answer.json())


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "RS256"])
async def test_signed(world: ProviderWorld, alg: str) -> None:
    """§5.3.2: with iss and aud; and never to be taken for an id_token of ours."""
    portal = await portal_with(world, userinfo_signed_response_alg=alg)
    tokens = await tokens_of(world, portal)
    answer = _jwt(await portal.userinfo(tokens["access_token"]))
    verified = await signed(world, answer, None)
    assert "typ" not in verified.header
    assert verified.header["alg"] == alg
    claims = verified.claims
    assert (claims["iss"], claims["aud"]) == (world.issuer, portal.client_id)
    assert claims["sub"] == decode_unverified(tokens["id_token"]).claims["sub"]
    assert claims["email"]
    assert (await portal.userinfo(answer)).status_code == 401
    hinted = await portal.http.get(portal.ask(id_token_hint=answer).url)
    assert "error=invalid_request" in hinted.headers.get("location", "")


@pytest.mark.parametrize(("alg", "kind"), KINDS)
async def test_encrypted_alone(world: ProviderWorld, alg: str, kind: str) -> None:
    portal = await portal_with(world, HELD[kind], userinfo_encrypted_response_alg=alg)
    tokens = await tokens_of(world, portal)
    opened = HELD[kind].open(_jwt(await portal.userinfo(tokens["access_token"])))
    assert "cty" not in opened.header
    assert orjson.loads(opened.content)["sub"] == decode_unverified(tokens["id_token"]).claims["sub"]


async def test_signed_then_encrypted(world: ProviderWorld) -> None:
    portal = await portal_with(
        world,
        HELD["P-256"],
        userinfo_signed_response_alg="PS256",
        userinfo_encrypted_response_alg="ECDH-ES",
        userinfo_encrypted_response_enc="A256GCM",
    )
    tokens = await tokens_of(world, portal)
    opened = HELD["P-256"].open(_jwt(await portal.userinfo(tokens["access_token"])))
    assert (opened.header["cty"], opened.header["enc"]) == ("JWT", "A256GCM")
    assert (await signed(world, opened.content.decode(), None)).claims["aud"] == portal.client_id


async def test_what_cannot_be_encrypted_is_not_told_and_not_journalled(world: ProviderWorld) -> None:
    portal = await portal_with(world, HELD["P-256"], userinfo_encrypted_response_alg="ECDH-ES")
    token = (await tokens_of(world, portal))["access_token"]
    _jwt(await portal.userinfo(token))
    before = len(await _told(world))
    await _set_keys(world, portal, [HELD["RSA"].jwk])
    answer = await portal.userinfo(token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert len(await _told(world)) == before


async def test_many_at_once(world: ProviderWorld) -> None:
    portal = await portal_with(world, HELD["P-256"], userinfo_encrypted_response_alg="ECDH-ES")
    token = (await tokens_of(world, portal))["access_token"]
    answers = await asyncio.gather(*(portal.userinfo(token) for _ in range(12)))
    opened = [HELD["P-256"].open(_jwt(each)) for each in answers]
    assert len({each.header["epk"]["x"] for each in opened}) == 12
    assert len({each.content for each in opened}) == 1


async def test_the_metadata_names_what_there_is(world: ProviderWorld) -> None:
    document = (await world.http().get("/.well-known/openid-configuration")).json()
    for what in ("id_token", "userinfo"):
        assert document[f"{what}_encryption_alg_values_supported"] == ["ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256"]
        assert "A128CBC-HS256" in document[f"{what}_encryption_enc_values_supported"]
    assert document["userinfo_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA", "RS256"]
    for changes in (
        {"id_token_encrypted_response_alg": "RSA1_5"},
        {"id_token_encrypted_response_alg": "dir"},
        {"userinfo_signed_response_alg": "none"},
        {"userinfo_signed_response_alg": "HS256"},
        {"userinfo_encrypted_response_alg": "RSA-OAEP-256"},  # the key does not fit
    ):
        with pytest.raises(Exception, match="invalid-client-metadata"):
            await portal_with(world, HELD["P-256"], **changes)


def _jwt(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwt"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


async def _set_keys(world: ProviderWorld, portal: RelyingParty, keys: list[dict[str, Any]]) -> None:
    """As if the client had changed its registered set."""
    async with world.owner.raw() as tx:
        await tx.conn.execute(
            "UPDATE oidc.clients SET jwks = $1, changed_at = changed_at + interval '1 second' WHERE client_id = $2",
            {"keys": keys},
            portal.client_id,
        )
    world.provider.foundation.clients.forget_all()


async def _told(world: ProviderWorld) -> list[Any]:
    return [line for line in await world.lines("An") if line.line.action == "oidc.userinfo"]
