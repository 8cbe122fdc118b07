"""RFC 8705: clients that authenticate by certificate, and tokens bound to one, behind a proxy that hands it on."""

import base64
import hashlib
import ipaddress
import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from core.jose import SigningKey, decode_unverified
from core.settings import Settings, load_settings
from oidc.api import lookup_audience
from service.embedded import EmbeddedUrls
from tests.actors.relying_party import RelyingParty, basic
from tests.support.client_certificates import Held, authority, bundle, every_san, issue, name
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld
from tests.support.real_server import served

__all__ = ["world"]

MTLS = "https://mtls.id.example"
GRANT = {"grant_type": "client_credentials"}
BACK_END: dict[str, Any] = {"grant_types": ["client_credentials"], "dpop_bound_access_tokens": False}
BOUND: dict[str, Any] = {"tls_client_certificate_bound_access_tokens": True, "dpop_bound_access_tokens": False}
SUBJECT = name("backend.agency.example", country="VN", organization="Sở Giáo dục, Hà Nội")
DN = SUBJECT.rfc4514_string()
ROOT, STRANGER = authority(), authority()


@pytest.fixture(scope="module")
def settings(database_urls: EmbeddedUrls, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """As behind our own nginx: the tests' address is the proxy's."""
    data_dir: Path = tmp_path_factory.mktemp("data")
    (data_dir / "secrets").mkdir(mode=0o700)
    return load_settings(
        mode="sandbox",
        data_dir=data_dir,
        client_certificate_header="Client-Cert",
        trusted_proxies=("198.51.100.0/24", "unix"),
        client_ca_file=bundle(data_dir / "authorities.pem", ROOT),
        mtls_base=MTLS,
        **database_urls.by_name(),
    )


def checked(member: str, value: str) -> object:
    return ipaddress.ip_address(value) if member.endswith("_ip") else value


def refused(answer: httpx.Response, error: str = "invalid_client", status: int = 401) -> httpx.Response:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    return answer


async def named(world: ProviderWorld, member: str = "tls_client_auth_subject_dn", value: str = DN) -> RelyingParty:
    told: dict[str, Any] = {member: value, **BACK_END}
    return await world.register(method="tls_client_auth", **told)


async def shown(party: RelyingParty, held: Held | str | None, **headers: str) -> httpx.Response:
    """A token request over a connection with this certificate."""
    party.certificate = held.header if isinstance(held, Held) else held
    return await party.post("/token", GRANT, headers=headers)


# --- certificates of an authority (§2.1) -------------------------------------------------------------------


async def test_by_its_subject(world: ProviderWorld) -> None:
    party = await named(world)
    answer = await shown(party, issue(SUBJECT, by=ROOT))
    assert answer.status_code == 200, answer.text
    # Renewed with another key: the name is what is registered.
    assert (await shown(party, issue(SUBJECT, by=ROOT))).status_code == 200
    assert "cnf" not in decode_unverified(answer.json()["access_token"]).claims


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("tls_client_auth_san_dns", "backend.agency.example"),
        ("tls_client_auth_san_dns", "Backend.Agency.Example"),
        ("tls_client_auth_san_uri", "https://agency.example/backend"),
        ("tls_client_auth_san_ip", "2001:DB8:0::7"),
        ("tls_client_auth_san_email", "backend@agency.example"),
    ],
)
async def test_by_one_of_its_other_names(world: ProviderWorld, member: str, value: str) -> None:
    party = await named(world, member, value)
    assert (await shown(party, issue(by=ROOT, sans=every_san()))).status_code == 200
    # The same word as common name, and in names of another kind, does not count.
    refused(await shown(party, issue(name(value), by=ROOT)))
    others = [each for each in every_san() if str(each.value).lower() != str(checked(member, value)).lower()]
    assert len(others) == 3
    refused(await shown(party, issue(by=ROOT, sans=others)))


@pytest.mark.parametrize(
    "subject",
    [
        name("other.agency.example", country="VN", organization="Sở Giáo dục, Hà Nội"),
        name("backend.agency.example", organization="Sở Giáo dục, Hà Nội", country="VN"),
        name("backend.agency.example", country="VN"),
        name("Backend.agency.example", country="VN", organization="Sở Giáo dục, Hà Nội"),
        name("backend.agency.example,O=Sở Giáo dục\\, Hà Nội,C=VN"),
    ],
    ids=["another name", "another order", "a part", "another case", "a name written into one"],
)
async def test_another_subject_is_another_client(world: ProviderWorld, subject: Any) -> None:
    refused(await shown(await named(world), issue(subject, by=ROOT)))


def unfit() -> Mapping[str, Held]:
    middle = issue(name("No authority"), by=ROOT)
    return {
        "of a strange authority": issue(SUBJECT, by=STRANGER),
        "self-signed": issue(SUBJECT),
        "expired": issue(SUBJECT, by=ROOT, ends=timedelta(seconds=-1)),
        "not yet valid": issue(SUBJECT, by=ROOT, starts=timedelta(seconds=1)),
        "for servers": issue(SUBJECT, by=ROOT, purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
        "an authority itself": issue(SUBJECT, by=ROOT, authority=True),
        "signed by a leaf": issue(SUBJECT, by=middle),
    }


async def test_certificates_that_do_not_hold(world: ProviderWorld) -> None:
    party = await named(world)
    for what, held in unfit().items():
        answer = await shown(party, held)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), what
    middle = issue(name("No authority"), by=ROOT)
    refused(await shown(party, issue(SUBJECT, by=middle), **{"Client-Cert-Chain": middle.header}))


