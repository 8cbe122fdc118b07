"""The checks of the discovery document's members: each tries what is listed, and some of what is not."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import httpx
import orjson

from core.errors import Refusal
from core.jose import SigningKey, decode_unverified
from population_db.api import FIELDS, Registry
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.holders import CHECKOUT
from tests.support.provider_world import REDIRECT, ProviderWorld

EVERYTHING = "everything"
Told = dict[str, Any]
Check = Callable[[ProviderWorld, Any, Told], Awaitable[None]]
KEY = SigningKey.generate("ES256")
RSA = SigningKey.generate("PS256")


def _jwk(key: SigningKey, **changes: Any) -> dict[str, Any]:
    return {**key.public().public_jwk(), **changes}


def taken(world: ProviderWorld, profile: str = "standard", **changes: Any) -> bool:
    """Whether such a client could be registered."""
    metadata: dict[str, Any] = {
        "client_name": "Cổng",
        "client_name#en": "Portal",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": [REDIRECT],
        "scope": "openid",
        "jwks": {"keys": [_jwk(KEY), _encryption_key("RSA-OAEP-256"), _encryption_key("ECDH-ES")]},
        **changes,
    }
    try:
        world.provider.registrar.check(metadata, profile)
    except Refusal:
        return False
    return True


def _encryption_key(alg: str) -> dict[str, Any]:
    source = RSA if alg.startswith("RSA") else KEY
    members = {
        name: value
        for name, value in source.public().public_jwk().items()
        if name in {"kty", "crv", "x", "y", "n", "e"}
    }
    return {**members, "use": "enc", "kid": f"enc-{alg}", **({"alg": alg} if alg.startswith("RSA") else {})}


def registers(
    name: str,
    *unlisted: Any,
    as_list: bool = False,
    profiles: Iterable[str] = ("standard",),
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Check:
    """Each listed value may be registered in one of the profiles, none of the unlisted in any."""

    async def check(world: ProviderWorld, listed: Any, _: Told) -> None:
        for value in listed:
            asked = {name: [value] if as_list else value, **more}
            assert any(taken(world, each, **asked) for each in profiles), f"{name}={value} is listed and refused"
        for value in unlisted:
            assert value not in listed
            asked = {name: [value] if as_list else value, **more}
            assert not any(taken(world, each, **asked) for each in profiles), f"{name}={value} is taken and not listed"

    return check


async def errors(world: ProviderWorld, party: RelyingParty, **changes: Any) -> str | None:
    """The error of a request, or None when it leads on."""
    answer = await world.http().get(party.ask(**changes).url)
    if answer.status_code == 303 and answer.headers["location"].startswith(REDIRECT):
        return answer_of(answer).get("error")
    if answer.status_code == 303:
        return None
    found = re.search(r'name="error" value="([a-z_]+)"', answer.text) or re.search(r"\b(invalid_[a-z]+)\b", answer.text)
    return found[1] if found else f"status {answer.status_code}"


# --- the checks -------------------------------------------------------------------------------------------


async def is_answered(world: ProviderWorld, url: str, _: Told) -> None:
    path = url.removeprefix(world.issuer)
    assert path != url
    http = world.http()
    found = {(await http.request(method, path)).status_code for method in ("GET", "POST")}
    assert found - {404, 405}, f"{url} answers nothing"


async def is_issuer(world: ProviderWorld, value: str, _: Told) -> None:
    assert value == world.issuer


async def scopes(world: ProviderWorld, listed: list[str], _: Told) -> None:
    for scope in listed:
        program = scope == "lookup"
        more: Told = (
            {"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []} if program else {}
        )
        assert taken(world, scope=scope if program else f"openid {scope}", **more), scope
        if not program:
            party = await world.register(scope=f"openid {scope}")
            assert await errors(world, party, scope=f"openid {scope}") is None, scope
    assert not taken(world, scope="openid admin")
    party = await world.register(scope="openid")
    for scope in {"profile", "email", "phone", "address", "offline_access"} & set(listed):
        assert await errors(world, party, scope=f"openid {scope}") == "invalid_scope", scope
    assert await errors(world, party, scope="openid admin") is None


async def response_types(world: ProviderWorld, listed: list[str], _: Told) -> None:
    party = await world.register()
    for value in listed:
        assert await errors(world, party, response_type=value) is None
    for value in {"token", "id_token", "code id_token", "id_token token", "none"} - set(listed):
        assert await errors(world, party, response_type=value) == "unsupported_response_type", value


async def response_modes(world: ProviderWorld, listed: list[str], _: Told) -> None:
    party = await world.register()
    for mode in listed:
        answer = await world.http().get(party.ask(prompt="none", response_mode=mode).url)
        if mode.startswith("form_post"):
            assert answer.status_code == 200
            assert f'action="{REDIRECT}"' in answer.text
        else:
            assert answer.headers["location"].startswith(REDIRECT + "?"), mode
        assert ('response"' in answer.text or "?response=" in answer.headers.get("location", "")) == ("jwt" in mode), (
            mode
        )
    for mode in {"fragment", "fragment.jwt", "web_message", "direct_post"} - set(listed):
        assert await errors(world, party, prompt="none", response_mode=mode) == "invalid_request", mode


async def grant_types(world: ProviderWorld, listed: list[str], _: Told) -> None:
    party = await world.register()
    for grant_type in listed:
        answer = await party.post("/token", {"grant_type": grant_type})
        assert answer.json()["error"] != "unsupported_grant_type", grant_type
    unlisted = {
        "password", "implicit", "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    } - set(listed)  # fmt: skip
    for grant_type in unlisted:
        answer = await party.post("/token", {"grant_type": grant_type})
        assert answer.json()["error"] == "unsupported_grant_type", grant_type
        assert not taken(world, grant_types=["authorization_code", grant_type])


async def id_token_algs(world: ProviderWorld, listed: list[str], _: Told) -> None:
    name = "id_token_signed_response_alg"
    await registers(name, "HS256", "none", "RS512", profiles=("standard", "fapi2", "openid-core"))(world, listed, {})
    browser = world.browser()
    for alg in listed:
        changes: Told = {name: alg}
        party = await world.register(**changes)
        attempt, got = await browser.walk(party)
        token = (await party.exchange(attempt, got["code"])).json()["id_token"]
        assert decode_unverified(token).header["alg"] == alg


async def acr_values(world: ProviderWorld, listed: list[str], _: Told) -> None:
    party = await world.register()

    def essential(value: str) -> str:
        return orjson.dumps({"id_token": {"acr": {"essential": True, "values": [value]}}}).decode()

    browser = world.browser()
    await browser.walk(party, acr_values=" ".join(value for value in listed if value.endswith("ial2:aal2")))
    for value in listed:
        attempt = party.ask(claims=essential(value), prompt="none")
        got = answer_of(await browser.http.get(attempt.url))
        token = (await party.exchange(attempt, got["code"])).json()["id_token"]
        assert decode_unverified(token).claims["acr"] == value
    for value in ("urn:dinhdanh:loa:ial3:aal4", "phr", "0"):
        assert await errors(world, party, claims=essential(value)) == "unmet_authentication_requirements"


async def claims(world: ProviderWorld, listed: list[str], told: Told) -> None:
    """Everything that can be asked for, of a persona who has it; and nothing beyond the list comes."""
    scope = f"openid profile email phone address purpose:{EVERYTHING}"
    # `sid` is for those who are told of sign-outs.
    told_of_it = "https://portal.example/backchannel-logout"
    party = await world.register(purpose=EVERYTHING, scope=scope, backchannel_logout_uri=told_of_it)
    verified = {
        "verification": {"trust_framework": None},
        "claims": dict.fromkeys(told["claims_in_verified_claims_supported"]),
    }
    asked = {"userinfo": {**dict.fromkeys(listed), "verified_claims": verified}}
    raw = orjson.dumps(asked).decode()
    attempt, got = await world.browser().walk(party, scope=scope, claims=raw)
    tokens = (await party.exchange(attempt, got["code"])).json()
    found = (await party.userinfo(tokens["access_token"])).json()
    in_id_token = decode_unverified(tokens["id_token"]).claims
    assert {*found, *in_id_token} <= set(listed)
    async with world.database.raw_read() as tx:
        record = await world.parts.get(Registry).read(tx, await world.person("An"), FIELDS)
    held = {f"urn:dinhdanh:claim:{code}" for code in FIELDS if record.get(code)}
    missing = set(listed) - {*found, *in_id_token}
    assert not missing & held, "held, listed and not told"
    assert all(name.startswith("urn:dinhdanh:claim:") or name == "also_known_as" for name in missing), missing
    inside = found["verified_claims"]["claims"]
    assert set(inside) <= set(told["claims_in_verified_claims_supported"])
    assert not {name for name in verified["claims"] if name in held} - set(inside)
    page = (CHECKOUT / "docs" / "claims-and-levels.md").read_text("utf-8")
    undocumented = [name for name in found if not name.startswith("urn:") and f"`{name}`" not in page]
    assert undocumented == []


async def verified(world: ProviderWorld, listed: Any, told: Told) -> None:
    """Trust framework, evidence and its kinds, as one answer tells them."""
    party = await world.register(purpose=EVERYTHING)
    parts = {"electronic_record": "record", "document": "document_details"}
    evidence = [{"type": {"value": kind}, parts[kind]: None} for kind in told["evidence_supported"]]
    verification = {"trust_framework": {"values": told["trust_frameworks_supported"]}, "evidence": evidence}
    asked = {"userinfo": {"verified_claims": {"verification": verification, "claims": {"name": None}}}}
    attempt, got = await world.browser().walk(party, claims=orjson.dumps(asked).decode())
    tokens = (await party.exchange(attempt, got["code"])).json()
    found = (await party.userinfo(tokens["access_token"])).json()["verified_claims"]["verification"]
    assert [found["trust_framework"]] == told["trust_frameworks_supported"]
    by_kind = {one["type"]: one[parts[one["type"]]]["type"] for one in found["evidence"]}
    assert list(by_kind) == told["evidence_supported"]
    assert [by_kind["electronic_record"]] == told["electronic_records_supported"]
    assert [by_kind["document"]] == told["documents_supported"]


async def is_part_of_another(world: ProviderWorld, value: Any, told: Told) -> None:
    """Tried by the check of a member beside it; here only that it says something."""
    assert value


async def request_parameter(world: ProviderWorld, value: bool, _: Told) -> None:
    found = await errors(world, await world.register(), request="nonsense")
    assert (found == "request_not_supported") is not value


async def request_uri_parameter(world: ProviderWorld, value: bool, _: Told) -> None:
    found = await errors(world, await world.register(), request_uri="https://rp.example/request.jwt")
    assert (found == "request_uri_not_supported") is not value


async def nothing_required(world: ProviderWorld, value: bool, _: Told) -> None:
    """Demanded of all clients or of none: a plain request of a `standard` client goes through."""
    assert (await errors(world, await world.register()) is None) is not value


async def prompts(world: ProviderWorld, listed: list[str], _: Told) -> None:
    party = await world.register()
    for prompt in listed:
        assert await errors(world, party, prompt=prompt) == ("login_required" if prompt == "none" else None)
    for prompt in {"create", "consent-all"} - set(listed):
        assert await errors(world, party, prompt=prompt) == "invalid_request"


async def ui_locales(world: ProviderWorld, listed: list[str], _: Told) -> None:
    party = await world.register()
    for wanted in [*listed, "fr"]:
        page = await world.browser().open(party.ask(ui_locales=wanted).url)
        shown = re.search(r'<html lang="([a-z]+)"', page.text)
        assert shown
        assert (shown[1] == wanted) == (wanted in listed)


async def challenge_methods(world: ProviderWorld, listed: list[str], _: Told) -> None:
    party = await world.register()
    for method in listed:
        assert await errors(world, party, code_challenge_method=method) is None
    for method in {"plain", "S512"} - set(listed):
        assert await errors(world, party, code_challenge_method=method) == "invalid_request"


async def iss_in_answers(world: ProviderWorld, value: bool, _: Told) -> None:
    party = await world.register()
    got = answer_of(await world.http().get(party.ask(prompt="none").url))
    assert (got.get("iss") == world.issuer) is value


async def proof_algs(world: ProviderWorld, listed: list[str], _: Told) -> None:
    party = await world.register(dpop=True, grant_types=["client_credentials"])
    for alg in listed:
        party.proof_key = SigningKey.generate(alg)
        answer = await party.client_credentials(resource=f"{world.issuer}/api/lookup")
        assert answer.json().get("error") not in {"invalid_dpop_proof"}, (alg, answer.text)
    if "RS256" not in listed:
        party.proof_key = SigningKey.generate("RS256")
        assert (await party.client_credentials()).json()["error"] == "invalid_dpop_proof"


async def token_methods(world: ProviderWorld, listed: list[str], _: Told) -> None:
    for method in {"client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth"} - set(listed):
        assert not taken(world, token_endpoint_auth_method=method), method
    for method in listed:
        party = await world.register(method=method)
        answer = await party.post("/token", {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT})
        assert answer.json()["error"] != "invalid_client", method


def endpoint_methods(path: str) -> Check:
    async def check(world: ProviderWorld, listed: list[str], _: Told) -> None:
        for method in {"private_key_jwt", "client_secret_basic", "client_secret_post", "none"}:
            party = await world.register(method=method)
            answer: httpx.Response = await party.post(path, {"token": "x"})
            assert (answer.status_code == 200) is (method in listed), (path, method, answer.text)

    return check


def is_flag(name: str, value: Any) -> Check:
    """A promise about clients that register it."""

    async def check(world: ProviderWorld, told: bool, _: Told) -> None:
        assert taken(world, **{name: value}) is told

    return check


CIBA: Told = {
    "grant_types": ["urn:openid:params:grant-type:ciba"],
    "response_types": [],
    "redirect_uris": [],
}
ENC = ("A256CBC-HS512-", "A192")
OTHER_ALGS = ("HS256", "none", "ES256K")


def encrypts(what: str) -> dict[str, Check]:
    alg, enc = f"{what}_encrypted_response_alg", f"{what}_encrypted_response_enc"
    return {
        f"{what}_encryption_alg_values_supported": registers(alg, "RSA1_5", "dir", "A128KW"),
        f"{what}_encryption_enc_values_supported": registers(enc, *ENC, more={alg: "ECDH-ES"}),
    }


async def delivery_modes(world: ProviderWorld, listed: list[str], _: Told) -> None:
    for mode in {*listed, "push"}:
        endpoint: Told = (
            {} if mode == "poll" else {"backchannel_client_notification_endpoint": "https://rp.example/ciba"}
        )
        assert taken(world, backchannel_token_delivery_mode=mode, **endpoint, **CIBA) is (mode in listed), mode


async def booleans_false(world: ProviderWorld, value: bool, _: Told) -> None:
    assert value is False
