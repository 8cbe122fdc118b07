"""A client's health: last uses, last errors in words, what ends soon; and that nothing secret is noted (case 66)."""

import base64
import re
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.requests import Request

from core.cache import Cache
from core.jose import SigningKey
from core.settings import Settings
from oidc.api import ClientLog
from oidc.client_log import MAX_UNPROVEN_NOTES
from oidc.errors import invalid_client
from tests.actors.client_admin import LIST, client_admin
from tests.actors.registering_client import fapi_client, registered, statement, trust_publisher, web_client
from tests.actors.relying_party import RelyingParty
from tests.support.client_certificates import issue
from tests.support.clients_fixture import world
from tests.support.provider_world import REDIRECT, ProviderWorld

__all__ = ["world"]


async def written(world: ProviderWorld) -> None:
    await world.parts.get(ClientLog).written()


async def requests_of(world: ProviderWorld, client_id: str) -> list[str]:
    """Codes on the sandbox page, newest first; "" for what went well."""
    await written(world)
    page = await world.http().get(f"/sandbox/clients/{client_id}/requests?lang=en")
    assert page.status_code == 200
    listed = page.text.split('id="requests"')[-1]
    return ["" if tag == "good" else code for tag, code in re.findall(r'<span class="tag (bad|good)">([^<]*)<', listed)]


async def test_what_went_wrong_and_how_to_mend_it(world: ProviderWorld) -> None:
    party = await world.register()
    await party.post("/token", {"grant_type": "authorization_code"})
    await party.post("/token", {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT,
                                "code_verifier": "v" * 43})  # fmt: skip
    await party.post("/token", {"grant_type": "password"})
    wrong = RelyingParty(world.http(), world.clock, world.issuer, party.client_id, secret="wrong")
    await wrong.post("/par", {"response_type": "code"})
    await world.http().get(party.ask(redirect_uri="https://rp.example/other").url)
    found = await requests_of(world, party.client_id)
    assert sorted(found) == sorted(
        ["invalid_request", "invalid_grant", "unsupported_grant_type", "invalid_client", "invalid_request"]
    )
    page = await world.http().get(f"/sandbox/clients/{party.client_id}/requests?lang=en")
    assert "start a new sign-in" in page.text
    assert "did not prove itself" in page.text
    assert "is not proven" in page.text  # anybody can name a client
    vietnamese = await world.http().get(f"/sandbox/clients/{party.client_id}/requests?lang=vi")
    assert "hãy bắt đầu đăng nhập lại" in vietnamese.text


async def test_what_went_well(world: ProviderWorld) -> None:
    party = await world.register()
    attempt, got = await world.browser().walk(party)
    tokens = (await party.exchange(attempt, got["code"])).json()
    await party.userinfo(tokens["access_token"])
    assert set(await requests_of(world, party.client_id)) == {""}
    used = await world.parts.get(ClientLog).used(party.client_id)
    now = int(world.clock.now().timestamp())
    assert {"authorize", "token", "userinfo"} <= set(used)
    assert all(now - at < 120 for at in used.values())
    async with client_admin(world, "Minh") as admin:
        page = await admin.open(f"{LIST}/{party.client_id}")
        assert "<code>/userinfo</code>" in page.text
        assert 'id="errors-empty"' in page.text


async def test_nothing_secret_and_nothing_of_people_is_noted(world: ProviderWorld) -> None:
    """Every value of what is written is looked at, not what the pages show of it."""
    party = await world.register()
    attempt, got = await world.browser().walk(party, scope="openid profile offline_access")
    tokens = (await party.exchange(attempt, got["code"])).json()
    await party.exchange(attempt, got["code"])
    await party.refresh(tokens["refresh_token"], scope="openid admin")
    await party.userinfo(tokens["access_token"])
    await party.post("/introspect", {"token": tokens["access_token"]})
    wrong = RelyingParty(world.http(), world.clock, world.issuer, party.client_id, secret=party.secret)
    await wrong.post("/token", {"client_secret": str(party.secret), "grant_type": "x"})
    await world.http().get(party.ask(scope="openid", login_hint="036190990001", prompt="none").url)
    await written(world)
    redis = world.parts.get(Cache).redis
    kept = ""
    for key in [*await redis.keys("dd:client-notes:*"), *await redis.keys("dd:client-use:*")]:
        assert party.client_id.encode() not in key
        assert await redis.ttl(key) > 0
        kept += str(await redis.lrange(key, 0, -1) if b"notes" in key else await redis.hgetall(key))
    assert "invalid_grant" in kept
    for secret in (
        party.secret,
        got["code"],
        attempt.state,
        attempt.nonce,
        attempt.verifier,
        tokens["access_token"],
        tokens["refresh_token"],
        tokens["id_token"],
        "036190990001",
        "Nguyễn Thị An",
    ):
        assert str(secret) not in kept


async def test_a_list_has_an_end(world: ProviderWorld) -> None:
    party = await world.register()
    for _ in range(60):
        await party.post("/token", {"grant_type": "x"})
    assert len(await requests_of(world, party.client_id)) == 50


async def test_nobody_drives_out_what_a_client_did_by_naming_it(world: ProviderWorld) -> None:
    """Its id is in every link: of errors in its name only the last few are kept, in a list of their own."""
    party = await world.register()
    app = await world.register(method="none")
    await party.post("/token", {"grant_type": "password"})
    wrong = RelyingParty(world.http(), world.clock, world.issuer, party.client_id, secret="wrong")
    for _ in range(30):
        await wrong.post("/token", {"grant_type": "x"})
        await world.http().get(party.ask(redirect_uri="https://rp.example/other").url)
        await app.post("/token", {"grant_type": "password"})
    found = await requests_of(world, party.client_id)
    assert found[0] == "unsupported_grant_type"
    assert 1 < len(found) <= 1 + MAX_UNPROVEN_NOTES
    assert 0 < len(await requests_of(world, app.client_id)) <= MAX_UNPROVEN_NOTES  # a client without a secret
    async with client_admin(world, "Minh") as admin:
        page = await admin.open(f"{LIST}/{party.client_id}")
        assert "unsupported_grant_type" in page.text.split('id="requests"')[1].split('id="named"')[0]


