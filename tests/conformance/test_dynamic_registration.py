"""oidcc-dynamic-certification-test-plan: the modules for the code flow, private_key_jwt (23 modules).

Other than in the suite the clients prove themselves by ES256; docs/conformance.md says what fails therefore.
"""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from core.database import Database
from core.jose import SigningKey, VerificationKey, decode_unverified, verify_signature
from oidc.api import KEY_ALGORITHMS, OpenIdProvider
from privacy.journal.api import ActorRef
from service.signing_keys import key_acts
from tests.actors.relying_party import DROP
from tests.conformance.called import SuiteServer, furnished, suite_server
from tests.conformance.certified import certified_template
from tests.conformance.registering import REDIRECT, Registering, initial_access_token, registering
from tests.conformance.suite import DISCOVERY
from tests.support.furnished import Furnished
from tests.support.other_servers import answers

__all__ = ["certified_template", "furnished", "suite_server"]

WITH_QUERY = f"{REDIRECT}?bar=foo"


@pytest.fixture(scope="module")
async def token(furnished: Furnished) -> str:
    return await initial_access_token(furnished)


@pytest.fixture
async def client(furnished: Furnished, suite_server: SuiteServer, token: str) -> AsyncIterator[Registering]:
    suite_server.server.asked.clear()
    async with registering(furnished, token) as made:
        yield made


def shows(suite_server: SuiteServer, document: Any) -> None:
    """What the suite answers when it is asked for a document."""
    suite_server.server.answering = answers(json.dumps(document).encode())


def key_set(*keys: SigningKey) -> dict[str, Any]:
    return {"keys": [key.public().public_jwk() for key in keys]}


async def error_page(client: Registering, **changes: Any) -> str:
    """No redirect is safe: the person sees why. What the page says."""
    page = await client.open(client.request(**changes))
    assert page.status == 400
    assert "location" not in page.response.headers
    assert 'id="error-message"' in page.text
    return page.text


# --- answers of a client's own choice -------------------------------------------------------------------------------


async def test_oidcc_idtoken_rs256(client: Registering) -> None:
    await client.registered(id_token_signed_response_alg="RS256")
    tokens = await client.tokens(client.request())
    header = decode_unverified(tokens["id_token"]).header
    assert header["alg"] == "RS256"
    assert header["kid"]


async def test_oidcc_idtoken_unsigned(client: Registering) -> None:
    """Skipped by the suite, since discovery has no `none`; who registers it all the same is refused."""
    metadata = (await client.http.get(DISCOVERY)).json()
    assert "none" not in metadata["id_token_signing_alg_values_supported"]
    assert await client.refused(id_token_signed_response_alg="none") == "invalid_client_metadata"


