"""RFC 9068: access tokens as JWTs: what they say, by which key, and what a resource takes for one (cases 23, 34, 38).

Who they are for: test_rfc8707_resource.py. Which process made them: test_userinfo_tokens.py.
"""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import orjson
import pytest

from core.jose import SigningKey, VerificationKey, decode_unverified, sign_jwt, verify_jwt
from population_db.synthetic.personas import persona
from tests.actors.agency import RECORDS, AgencyBackend
from tests.actors.relying_party import DROP, RelyingParty, answer_of, forged_jwt
from tests.support.challenges import errors_of
from tests.support.provider_fixture import world
from tests.support.provider_world import SCHOOL, ProviderWorld
from tests.support.token_answers import tokens_of

__all__ = ["world"]

REQUIRED = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}
DETAILS = orjson.dumps([{"type": "consented_lookup", "purpose": SCHOOL, "fields": ["full_name"]}]).decode()


async def back_end(world: ProviderWorld, **changes: Any) -> RelyingParty:
    return await world.register(method="private_key_jwt", grant_types=["client_credentials"], **changes)


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    return dict(decode_unverified(tokens["access_token"]).claims)


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


# --- what a token says (§2) --------------------------------------------------------------------------------


async def test_a_persons_token(world: ProviderWorld, portal: RelyingParty) -> None:
    """§2.2; §6: it lies open before the client, so it holds nothing of the person but a pseudonym."""
    tokens = await tokens_of(world, portal, scope="openid profile email")
    token = decode_unverified(tokens["access_token"])
    assert set(token.header) == {"typ", "alg", "kid"}
    assert (token.header["typ"], token.header["alg"]) == ("at+jwt", "ES256")
    assert set(token.claims) == REQUIRED | {"scope", "gid"}
    now = int(world.clock.now().timestamp())
    assert (token.claims["iss"], token.claims["aud"]) == (world.issuer, f"{world.issuer}/userinfo")
    assert (token.claims["iat"], token.claims["exp"]) == (now, now + tokens["expires_in"])
    assert (token.claims["client_id"], token.claims["scope"]) == (portal.client_id, "openid profile email")
    subject = (await portal.userinfo(tokens["access_token"])).json()["sub"]
    assert token.claims["sub"] == subject == decode_unverified(tokens["id_token"]).claims["sub"]
    assert subject != portal.client_id
    assert persona("An").number not in str(token.claims)


async def test_a_back_ends_own_token_names_the_client(world: ProviderWorld) -> None:
    """§2.2: no person stands behind it. §5: its name is ours to give, so that it never is a person's."""
    party = await back_end(world)
    claims = claims_of((await party.client_credentials()).json())
    assert set(claims) == REQUIRED | {"scope", "gid"}
    assert claims["sub"] == claims["client_id"] == party.client_id
    assert (claims["aud"], claims["scope"]) == (f"{world.issuer}/api/lookup", "lookup")


async def test_each_token_has_its_own_name_and_times(world: ProviderWorld, portal: RelyingParty) -> None:
    """§2.2: `jti` and `iat`; all the rest stays as the person decided it."""
    first = await tokens_of(world, portal, scope="openid offline_access")
    world.clock.advance(timedelta(seconds=7))
    refreshed = [(await portal.refresh(first["refresh_token"])).json() for _ in range(2)]
    told = [claims_of(tokens) for tokens in (first, *refreshed)]
    assert len({each["jti"] for each in told}) == 3
    assert [each["iat"] - told[0]["iat"] for each in told] == [0, 7, 7]
    assert [each["exp"] - each["iat"] for each in told] == [first["expires_in"]] * 3
    for name in ("iss", "aud", "sub", "client_id", "scope"):
        assert len({each[name] for each in told}) == 1, name


async def test_a_scope_means_something_at_the_audience(world: ProviderWorld) -> None:
    """§2.2.3: every word of it. What is for the token endpoint, or for another resource, is not in it."""
    portal = await world.register(dpop=True, authorization_details_types=["consented_lookup"])
    both = [f"{world.issuer}/userinfo", f"{world.issuer}/api/lookup"]
    asked = {"scope": "openid email offline_access", "authorization_details": DETAILS, "resource": both}
    tokens = await tokens_of(world, portal, **asked)
    assert claims_of(tokens)["scope"] == "openid email"
    assert tokens["scope"] == "openid email offline_access"
    for_lookups = (await portal.refresh(tokens["refresh_token"], resource=both[1])).json()
    assert claims_of(for_lookups)["aud"] == both[1]
    assert "scope" not in claims_of(for_lookups)
    agency = AgencyBackend(portal, SCHOOL, "1.001667", "consent", token=for_lookups["access_token"])
    question = agency.question(fields=["full_name"])
    question.pop("person")
    assert (await agency.send(RECORDS, question)).status_code == 200
    again = (await portal.refresh(tokens["refresh_token"])).json()
    assert claims_of(again)["scope"] == "openid email"
    assert (await portal.userinfo(again["access_token"])).status_code == 200


