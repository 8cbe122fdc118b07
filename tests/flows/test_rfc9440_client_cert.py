"""RFC 9440: the certificate of a TLS connection, as a trusted proxy hands it on in a header.

How the header is read: tests/unit/core/test_client_certificate.py. The proxy itself: tests/faults/test_tls_front.py.
"""

import re
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.settings import Settings, load_settings
from oidc.api import lookup_audience
from service.tls_nginx import NginxSettings, nginx_configuration
from tests.support.client_certificates import issue, name
from tests.support.mtls import BACK_END, BOUND, DN, GRANT, ROOT, STRANGER, SUBJECT, named, refused, settings, shown
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld
from tests.support.real_server import served

__all__ = ["settings", "world"]

HELD = issue(SUBJECT, by=ROOT)
FORWARDED: list[dict[str, str]] = [
    {"X-Forwarded-For": "198.51.100.7"},
    {"Forwarded": "for=198.51.100.7"},
    {"X-Real-IP": "198.51.100.7"},
]
LOOKUPS = "/api/lookup/v1/matches"


def from_elsewhere(world: ProviderWorld) -> httpx.AsyncClient:
    """A caller that is no proxy of ours."""
    transport = httpx.ASGITransport(world.app, client=("203.0.113.9", 4711))
    return httpx.AsyncClient(transport=transport, base_url=world.issuer)


# --- what stands in it (§2.1, §2.2, §2.3) ------------------------------------------------------------------


@pytest.mark.parametrize("written", ["header", "escaped_pem"])
async def test_a_certificate_is_handed_on(world: ProviderWorld, written: str) -> None:
    """§2.1: a byte sequence; or what nginx can write."""
    party = await named(world)
    assert (await shown(party, getattr(HELD, written))).status_code == 200


async def test_a_chain_holds_where_its_links_come_along(world: ProviderWorld) -> None:
    party = await named(world)
    middle = issue(name("Issuing authority"), by=ROOT, authority=True)
    held = issue(SUBJECT, by=middle)
    assert (await shown(party, held, **{"Client-Cert-Chain": middle.header})).status_code == 200
    refused(await shown(party, held))
    strange = issue(name("Issuing authority"), by=STRANGER, authority=True)
    refused(await shown(party, issue(SUBJECT, by=strange), **{"Client-Cert-Chain": strange.header}))


async def test_a_chain_in_several_lines_is_one(world: ProviderWorld) -> None:
    """§2.3: a list, which may be split; the order is that of the handshake."""
    party = await named(world)
    upper = issue(name("Upper authority"), by=ROOT, authority=True)
    lower = issue(name("Lower authority"), by=upper, authority=True)
    held = issue(SUBJECT, by=lower)
    form = {**GRANT, "client_id": party.client_id}
    lines = [("Client-Cert", held.header), ("Client-Cert-Chain", lower.header), ("Client-Cert-Chain", upper.header)]
    assert (await party.http.post("/token", data=form, headers=lines)).status_code == 200
    together = {"Client-Cert-Chain": f"{lower.header}, {upper.header}"}
    assert (await shown(party, held, **together)).status_code == 200
    for broken in (f"{lower.header}", f"{lower.header}, x", f"{lower.header} {upper.header}"):
        refused(await shown(party, held, **{"Client-Cert-Chain": broken}))


async def test_a_chain_alone_is_nobodys(world: ProviderWorld) -> None:
    party = await named(world)
    refused(await shown(party, None, **{"Client-Cert-Chain": HELD.header}))


async def test_nothing_and_nonsense(world: ProviderWorld) -> None:
    party = await named(world)
    held = issue(SUBJECT, by=ROOT)
    for header in (None, "", "x", ":AAAA:", held.header + ", " + held.header):
        refused(await shown(party, header))
    twice = [("Client-Cert", held.header), ("Client-Cert", held.header)]
    refused(await party.http.post("/token", data={**GRANT, "client_id": party.client_id}, headers=twice))


async def test_a_header_beyond_all_bounds(world: ProviderWorld) -> None:
    """§3.2: taken for none, long before it costs anything."""
    party = await named(world)
    refused(await shown(party, f":{'A' * 40_000}:"))
    refused(await shown(party, HELD, **{"Client-Cert-Chain": ", ".join([HELD.header] * 40)}))


@pytest.mark.parametrize(
    "other", ["Client_Cert", "X-Client-Cert", "Ssl-Client-Cert", "X-SSL-CERT", "X-Forwarded-Client-Cert"]
)
async def test_no_other_header_says_it(world: ProviderWorld, other: str) -> None:
    """§4: the proxy cleanses the one that is configured."""
    party = await named(world)
    refused(await shown(party, None, **{other: HELD.header}))


