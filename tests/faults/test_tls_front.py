"""`make run TLS=1`: the front ends TLS, hands on client certificates, and believes no header of a caller."""

import os
import signal
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from core.clock import SystemClock
from core.jose import decode_unverified
from service.tls_certificates import self_signed_client
from service.tls_nginx import CIPHERS_1_2
from tests.actors.browser import Browser
from tests.support.commands import below, run, with_arguments
from tests.support.holders import eventually, gone
from tests.support.tls_sandbox import TlsSandbox, tls_sandbox

BACKEND = "agency-insurance-mtls"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsSandbox]:
    with tls_sandbox(tmp_path_factory.mktemp("tls")) as running:
        yield running


def question(front: TlsSandbox) -> dict[str, Any]:
    one = front.persona("An")
    return {
        "request_id": "r-1",
        "person": {"number": one.number, "full_name": one.name},
        "purpose": "benefit-check",
        "legal_basis": "statutory-duty",
        "procedure": "1.001667",
        "dossier": "HS-2026-0001",
        "official": {"id": "cb-17", "unit": "G24.08"},
        "fields": ["life_status"],
    }


async def test_discovery(front: TlsSandbox) -> None:
    async with front.http(front.issuer) as http:
        answer = await http.get(DISCOVERY)
    document = answer.json()
    assert document["issuer"] == front.issuer
    assert document["issuer"].startswith("https://")
    assert document["mtls_endpoint_aliases"]["token_endpoint"] == f"{front.mtls}/token"
    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert "max-age=" in answer.headers["strict-transport-security"]
    assert "nginx/" not in answer.headers["server"]


async def test_the_application_is_reached_by_the_front_alone(front: TlsSandbox) -> None:
    sockets = list((front.data_dir / "run").glob("web.sock"))
    assert [path.stat().st_mode & 0o777 for path in sockets] == [0o600]
    assert sockets[0].parent.stat().st_mode & 0o077 == 0
    async with front.http(front.issuer) as http:
        assert (await http.get("/metrics")).status_code == 404
    async with httpx.AsyncClient(trust_env=False) as plain:
        assert (await plain.get(front.issuer.replace("https", "http"))).status_code == 400


@pytest.mark.parametrize("cipher", CIPHERS_1_2)
def test_ciphers_of_tls_1_2(front: TlsSandbox, cipher: str) -> None:
    assert shaken_hands(front, ssl.TLSVersion.TLSv1_2, cipher) == ("TLSv1.2", cipher)


@pytest.mark.parametrize(
    "cipher", ["ECDHE-RSA-CHACHA20-POLY1305", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES256-SHA"]
)
def test_other_ciphers_are_refused(front: TlsSandbox, cipher: str) -> None:
    with pytest.raises(ssl.SSLError):
        shaken_hands(front, ssl.TLSVersion.TLSv1_2, cipher)


def test_tls_1_3_and_nothing_old(front: TlsSandbox) -> None:
    assert shaken_hands(front, ssl.TLSVersion.TLSv1_3)[0] == "TLSv1.3"
    with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError):
        shaken_hands(front, ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0")


def shaken_hands(front: TlsSandbox, version: ssl.TLSVersion, ciphers: str | None = None) -> tuple[str, str]:
    """Version and cipher suite agreed on."""
    context = front.context()
    if ciphers is not None:
        context.set_ciphers(ciphers)
    context.maximum_version = version
    context.minimum_version = version
    parts = urlsplit(front.issuer)
    with (
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=parts.hostname) as spoken,
    ):
        cipher = spoken.cipher()
        assert cipher is not None
        return str(spoken.version()), cipher[0]


async def test_a_sign_in(front: TlsSandbox) -> None:
    """Cookies with the prefix that only https may set; the code is worth tokens."""
    async with front.http(front.issuer) as http:
        browser, portal = Browser(http, front.issuer, SystemClock()), front.party("conformance-core-1", http)
        attempt = portal.ask(scope="openid profile")
        page = await browser.open(attempt.url)
        assert page.form("signin-form").action.startswith("/")
        page = await browser.sign_in(front.persona("An"))
        if page.path == "/consent":
            ticks: dict[str, list[str]] = {}
            for name, value in page.form("consent-form").checkboxes:
                ticks.setdefault(name, []).append(value)
            page = await browser.submit("consent-form", button=("decision", "allow"), **ticks)
        answer = parse_qs(urlsplit(page.response.headers["location"]).query)
        assert answer["iss"] == [front.issuer]
        named = {cookie.name: cookie for cookie in http.cookies.jar}
        assert named
        assert all(name.startswith("__Host-dd_") and each.secure for name, each in named.items())
        tokens = (await portal.exchange(attempt, answer["code"][0])).json()
        assert (await portal.userinfo(tokens["access_token"])).status_code == 200