async def test_oidcc_userinfo_rs256(client: Registering) -> None:
    metadata = (await client.http.get(DISCOVERY)).json()
    assert "RS256" in metadata["userinfo_signing_alg_values_supported"]
    await client.registered(userinfo_signed_response_alg="RS256")
    tokens = await client.tokens(client.request())
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    for method in ("GET", "POST"):
        answer = await client.http.request(method, "/userinfo", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == "application/jwt"
        header = decode_unverified(answer.text).header
        assert header["alg"] == "RS256"
        (key,) = [key for key in (await client.http.get("/jwks")).json()["keys"] if key["kid"] == header["kid"]]
        claims = verify_signature(answer.text, VerificationKey.from_jwk(key), typ=None).claims
        assert claims["iss"] == client.issuer
        assert claims["aud"] in (client.client.client_id, [client.client.client_id])
        assert claims["sub"] == tokens["claims"]["sub"]
        assert "nonce" not in claims


# --- redirect addresses ---------------------------------------------------------------------------------------------


async def test_oidcc_ensure_redirect_uri_in_authorization_request(client: Registering) -> None:
    """Of two registered ones we do not choose. The suite has two hosts, refused without a sector."""
    elsewhere = "https://example.org/redirect"
    assert await client.refused(redirect_uris=[REDIRECT, elsewhere]) == "invalid_client_metadata"
    await client.registered(redirect_uris=[REDIRECT, WITH_QUERY])
    assert "redirect_uri" in await error_page(client, redirect_uri=DROP)


async def test_oidcc_redirect_uri_query_ok(client: Registering) -> None:
    await client.registered(redirect_uris=[WITH_QUERY])
    await client.userinfo(await client.tokens(client.request()))  # `callback` wants the query back


async def test_oidcc_redirect_uri_query_mismatch(client: Registering) -> None:
    await client.registered(redirect_uris=[WITH_QUERY])
    assert "redirect_uri" in await error_page(client, redirect_uri=f"{REDIRECT}?bar=bar")


async def test_oidcc_redirect_uri_query_added(client: Registering) -> None:
    await client.registered()
    assert "redirect_uri" in await error_page(client, redirect_uri=WITH_QUERY)


async def test_oidcc_redirect_uri_regfrag(client: Registering) -> None:
    """Any other error is a warning."""
    error = await client.refused(redirect_uris=[f"{REDIRECT}#fragment"])
    assert error in {"invalid_redirect_uri", "invalid_client_metadata"}


# --- the registration -----------------------------------------------------------------------------------------------


async def test_oidcc_discovery_endpoint_verification(client: Registering) -> None:
    """As in the Config plan (test_oidcc_config.py), and an address to register at."""
    assert (await client.http.get(DISCOVERY)).json()["registration_endpoint"].startswith(f"{client.issuer}/")


async def test_oidcc_server(client: Registering) -> None:
    await client.registered()
    await client.userinfo(await client.tokens(client.request()))


@pytest.mark.parametrize("member", ["logo_uri", "policy_uri", "tos_uri"])
async def test_oidcc_registration_logo_policy_and_tos_uri(client: Registering, member: str) -> None:
    """oidcc-registration-logo-uri, …-policy-uri, …-tos-uri: kept, and the request leads to the sign-in page, which the
    suite keeps for a person to look at."""
    address = REDIRECT.replace("callback", member)
    assert (await client.registered(**{member: address}))[member] == address
    page = await client.open(client.request())
    assert page.path == "/signin"
    assert client.told["client_name"] in page.text


async def test_oidcc_registration_jwks_uri(client: Registering, suite_server: SuiteServer) -> None:
    shows(suite_server, key_set(client.key))
    await client.registered(jwks=DROP, jwks_uri=f"{suite_server.base}/client1_jwks")
    await client.userinfo(await client.tokens(client.request()))
    assert suite_server.server.asked[-1].path.endswith("/client1_jwks")


async def test_oidcc_registration_sector_uri(client: Registering, suite_server: SuiteServer) -> None:
    shows(suite_server, [REDIRECT])
    sector = f"{suite_server.base}/redirect_uris.json"
    told = await client.registered(subject_type="pairwise", sector_identifier_uri=sector)
    assert told["sector_identifier_uri"] == sector
    assert suite_server.server.asked[-1].path.endswith("/redirect_uris.json")


async def test_oidcc_registration_sector_bad(client: Registering, suite_server: SuiteServer) -> None:
    """Our address is not in the document; another error would be a warning."""
    shows(suite_server, ["https://example.com/op"])
    sector = f"{suite_server.base}/redirect_uris.json"
    assert await client.refused(subject_type="pairwise", sector_identifier_uri=sector) == "invalid_client_metadata"


# --- keys that change -----------------------------------------------------------------------------------------------


async def test_oidcc_server_rotate_keys(client: Registering, furnished: Furnished) -> None:
    """Between two looks an operator exchanges our keys: new ones are there, the old ones still."""
    before = {key["kid"]: key for key in (await client.http.get("/jwks")).json()["keys"]}
    async with furnished.worker.get(Database).raw() as tx:
        await key_acts(furnished.worker).rotate(tx, KEY_ALGORITHMS, by=ActorRef("operator", "suite"))
    await furnished.web.get(OpenIdProvider).foundation.load()
    after = {key["kid"]: key for key in (await client.http.get("/jwks")).json()["keys"]}
    assert set(before) < set(after)
    coordinates = {key.get("n") or key["x"] for key in before.values()}
    for kid in set(after) - set(before):
        VerificationKey.from_jwk(after[kid])
        assert (after[kid].get("n") or after[kid]["x"]) not in coordinates


async def test_oidcc_refresh_token_rp_key_rotation(client: Registering, suite_server: SuiteServer) -> None:
    """Its key set changes; a minute later it proves itself by the new key."""
    shows(suite_server, key_set(client.key))
    await client.registered(
        jwks=DROP,
        jwks_uri=f"{suite_server.base}/client1_jwks",
        grant_types=["authorization_code", "refresh_token"],
        scope="openid offline_access",
    )
    request = client.request(scope="openid offline_access", prompt="consent")
    first = await client.tokens(request)
    client.key = SigningKey.generate("ES256")
    shows(suite_server, key_set(client.key))
    client.furnished.clock.advance(timedelta(seconds=60))
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    renewed = client.token_response(await client.post(form))
    claims = await client.id_token(renewed["id_token"], request, renewed["access_token"], nonce=False)
    assert all(claims[name] == first["claims"][name] for name in ("iss", "sub", "aud", "auth_time"))
    assert claims["iat"] > first["claims"]["iat"]


# --- requests as objects, refresh, assertions -----------------------------------------------------------------------


async def test_oidcc_request_uri_unsigned(client: Registering) -> None:
    """Skipped: `none` is not announced."""
    metadata = (await client.http.get(DISCOVERY)).json()
    assert "none" not in metadata["request_object_signing_alg_values_supported"]


async def test_oidcc_request_uri_signed_rs256(client: Registering) -> None:
    """Fails in the suite: discovery says that we fetch no request, and so it is. By value RS256 is taken."""
    metadata = (await client.http.get(DISCOVERY)).json()
    assert metadata["request_uri_parameter_supported"] is False
    key = SigningKey.generate("RS256")
    await client.registered(request_object_signing_alg="RS256", jwks=key_set(client.key, key))
    request = client.request(request_uri=REDIRECT.replace("callback", "requestobject.jwt"))
    assert await client.error(request) == "request_uri_not_supported"
    request = client.request()
    claims: dict[str, Any] = {**request.params}
    object_ = client.party.request_object(key=key, **claims)
    page = await client.browser.open(
        "/authorize",
        **{name: request.params[name] for name in ("client_id", "response_type", "scope")},
        request=object_,
    )
    assert "code" in client.callback(await client.agree(page), request)


async def test_oidcc_ensure_request_object_with_redirect_uri(client: Registering) -> None:
    """Skipped, since no unsigned object is taken; the address beside one counts for nothing."""
    await client.registered()
    params = client.request().params
    header, claims = (
        base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in ({"alg": "none"}, params)
    )
    await error_page(client, redirect_uri=f"{REDIRECT}/bad", request=f"{header}.{claims}.")


async def test_oidcc_refresh_token(client: Registering, furnished: Furnished, token: str) -> None:
    """Renewed by the client it was given to, and by no other."""
    terms = {"grant_types": ["authorization_code", "refresh_token"], "scope": "openid offline_access"}
    await client.registered(**terms)
    request = client.request(scope="openid offline_access", prompt="consent")
    first = await client.tokens(request)
    client.furnished.clock.advance(timedelta(seconds=1))
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    renewed = client.token_response(await client.post(form))
    claims = await client.id_token(renewed["id_token"], request, renewed["access_token"], nonce=False)
    assert all(claims[name] == first["claims"][name] for name in ("iss", "sub", "aud", "auth_time"))
    async with registering(furnished, token) as other:
        await other.registered(**terms)
        answer = await other.post({**form, "refresh_token": renewed.get("refresh_token", first["refresh_token"])})
        assert other.token_error(answer) == "invalid_grant"


@pytest.mark.parametrize("audience", ["issuer", "token endpoint"])
async def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(client: Registering, audience: str) -> None:
    """The issuer, which this module sends, and the address, which the others do."""
    await client.registered()
    request = client.request()
    code = await client.code(request)
    address = client.issuer if audience == "issuer" else f"{client.issuer}/token"
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": client.party.assertion(aud=address),
    }
    client.token_response(await client.http.post("/token", data=form))


async def test_the_suites_own_key_is_refused(client: Registering) -> None:
    """RS256 for assertions (RFC 8725 §3.1): why the plan's modules stop at the token endpoint."""
    rsa = SigningKey.generate("RS256")
    await client.registered(jwks=key_set(rsa))
    client.key = rsa
    answer = await client.redeem(request := client.request(), await client.code(request))
    assert (answer.status_code, client.token_error(answer)) == (401, "invalid_client")
