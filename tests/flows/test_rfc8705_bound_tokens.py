"""RFC 8705 §3-§5: tokens bound to a certificate, and the addresses where it is shown."""

import base64
import hashlib
from typing import Any

import httpx
import pytest

from core.jose import SigningKey, decode_unverified
from oidc.api import lookup_audience
from tests.support.challenges import errors_of
from tests.support.client_certificates import Held, issue
from tests.support.mtls import (
    BACK_END,
    BOUND,
    DN,
    GRANT,
    MTLS,
    ROOT,
    SUBJECT,
    named,
    refused,
    settings,
    shown,
)
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["settings", "world"]


# --- tokens bound to a certificate (§3) --------------------------------------------------------------------


async def test_a_bound_token_opens_for_its_certificate_only(world: ProviderWorld) -> None:
    portal = await world.register(**BOUND)
    held = issue()
    portal.certificate = held.header
    attempt, got = await world.browser().walk(portal)
    tokens = (await portal.exchange(attempt, got["code"])).json()
    assert tokens["token_type"] == "Bearer"
    claims = decode_unverified(tokens["access_token"]).claims
    assert claims["cnf"] == {"x5t#S256": _x5t(held)}
    answer = await portal.userinfo(tokens["access_token"])
    assert answer.status_code == 200
    # §3: the same certificate, whatever stands in another one.
    for other in (issue().header, issue(key=held.key).header, None, "x"):
        portal.certificate = other
        answer = refused(await portal.userinfo(tokens["access_token"]), "invalid_token")
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    portal.certificate = held.header
    transport = httpx.ASGITransport(world.app, client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=world.issuer) as outside:
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "Client-Cert": held.header}
        refused(await outside.get("/userinfo", headers=headers), "invalid_token")
    # By the DPoP scheme it is not bound to a key.
    portal.proof_key = SigningKey.generate("ES256")
    refused(await portal.userinfo(tokens["access_token"]), "invalid_token")


async def test_at_the_lookup_api(world: ProviderWorld) -> None:
    held = issue(SUBJECT, by=ROOT)
    party = await world.register(
        method="tls_client_auth",
        tls_client_auth_subject_dn=DN,
        **{**BACK_END, **BOUND},
    )
    token = (await shown(party, held)).json()["access_token"]
    for certificate, status in ((held.header, 422), (issue().header, 401), (None, 401)):
        headers = {"Authorization": f"Bearer {token}", **({"Client-Cert": certificate} if certificate else {})}
        answer = await party.http.post("/api/lookup/v1/matches", json={}, headers=headers)
        assert answer.status_code == status, answer.text
        if status == 401:
            assert errors_of(answer.headers["www-authenticate"]) == [("Bearer", "invalid_token")]
    missing = await party.http.post("/api/lookup/v1/matches", json={})
    assert errors_of(missing.headers["www-authenticate"]) == [("DPoP", None), ("Bearer", None)]


async def test_introspection_tells_the_binding(world: ProviderWorld) -> None:
    held = issue(SUBJECT, by=ROOT)
    party = await world.register(method="tls_client_auth", tls_client_auth_subject_dn=DN, **{**BACK_END, **BOUND})
    token = (await shown(party, held)).json()["access_token"]
    server = await world.register(audiences=[lookup_audience(world.issuer)], **BACK_END)
    told = (await server.post("/introspect", {"token": token})).json()
    assert (told["token_type"], told["cnf"]) == ("Bearer", {"x5t#S256": _x5t(held)})


async def test_without_a_certificate_there_is_no_bound_token(world: ProviderWorld) -> None:
    party = await world.register(method="private_key_jwt", **{**BACK_END, **BOUND})
    refused(await party.client_credentials(), "invalid_request", 400)
    party.certificate = issue().header
    token = (await party.client_credentials()).json()["access_token"]
    assert set(decode_unverified(token).claims["cnf"]) == {"x5t#S256"}


async def test_a_fapi_client_is_bound_by_what_it_chose(world: ProviderWorld) -> None:
    """FAPI 2.0 §5.3.2.1: no token without either."""
    held = issue(SUBJECT, by=ROOT)
    by_key = await world.register(
        profile="fapi2", method="tls_client_auth", tls_client_auth_subject_dn=DN, grant_types=["client_credentials"]
    )
    answer = await shown(by_key, held)
    assert answer.json()["token_type"] == "DPoP"
    assert set(decode_unverified(answer.json()["access_token"]).claims["cnf"]) == {"jkt"}
    by_key.proof_key = None
    refused(await shown(by_key, held), "invalid_dpop_proof", 400)
    by_certificate = await world.register(
        profile="fapi2", method="private_key_jwt", grant_types=["client_credentials"], **BOUND
    )
    by_certificate.proof_key = None
    answer = await shown(by_certificate, held)
    assert set(decode_unverified(answer.json()["access_token"]).claims["cnf"]) == {"x5t#S256"}