async def test_a_lookup_with_a_certificate_bound_token(front: TlsSandbox) -> None:
    """RFC 8705 §3: the token holds with its certificate, and with nothing else."""
    own = front.certificate_of(BACKEND)
    async with front.http(front.mtls, own) as http:
        party = front.party(BACKEND, http)
        answer = await party.client_credentials()
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert set(decode_unverified(token).claims["cnf"]) == {"x5t#S256"}
        headers = {"Authorization": f"Bearer {token}"}
        found = await http.post("/api/lookup/v1/records", json=question(front), headers=headers)
        assert found.status_code == 200, found.text
    smuggled = {**headers, "Client-Cert": quote(own[0], safe="")}
    other = self_signed_client("somebody-else", SystemClock().now())
    for base, shown in (
        (front.mtls, (other.certificate_pem, other.key_pem)),
        (front.mtls, None),
        (front.issuer, None),
    ):
        async with front.http(base, shown) as http:
            refused = await http.post("/api/lookup/v1/records", json=question(front), headers=smuggled)
            assert refused.status_code == 401, refused.text


async def test_no_token_without_a_certificate(front: TlsSandbox) -> None:
    async with front.http(front.mtls) as http:
        answer = await front.party(BACKEND, http).client_credentials()
    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.json()


@pytest.mark.parametrize("client_id", ["conformance-tls-auth-1", "conformance-tls-auth-2"])
async def test_a_client_authenticates_by_its_certificate(front: TlsSandbox, client_id: str) -> None:
    """RFC 8705 §2.1 (by our authority) and §2.2 (self-signed). The same name in another certificate is nobody."""
    async with front.http(front.mtls, front.certificate_of(client_id)) as http:
        party = front.party(client_id, http)
        answer = await party.push(party.ask())
        assert answer.status_code == 201, answer.text
    forged = self_signed_client(client_id, SystemClock().now())
    for shown in ((forged.certificate_pem, forged.key_pem), None):
        async with front.http(front.mtls, shown) as http:
            party = front.party(client_id, http)
            refused = await party.push(party.ask())
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


async def test_the_portal_is_behind_tls_too(front: TlsSandbox) -> None:
    assert front.guide.portal.startswith("https://")
    async with front.http(front.guide.portal) as http:
        start = await http.get("/")
        assert start.status_code == 200
    assert front.client("portal-enrolment").redirect_uris == (f"{front.guide.portal}/callback",)


def test_no_nginx_is_one_sentence(tmp_path: Path) -> None:
    missing = {"DINHDANH_TLS": "1", "DINHDANH_DATA_DIR": str(tmp_path / "data"), "DINHDANH_NGINX": str(tmp_path / "no")}
    told = run(["up"], missing)
    assert told.returncode == 1
    assert told.stderr == (
        "dinhdanh: nginx is not here: install it (apt-get install nginx-light), or run without TLS=1\n"
    )
    assert not (tmp_path / "data").exists()


def test_production_has_its_own_front() -> None:
    told = run(["serve"], {"DINHDANH_TLS": "1", "DINHDANH_MODE": "production", "DINHDANH_ISSUER": "https://id.example"})
    assert told.returncode == 1
    assert "DINHDANH_TLS is for the sandbox" in told.stderr


async def test_nginx_comes_back_and_goes_with_the_rest(front: TlsSandbox) -> None:
    """Last: it ends the sandbox."""
    (before,) = with_arguments(below(front.command.pid), "-e", "stderr")
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: bool(with_arguments(below(front.command.pid), "-e", "stderr") - {before}), 60.0)
    context = front.context()

    def answers() -> bool:
        try:
            return httpx.get(f"{front.issuer}{DISCOVERY}", verify=context, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    assert eventually(answers, 60.0)
    processes = below(front.command.pid)
    front.command.kill()
    for pid in processes:
        assert eventually(partial(gone, pid), 60.0)
