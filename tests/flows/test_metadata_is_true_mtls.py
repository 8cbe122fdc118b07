"""The discovery document of a provider behind a proxy that hands on certificates (RFC 8705): it differs from the other
in five members, and each of these is tried here as test_metadata_is_true.py tries the rest.
"""

from typing import Any

import httpx
import pytest

from core.jose import decode_unverified
from oidc.errors import OAuthError
from oidc.metadata import provider_metadata
from oidc.profiles import PROFILES, STANDARD
from oidc.registration.check import check_metadata
from population_db.api import FIELDS
from tests.actors.relying_party import RelyingParty
from tests.support.client_certificates import Held, issue
from tests.support.metadata_checks import Told, taken
from tests.support.mtls import BOUND, DN, MTLS, ROOT, STRANGER, SUBJECT, settings
from tests.support.provider_fixture import world
from tests.support.provider_world import REDIRECT, ProviderWorld

__all__ = ["settings", "world"]

BY_CERTIFICATE = ("tls_client_auth", "self_signed_tls_client_auth")
METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post", *BY_CERTIFICATE, "none", "client_secret_jwt")
BOUND_FLAG = "tls_client_certificate_bound_access_tokens"
DIFFERENT = {
    BOUND_FLAG,
    "mtls_endpoint_aliases",
    "token_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
}
OWN = issue(SUBJECT, by=ROOT)
"""The certificate of every client here: by its name for one method, by its key for the other."""


@pytest.fixture(scope="module")
async def metadata(world: ProviderWorld) -> Told:
    found: Told = (await world.http().get("/.well-known/openid-configuration")).json()
    return found


def members(method: str, held: Held = OWN) -> Told:
    """What a client of the method registers beside the usual."""
    if method == "tls_client_auth":
        return {"tls_client_auth_subject_dn": DN}
    if method == "self_signed_tls_client_auth":
        key = {name: value for name, value in held.jwk.items() if name != "x5c"}
        return {"jwks": {"keys": [{**key, "use": "sig", "kid": "own"}]}}
    return {}


async def party_of(world: ProviderWorld, method: str, **changes: Any) -> RelyingParty:
    party = await world.register(method=method, **members(method), **changes)
    party.certificate = OWN.header if method in BY_CERTIFICATE else None
    return party


async def test_it_differs_from_the_other_in_what_is_tried_here(world: ProviderWorld, metadata: Told) -> None:
    other = provider_metadata(world.issuer, FIELDS)
    assert {name for name in {*metadata, *other} if metadata.get(name) != other.get(name)} == DIFFERENT
    assert (await world.http().get("/.well-known/oauth-authorization-server")).json() == metadata


async def test_methods_that_are_listed_can_be_registered_and_no_others(world: ProviderWorld, metadata: Told) -> None:
    listed = metadata["token_endpoint_auth_methods_supported"]
    assert len(listed) == len(set(listed))
    for method in METHODS:
        allowed = [
            name for name in PROFILES if taken(world, name, token_endpoint_auth_method=method, **members(method))
        ]
        assert bool(allowed) is (method in listed), method


@pytest.mark.parametrize(
    ("endpoint", "form"),
    [
        ("token", {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT}),
        ("introspection", {"token": "x"}),
        ("revocation", {"token": "x"}),
    ],
)
async def test_methods_that_are_listed_are_taken_and_no_others(
    world: ProviderWorld, metadata: Told, endpoint: str, form: dict[str, str]
) -> None:
    path = metadata[f"{endpoint}_endpoint"].removeprefix(world.issuer)
    listed = metadata[f"{endpoint}_endpoint_auth_methods_supported"]
    works = set()
    for method in METHODS[:-1]:
        party = await party_of(world, method)
        if await is_known(party, path, form):
            works.add(method)
        if method in BY_CERTIFICATE:
            for wrong in (None, issue().header, issue(SUBJECT, by=STRANGER).header):
                party.certificate = wrong
                assert not await is_known(party, path, form), (method, wrong)
    assert works == set(listed)
    assert len(works) == len(listed)


async def test_tokens_are_bound_to_certificates(world: ProviderWorld, metadata: Told) -> None:
    assert metadata[BOUND_FLAG] is True
    assert taken(world, **BOUND)
    portal = await world.register(**BOUND)
    portal.certificate = OWN.header
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    assert set(decode_unverified(token).claims["cnf"]) == {"x5t#S256"}
    assert await differs_by_certificate(portal, "/userinfo", token)