async def test_nobody_fills_the_queue_by_naming_clients(world: ProviderWorld) -> None:
    party = await world.register()
    log = world.parts.get(ClientLog)
    named, proven = (
        Request({"type": "http", "state": {"request_id": "r", "proven_client": client_id}})
        for client_id in (None, party.client_id)
    )
    await log.written()
    for _ in range(2_000):  # no turn of the loop between them: nothing is written meanwhile
        log.note(named, "c-somebody", "token", invalid_client("No."), status=401)
    log.note(proven, party.client_id, "token", invalid_client("Yes."), status=401)
    await log.written()
    assert [note.description for note in await log.last(party.client_id)] == ["Yes."]


async def test_without_redis_the_page_says_so_and_requests_go_on(world: ProviderWorld) -> None:
    party = await world.register()
    broken = ClientLog(Cache.connect("redis://127.0.0.1:1/0"), world.clock, sandbox=True)
    mine = world.parts._parts[ClientLog]
    world.parts._parts[ClientLog] = broken
    try:
        assert (await party.post("/token", {"grant_type": "x"})).status_code == 400
        await broken.written()
        async with client_admin(world, "Minh") as admin:
            assert 'id="errors-unknown"' in (await admin.open(f"{LIST}/{party.client_id}")).text
    finally:
        world.parts._parts[ClientLog] = mine
        await broken.close()
        await broken._cache.close()


async def test_the_radar(world: ProviderWorld) -> None:
    """30, 7 and 1 days ahead: secret, key, certificate, statement."""
    now = world.clock.now()
    publisher = SigningKey.generate("ES256")
    await trust_publisher(world, publisher)
    key = ec.generate_private_key(ec.SECP256R1())
    jwk = {**_jwk(key), "x5c": [_certificate(key, now, now + timedelta(days=20))], "kid": "with-certificate"}
    dated = {**SigningKey.generate("ES256").public().public_jwk(), "exp": int((now + timedelta(days=5)).timestamp())}
    signed = statement(publisher, exp=int((now + timedelta(hours=5)).timestamp()))
    made = await registered(world, fapi_client(jwks={"keys": [jwk, dated]}, software_statement=signed))
    legacy = await registered(
        world, web_client(dinhdanh_profile="openid-core"), profiles=("openid-core",), seconded=True
    )
    async with client_admin(world, "Minh") as admin:
        page = (await admin.open(f"{LIST}/{made.told['client_id']}")).text
        radar = page.split('id="radar"')[1].split("</table>")[0]
        tones = re.findall(r'<span class="tag (good|warn|bad)">([^<]+)<', radar)
        assert tones == [("bad", "Trong một ngày"), ("warn", "Trong 7 ngày"), ("warn", "Trong 30 ngày")]
        assert "with-certificate" in radar
        page = (await admin.open(f"{LIST}/{legacy.told['client_id']}")).text
        assert ("good", "Còn xa") in re.findall(r'<span class="tag (good|warn|bad)">([^<]+)<', page)
        assert 'id="legacy"' in page
        listed = (await admin.open(LIST)).text
        assert "kiểu cũ" in listed
        assert "Trong một ngày" in listed


async def test_what_is_no_certificate_breaks_no_page(world: ProviderWorld) -> None:
    """The registration looks at the key, not at the certificates beside it: they are the client's own words."""
    held = issue()
    at = held.der.index(b"\xa0\x03\x02\x01\x02") + 4  # the version, 3 written as 2
    jwks = [
        {**issue().jwk, "x5c": [base64.b64encode(each).decode()], "kid": f"k{number}"}
        for number, each in enumerate([held.der[:at] + b"\x08" + held.der[at + 1 :], b"none", held.der[:-7]])
    ]
    dated = {**held.jwk, "kid": "dated"}
    made = await registered(world, fapi_client(jwks={"keys": [*jwks, {**issue().jwk, "x5c": ["?"]}, dated]}))
    async with client_admin(world, "Minh") as admin:
        for path in (LIST, f"{LIST}/{made.told['client_id']}"):
            page = await admin.open(path)
            assert page.status_code == 200
        radar = page.text.split('id="radar"')[1].split("</table>")[0]
        assert re.findall(r"\b(dated|k\d)\b", radar) == ["dated"]


async def test_the_sandbox_pages_are_the_sandboxs(world: ProviderWorld) -> None:
    """The same application in production has no such page, whatever is asked for."""
    party = await world.register()
    assert (await world.http().get("/sandbox/clients")).status_code == 200
    assert (await world.http().get("/sandbox/clients/c-nobody/requests")).status_code == 404
    live = world.settings.model_copy(update={"mode": "production"})
    here = world.parts._parts[Settings]
    world.parts._parts[Settings] = live
    try:
        for path in ("/sandbox/clients", f"/sandbox/clients/{party.client_id}/requests"):
            answer = await world.http().get(path)
            assert answer.status_code == 404
            assert "Cổng dịch vụ công" not in answer.text
    finally:
        world.parts._parts[Settings] = here


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()

    def encoded(value: int) -> str:
        return base64.urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode()

    return {"kty": "EC", "crv": "P-256", "x": encoded(numbers.x), "y": encoded(numbers.y), "use": "sig", "alg": "ES256"}


def _certificate(key: ec.EllipticCurvePrivateKey, begin: Any, end: Any) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rp.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()