async def test_bound_twice_both_are_wanted(world: ProviderWorld) -> None:
    portal = await world.register(dpop=True, tls_client_certificate_bound_access_tokens=True)
    held = issue()
    portal.certificate = held.header
    attempt, got = await world.browser().walk(portal)
    tokens = (await portal.exchange(attempt, got["code"])).json()
    assert tokens["token_type"] == "DPoP"
    assert set(decode_unverified(tokens["access_token"]).claims["cnf"]) == {"jkt", "x5t#S256"}
    assert (await portal.userinfo(tokens["access_token"])).status_code == 200
    portal.certificate = issue().header
    refused(await portal.userinfo(tokens["access_token"]), "invalid_token")
    portal.certificate, portal.proof_key = held.header, None
    refused(await portal.userinfo(tokens["access_token"]), "invalid_token")


async def test_a_client_that_authenticates_may_renew_its_certificate(world: ProviderWorld) -> None:
    """§4, §7.1: its refresh token is held by its authentication; the new tokens are bound to the new one."""
    portal = await world.register(**BOUND)
    portal.certificate = issue().header
    attempt, got = await world.browser().walk(portal, scope="openid offline_access")
    token = (await portal.exchange(attempt, got["code"])).json()["refresh_token"]
    renewed = issue()
    portal.certificate = renewed.header
    fresh = (await portal.refresh(token)).json()
    assert decode_unverified(fresh["access_token"]).claims["cnf"] == {"x5t#S256": _x5t(renewed)}
    assert "refresh_token" not in fresh
    portal.certificate = None
    refused(await portal.refresh(token), "invalid_request", 400)


async def test_an_open_client_is_held_by_its_certificate(world: ProviderWorld) -> None:
    """§4: a native app; its refresh token is bound, and then not rotated."""
    app = await world.register(method="none", **BOUND)
    held = issue()
    app.certificate = held.header
    attempt, got = await world.browser().walk(app, scope="openid offline_access")
    tokens = (await app.exchange(attempt, got["code"])).json()
    app.certificate = issue().header
    refused(await app.refresh(tokens["refresh_token"]), "invalid_grant", 400)
    app.certificate = None
    refused(await app.refresh(tokens["refresh_token"]), "invalid_request", 400)
    app.certificate = held.header
    fresh = (await app.refresh(tokens["refresh_token"])).json()
    assert "refresh_token" not in fresh
    assert (await app.userinfo(fresh["access_token"])).status_code == 200


# --- where it stands (§3.3, §5) ----------------------------------------------------------------------------


async def test_the_other_addresses(world: ProviderWorld) -> None:
    document = (await world.http().get("/.well-known/openid-configuration")).json()
    assert document["tls_client_certificate_bound_access_tokens"] is True
    aliases = document["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == f"{MTLS}/token"
    assert aliases["userinfo_endpoint"] == f"{MTLS}/userinfo"
    assert set(aliases) <= set(document)
    assert all(url == MTLS + document[endpoint].removeprefix(world.issuer) for endpoint, url in aliases.items())
    for endpoint in ("token", "introspection", "revocation"):
        methods = document[f"{endpoint}_endpoint_auth_methods_supported"]
        assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(methods)


async def test_at_the_other_address_proofs_and_assertions_are_for_it(world: ProviderWorld) -> None:
    party = await world.register(dpop=True, method="private_key_jwt", grant_types=["client_credentials"])
    form, _ = party.authentication("/token")
    proof = party.proof("POST", "/token", htu=f"{MTLS}/token")
    answer = await party.post("/token", {**GRANT, **form}, headers={"DPoP": proof}, plain=True)
    assert answer.status_code == 200, answer.text
    proof = party.proof("POST", "/token", htu=f"{MTLS}/par")
    answer = await party.post("/token", {**GRANT, **party.authentication("/token")[0]}, headers={"DPoP": proof})
    refused(answer, "invalid_dpop_proof", 400)
    # The audience of a FAPI client stays the issuer, wherever it sends its assertion.
    fapi = await world.register(profile="fapi2", method="private_key_jwt", grant_types=["client_credentials"])
    for each, status in ((party, 200), (fapi, 401)):
        told = {**GRANT, **each.authentication("/token")[0], "client_assertion": each.assertion(aud=f"{MTLS}/token")}
        headers = {"DPoP": each.proof("POST", "/token")}
        assert (await each.post("/token", told, headers=headers, plain=True)).status_code == status


async def test_registration_reads_the_names(world: ProviderWorld) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"tls_client_auth_subject_dn": "no name"},
        {"tls_client_auth_subject_dn": "CN=#0c0161"},
        {"tls_client_auth_subject_dn": ""},
        {"tls_client_auth_san_ip": "300.1.1.1"},
        {"tls_client_auth_san_dns": "a.example", "tls_client_auth_subject_dn": DN},
    )
    for changes in wrong:
        with pytest.raises(Exception, match="invalid-client-metadata"):
            await world.register(method="tls_client_auth", **changes, **BACK_END)
    written = "2.5.4.97=VN-123,serialNumber=7,CN=a,O=b"
    assert (await named(world, value=written)).client_id


def _x5t(held: Held) -> str:
    """§3.1, off the RFC."""
    return base64.urlsafe_b64encode(hashlib.sha256(held.der).digest()).rstrip(b"=").decode()
