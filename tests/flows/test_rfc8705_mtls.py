"""RFC 8705: clients that authenticate by certificate, and tokens bound to one, behind a proxy that hands it on."""

import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from core.jose import decode_unverified
from oidc.api import lookup_audience
from tests.actors.relying_party import RelyingParty, basic
from tests.support.client_certificates import Held, every_san, issue, name
from tests.support.mtls import (
    BACK_END,
    DN,
    GRANT,
    ROOT,
    STRANGER,
    SUBJECT,
    named,
    refused,
    settings,
    shown,
)
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["settings", "world"]


def checked(member: str, value: str) -> object:
    return ipaddress.ip_address(value) if member.endswith("_ip") else value


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