async def test_a_chain_holds_where_its_links_come_along(world: ProviderWorld) -> None:
    party = await named(world)
    middle = issue(name("Issuing authority"), by=ROOT, authority=True)
    held = issue(SUBJECT, by=middle)
    assert (await shown(party, held, **{"Client-Cert-Chain": middle.header})).status_code == 200
    refused(await shown(party, held))
    strange = issue(name("Issuing authority"), by=STRANGER, authority=True)
    refused(await shown(party, issue(SUBJECT, by=strange), **{"Client-Cert-Chain": strange.header}))


async def test_nothing_and_nonsense(world: ProviderWorld) -> None:
    party = await named(world)
    held = issue(SUBJECT, by=ROOT)
    for header in (None, "", "x", ":AAAA:", held.header + ", " + held.header):
        refused(await shown(party, header))
    twice = [("Client-Cert", held.header), ("Client-Cert", held.header)]
    refused(await party.http.post("/token", data={**GRANT, "client_id": party.client_id}, headers=twice))


async def test_from_anybody_but_the_proxy_the_header_says_nothing(world: ProviderWorld) -> None:
    party = await named(world)
    assert (await shown(party, issue(SUBJECT, by=ROOT))).status_code == 200
    transport = httpx.ASGITransport(world.app, client=("203.0.113.9", 4711))
    party.http = httpx.AsyncClient(transport=transport, base_url=world.issuer)
    refused(await shown(party, issue(SUBJECT, by=ROOT)))


async def test_over_real_sockets(world: ProviderWorld, tmp_path: Path) -> None:
    """What uvicorn tells of a peer: the proxy on our unix socket is believed, a caller over TCP is not."""
    party = await named(world)
    party.certificate = issue(SUBJECT, by=ROOT).header
    place = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as unix, socket.create_server(("127.0.0.1", 0)) as tcp:
        unix.bind(str(place))
        unix.listen()
        address = f"http://127.0.0.1:{tcp.getsockname()[1]}"
        async with (
            served(world.app, unix),
            httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(place)), base_url=world.issuer) as party.http,
        ):
            assert (await party.post("/token", GRANT)).status_code == 200
        async with served(world.app, tcp), httpx.AsyncClient(base_url=address) as party.http:
            refused(await party.post("/token", GRANT))


async def test_a_certificate_beside_another_method_is_no_second_one(world: ProviderWorld) -> None:
    party = await named(world)
    held = issue(SUBJECT, by=ROOT)
    form = {**GRANT, "client_id": party.client_id}
    connection = {"Client-Cert": held.header}
    secret = {"Authorization": basic(party.client_id, "x")}
    refused(await party.post("/token", GRANT, headers={**connection, **secret}, plain=True))
    refused(await party.post("/token", {**form, "client_secret": "x"}, headers=connection, plain=True))
    refused(await party.post("/token", GRANT, headers=connection, plain=True))
    # A client with a secret that comes by mutual TLS uses its secret; the certificate alone opens nothing.
    other = await world.register(**BACK_END)
    assert (await shown(other, held)).status_code == 200
    form = {**GRANT, "client_id": other.client_id}
    refused(await other.post("/token", form, headers=connection, plain=True))


async def test_wherever_clients_authenticate(world: ProviderWorld) -> None:
    held = issue(SUBJECT, by=ROOT)
    party = await world.register(profile="fapi2", method="tls_client_auth", tls_client_auth_subject_dn=DN)
    party.certificate = held.header
    assert (await party.push(party.ask())).status_code == 201
    assert (await party.post("/revoke", {"token": "x"})).status_code == 200
    server = await world.register(
        method="tls_client_auth",
        tls_client_auth_subject_dn=DN,
        audiences=[lookup_audience(world.issuer)],
        **BACK_END,
    )
    server.certificate = held.header
    assert (await server.post("/introspect", {"token": "x"})).json() == {"active": False}
    for each, path in ((party, "/par"), (party, "/revoke"), (server, "/introspect")):
        each.certificate = None
        refused(await each.post(path, {"token": "x"}))


# --- certificates of one's own (§2.2) ----------------------------------------------------------------------


async def self_signed(world: ProviderWorld, *keys: dict[str, Any]) -> RelyingParty:
    return await world.register(method="self_signed_tls_client_auth", jwks={"keys": list(keys)}, **BACK_END)


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA"])
async def test_by_its_key(world: ProviderWorld, kind: str) -> None:
    curves: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
    key = rsa.generate_private_key(65537, 2048) if kind == "RSA" else ec.generate_private_key(curves[kind])
    held = issue(key=key)
    party = await self_signed(world, issue().jwk, held.jwk)
    assert (await shown(party, held)).status_code == 200
    # A new certificate over the registered key, and the key without x5c, are the same key.
    assert (await shown(party, issue(name("renewed"), key=key))).status_code == 200
    bare = {member: value for member, value in held.jwk.items() if member != "x5c"}
    if kind != "P-384":  # without a certificate beside it, it would have to sign assertions
        assert (await shown(await self_signed(world, bare), held)).status_code == 200


async def test_keys_that_are_not_its_own(world: ProviderWorld) -> None:
    held = issue()
    party = await self_signed(world, held.jwk)
    refused(await shown(party, issue()))
    refused(await shown(party, issue(key=held.key, ends=timedelta(seconds=-1))))
    refused(await shown(party, issue(key=held.key, starts=timedelta(seconds=1))))
    refused(await shown(party, None))
    # What is registered for encryption authenticates nobody.
    reader = issue()
    encrypting = await self_signed(world, held.jwk, {**reader.jwk, "use": "enc"})
    assert (await shown(encrypting, held)).status_code == 200
    refused(await shown(encrypting, reader))


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