async def test_a_scope_of_two_resources_is_refused(world: ProviderWorld) -> None:
    """§3: a token of one audience cannot mean both."""
    portal = await world.register(scope="openid lookup", grant_types=["authorization_code", "client_credentials"])
    got = answer_of(await world.http().get(portal.ask(scope="openid lookup").url))
    assert got["error"] == "invalid_scope"
    answer = await portal.client_credentials(scope="openid lookup")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


# --- by which key (§2.1, §4) -------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
@pytest.mark.parametrize("document", ["openid-configuration", "oauth-authorization-server"])
async def test_a_resource_elsewhere_can_check_it(world: ProviderWorld, alg: str, document: str) -> None:
    """§4: by nothing but what is published; either document says the same."""
    portal = await world.register(access_token_signing_alg=alg)
    tokens = await tokens_of(world, portal)
    http = world.http()
    metadata = (await http.get(f"/.well-known/{document}")).json()
    published = (await http.get(metadata["jwks_uri"])).json()["keys"]
    verified = verify_jwt(
        tokens["access_token"],
        [VerificationKey.from_jwk(each) for each in published],
        algs={alg},
        typ={"at+jwt"},
        issuer=metadata["issuer"],
        audience=metadata["userinfo_endpoint"],
        now=world.clock.now(),
        leeway_seconds=0,
        require=REQUIRED - {"iss", "aud"},
    )
    assert verified.header["alg"] == alg


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256", "es256"])
async def test_algorithms_that_sign_no_token(world: ProviderWorld, alg: str) -> None:
    """§2.1, case 38. RS256, which §2.1 wants to be there, FAPI 2.0 §5.4.1 forbids (record 10)."""
    with pytest.raises(Exception, match="invalid-client-metadata"):
        await world.register(access_token_signing_alg=alg)


# --- what a resource takes for one (§4) --------------------------------------------------------------------


async def refused_at_userinfo(portal: RelyingParty, token: str) -> None:
    answer = await portal.userinfo(token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token"), answer.text
    assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_token")]


def ours(world: ProviderWorld, alg: str = "ES256") -> SigningKey:
    return world.provider.foundation.keys.signing(alg)


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT", "Application/At+Jwt"])
async def test_types_that_are_taken(world: ProviderWorld, portal: RelyingParty, typ: str) -> None:
    """RFC 7515 §4.1.9: media types have no case."""
    claims = claims_of(await tokens_of(world, portal))
    assert (await portal.userinfo(sign_jwt(ours(world), claims, typ=typ))).status_code == 200


@pytest.mark.parametrize(
    "typ",
    [None, "", "JWT", "application/jwt", "at", "at+jwtx", "at+jwt ", "application/application/at+jwt", "text/at+jwt"],
)
async def test_types_that_are_refused(world: ProviderWorld, portal: RelyingParty, typ: str | None) -> None:
    claims = claims_of(await tokens_of(world, portal))
    await refused_at_userinfo(portal, sign_jwt(ours(world), claims, typ=typ))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": "ISSUER/"},
        {"iss": ["ISSUER"]},
        {"aud": "https://other.example"},
        {"aud": "ISSUER"},
        {"aud": "ISSUER/userinfo/"},
        {"aud": "ISSUER/api/lookup"},
        {"aud": ["ISSUER/api/lookup", "CLIENT"]},
        {"aud": "CLIENT"},
        {"aud": []},
        {"exp": "9999999999"},
        {"exp": True},
        {"gid": "CLIENT"},
        *({name: DROP} for name in sorted(REQUIRED | {"gid"})),
    ],
    ids=str,
)
async def test_claims_that_do_not_hold(world: ProviderWorld, portal: RelyingParty, changes: dict[str, Any]) -> None:
    """§4: any check that fails is `invalid_token`, though the signature is ours."""
    claims = claims_of(await tokens_of(world, portal))

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(each) for each in value]
        told = {"ISSUER": world.issuer, "CLIENT": portal.client_id}
        return (
            value.replace("ISSUER", told["ISSUER"]).replace("CLIENT", told["CLIENT"])
            if isinstance(value, str)
            else value
        )

    bent = {**claims, **{name: named(value) for name, value in changes.items()}}
    bent = {name: value for name, value in bent.items() if value is not DROP}
    await refused_at_userinfo(portal, sign_jwt(ours(world), bent, typ="at+jwt"))


async def test_one_of_several_audiences_is_enough(world: ProviderWorld, portal: RelyingParty) -> None:
    claims = claims_of(await tokens_of(world, portal))
    several = {**claims, "aud": ["https://other.example", claims["aud"]]}
    assert (await portal.userinfo(sign_jwt(ours(world), several, typ="at+jwt"))).status_code == 200