# --- who writes it (§4) ------------------------------------------------------------------------------------


async def test_from_anybody_but_the_proxy_the_header_says_nothing(world: ProviderWorld) -> None:
    party = await named(world)
    assert (await shown(party, issue(SUBJECT, by=ROOT))).status_code == 200
    async with from_elsewhere(world) as party.http:
        refused(await shown(party, issue(SUBJECT, by=ROOT)))


@pytest.mark.parametrize("claimed", FORWARDED, ids=lambda claimed: next(iter(claimed)))
async def test_nobody_talks_himself_into_being_the_proxy(world: ProviderWorld, claimed: dict[str, str]) -> None:
    """It is the connection that counts, not where it is said to come from."""
    party = await named(world)
    async with from_elsewhere(world) as party.http:
        refused(await shown(party, HELD, **claimed))


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


async def test_it_is_off_unless_an_operator_named_it(world: ProviderWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """§4: opted into at either end. Nobody is a trusted proxy by default either."""
    untold = load_settings(mode="sandbox", data_dir=world.settings.data_dir)
    assert (untold.client_certificate_header, untold.trusted_proxies) == ("", ())
    party = await named(world)
    assert (await shown(party, HELD)).status_code == 200
    for left_out in ("client_certificate_header", "trusted_proxies"):
        changed = world.settings.model_copy(update={left_out: getattr(untold, left_out)})
        parts: dict[type[Any], Any] = {**world.parts._parts, Settings: changed}
        with monkeypatch.context() as patched:
            patched.setattr(world.parts, "_parts", parts)
            refused(await shown(party, HELD))


@pytest.mark.parametrize("header", ["Client-Cert", "X-Cert"])
def test_our_own_front_drops_what_a_caller_wrote(tmp_path: Path, header: str) -> None:
    """§2.4: on every port removed or overwritten; written on the one that asks for certificates alone."""
    told = NginxSettings(
        folder=tmp_path,
        host="127.0.0.1",
        port=8443,
        mtls_port=8444,
        portal_port=8445,
        web_socket=tmp_path / "web.sock",
        portal_address="127.0.0.1:8001",
        certificate=tmp_path / "server.pem",
        key=tmp_path / "key.pem",
        client_certificate_header=header,
    )
    written = nginx_configuration(told)
    servers = written.split("server {")[1:]
    assert written.count("proxy_pass") == len(servers) == 3
    for server in servers:
        asks = "ssl_verify_client" in server
        assert asks == (":8444 ssl" in server)
        value = "$ssl_client_escaped_cert" if asks else '""'
        assert re.findall(rf"proxy_set_header {header} (\S+);", server) == [value]
        assert re.findall(rf"proxy_set_header {header}-Chain (\S+);", server) == ['""']


# --- the answers (§2.2, §2.4) ------------------------------------------------------------------------------


async def test_answers_are_for_this_certificate_alone(world: ProviderWorld) -> None:
    """§2.4: no cache keeps what a certificate opened or did not open; §2.2: and none comes back in an answer."""
    by_certificate: dict[str, Any] = {"method": "tls_client_auth", "tls_client_auth_subject_dn": DN, **BOUND}
    portal = await world.register(**by_certificate)
    server = await world.register(**{**by_certificate, **BACK_END, "audiences": [lookup_audience(world.issuer)]})
    portal.certificate = server.certificate = HELD.header
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    issued = await server.post("/token", GRANT)
    bearer = {"Authorization": f"Bearer {issued.json()['access_token']}"}
    answers = [await portal.push(portal.ask()), issued, await portal.userinfo(token)]
    answers += [await server.post("/introspect", {"token": token}), await portal.post("/revoke", {"token": "x"})]
    answers.append(await server.http.post(LOOKUPS, json={}, headers={**bearer, **server.connection()}))
    assert [each.status_code for each in answers] == [201, 200, 200, 200, 200, 422]
    portal.certificate = server.certificate = issue(SUBJECT, by=STRANGER).header
    closed = [await portal.push(portal.ask()), await server.post("/token", GRANT), await portal.userinfo(token)]
    closed += [await server.post("/introspect", {"token": token}), await portal.post("/revoke", {"token": "x"})]
    closed.append(await server.http.post(LOOKUPS, json={}, headers={**bearer, **server.connection()}))
    assert [each.status_code for each in closed] == [401] * 6
    for answer in (*answers, *closed):
        assert "no-store" in answer.headers["cache-control"], answer.request.url
        assert not [each for each in answer.headers if each.startswith("client-cert")]