async def test_the_other_addresses_are_those_where_a_certificate_matters(world: ProviderWorld, metadata: Told) -> None:
    """§5: no address too many, none too few, each at the other origin under the same path."""
    endpoints = {name: url for name, url in metadata.items() if name.endswith("_endpoint")}
    aliases = metadata["mtls_endpoint_aliases"]
    party = await party_of(world, "self_signed_tls_client_auth", **BOUND)
    attempt, got = await world.browser().walk(party)
    token = (await party.exchange(attempt, got["code"])).json()["access_token"]
    matters = set()
    for name, url in endpoints.items():
        path = url.removeprefix(world.issuer)
        if await differs_by_certificate(party, path, token if name == "userinfo_endpoint" else None):
            matters.add(name)
    assert matters == set(aliases)
    assert aliases == {name: MTLS + endpoints[name].removeprefix(world.issuer) for name in aliases}


async def test_the_other_addresses_are_ours(world: ProviderWorld, metadata: Told) -> None:
    """Assertions and proofs may be made for them, and for no third origin."""
    for name, alias in metadata["mtls_endpoint_aliases"].items():
        path = alias.removeprefix(MTLS)
        for url, ours in ((alias, True), (f"https://third.example{path}", False)):
            if name == "userinfo_endpoint":
                party = await world.register(dpop=True)
                attempt, got = await world.browser().walk(party)
                token = (await party.exchange(attempt, got["code"])).json()["access_token"]
                assert ((await party.userinfo(token, htu=url)).status_code == 200) is ours, url
            else:
                party = await world.register(method="private_key_jwt")
                form, _ = party.authentication(path)
                answer = await party.post(path, {**form, "client_assertion": party.assertion(aud=url)}, plain=True)
                assert (answer.json().get("error") != "invalid_client") is ours, (url, answer.text)


@pytest.mark.parametrize("certificates", [True, False])
@pytest.mark.parametrize("authorities", [True, False])
@pytest.mark.parametrize("mtls_base", [MTLS, ""])
def test_what_is_not_configured_is_neither_told_nor_taken(
    *, certificates: bool, authorities: bool, mtls_base: str
) -> None:
    """§2.1, §3.3, §5: without a proxy nothing, without authorities no names of theirs, without an origin no aliases."""
    document = provider_metadata(
        "https://id.example", FIELDS, certificates=certificates, authorities=authorities, mtls_base=mtls_base
    )
    assert (BOUND_FLAG in document) is certificates
    assert ("mtls_endpoint_aliases" in document) is (certificates and bool(mtls_base))
    offered = {"self_signed_tls_client_auth": certificates, "tls_client_auth": certificates and authorities}
    for method, told in offered.items():
        for endpoint in ("token", "introspection", "revocation"):
            assert (method in document[f"{endpoint}_endpoint_auth_methods_supported"]) is told
        assert may_register(document, token_endpoint_auth_method=method, **members(method)) is told
    assert (
        may_register(document, token_endpoint_auth_method="client_secret_basic", **{BOUND_FLAG: True}) is certificates
    )


def may_register(document: Told, **changes: Any) -> bool:
    asked = {"client_name": "Cổng", "redirect_uris": [REDIRECT], "scope": "openid", **changes}
    try:
        check_metadata(asked, STANDARD, document, sandbox=False)
    except OAuthError:
        return False
    return True


async def is_known(party: RelyingParty, path: str, form: dict[str, str]) -> bool:
    """Whether the client is authenticated; what becomes of the request then is another matter."""
    answer = await party.post(path, form)
    return answer.status_code == 200 or answer.json()["error"] != "invalid_client"


async def differs_by_certificate(party: RelyingParty, path: str, token: str | None) -> bool:
    """Whether a request comes to another end with the client's certificate than without."""
    found = []
    for certificate in (OWN.header, None):
        party.certificate = certificate
        answer = await party.userinfo(token) if token else await party.post(path, {})
        found.append((answer.status_code, _error(answer)))
    party.certificate = OWN.header
    return found[0] != found[1]


def _error(answer: httpx.Response) -> str | None:
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return None
    error: str | None = answer.json().get("error")
    return error