async def test_now_is_before_the_end(world: ProviderWorld, portal: RelyingParty) -> None:
    """§4: no leeway, since the clock is the one that gave it out."""
    claims, now = claims_of(await tokens_of(world, portal)), int(world.clock.now().timestamp())
    for exp, status in ((now + 1, 200), (now, 401), (now - 1, 401)):
        told = {**claims, "iat": now - 600, "exp": exp}
        assert (await portal.userinfo(sign_jwt(ours(world), told, typ="at+jwt"))).status_code == status, exp - now


async def test_signatures_that_are_not_ours(world: ProviderWorld, portal: RelyingParty) -> None:
    """§4: not `none`; by the published keys and their own algorithms alone (case 23)."""
    token = (await tokens_of(world, portal))["access_token"]
    claims, key, stranger = decode_unverified(token).claims, ours(world), SigningKey.generate("ES256")
    head, body, signature = token.split(".")
    header = {"typ": "at+jwt", "kid": key.kid}
    as_theirs = {**header, "alg": "ES256"}
    public = orjson.dumps(key.public().public_jwk())

    def headed(alg: str, signed: str = "") -> str:
        return f"{encoded(orjson.dumps({**header, 'alg': alg}))}.{body}.{signed}"

    by_hmac = hmac.new(public, headed("HS256")[:-1].encode(), hashlib.sha256).digest()
    for what, bad in {
        "none": headed("none"),
        "none, with a signature": headed("none", signature),
        "None": headed("None"),
        "without one": f"{head}.{body}.",
        "our public key as a secret": headed("HS256", encoded(by_hmac)),
        "a stranger's key": sign_jwt(stranger, claims, typ="at+jwt"),
        "a stranger's key under our name": forged_jwt(as_theirs, claims, stranger),
        "a stranger's key in the header": forged_jwt(
            {**as_theirs, "jwk": stranger.public().public_jwk()}, claims, stranger
        ),
        "a stranger's key without a name": forged_jwt({"typ": "at+jwt", "alg": "ES256"}, claims, stranger),
        "another algorithm of ours": headed("PS256", signature),
        "our key for other tokens": sign_jwt(ours(world, "RS256"), claims, typ="at+jwt"),
        "unknown critical header": sign_jwt(key, claims, typ="at+jwt", header={"crit": ["x"], "x": 1}),
    }.items():
        answer = await portal.userinfo(bad)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token"), what
    assert (await portal.userinfo(token)).status_code == 200


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_an_id_token_and_a_changed_token_are_no_access_tokens(world: ProviderWorld) -> None:
    portal = await world.register()
    tokens = await tokens_of(world, portal)
    head, claims, signature = tokens["access_token"].split(".")
    other = "A" if signature[9] != "A" else "B"
    for bad in (tokens["id_token"], f"{head}.{claims}.{signature[:9]}{other}{signature[10:]}", f"{head}.{claims}."):
        assert (await portal.userinfo(bad)).status_code == 401


async def test_other_tokens_of_ours_are_no_access_tokens(world: ProviderWorld) -> None:
    """§5: each is of its own type, though the same keys may have signed it."""
    portal = await world.register(userinfo_signed_response_alg="ES256")
    tokens = await tokens_of(world, portal)
    server = await back_end(world, audiences=[f"{world.issuer}/userinfo"])
    accept = {"Accept": "application/token-introspection+jwt"}
    introspected = await server.post("/introspect", {"token": tokens["access_token"]}, headers=accept)
    refusal = answer_of(await world.http().get(portal.ask(response_mode="jwt", prompt="none").url))
    for other in ((await portal.userinfo(tokens["access_token"])).text, introspected.text, refusal["response"]):
        assert decode_unverified(other).claims["iss"] == world.issuer
        await refused_at_userinfo(portal, other)


async def test_at_the_lookup_api_too(world: ProviderWorld) -> None:
    """§4: before its proof is looked at."""
    party = await back_end(world, dpop=True)
    claims = claims_of((await party.client_credentials()).json())
    agency = AgencyBackend(party, SCHOOL, "1.001667")
    for typ, changes, status in (
        ("at+jwt", {}, 422),
        ("JWT", {}, 401),
        ("at+jwt", {"aud": f"{world.issuer}/userinfo"}, 401),
        ("at+jwt", {"iss": "https://other.example"}, 401),
        ("at+jwt", {"exp": claims["iat"]}, 401),
    ):
        agency.token = sign_jwt(ours(world), {**claims, **changes}, typ=typ)
        answer = await agency.send(RECORDS, {})
        assert answer.status_code == status, (typ, changes, answer.text)
        if status == 401:
            assert errors_of(answer.headers["www-authenticate"]) == [("DPoP", "invalid_token")]
