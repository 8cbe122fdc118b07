"""The main job, end to end over HTTP: sign in, consent, data, lookup, official, history, withdrawal."""

import base64
import hashlib
import secrets
from typing import Any

import pytest

from core.database import Database
from core.dpop import access_token_hash
from core.jose import SigningKey, decode_unverified, sign_jwt
from privacy.journal.api import LogKey, verify
from privacy.vault.api import Vault
from service.key_files import key_files
from tests.actors.browser import Browser, Page, left_for
from tests.support.furnished import Furnished

SCOPE = "openid profile phone email purpose:school-enrolment"


class Portal:
    """The demo portal's part of the walk, by its registered secret."""

    def __init__(self, world: Furnished) -> None:
        self.world = world
        self.client = world.client("portal-enrolment")
        self.verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe(16)

    @property
    def authorize(self) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        return {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "scope": SCOPE,
            "state": self.state,
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "acr_values": "urn:dinhdanh:loa:ial2:aal2",
        }

    @property
    def basic(self) -> tuple[str, str]:
        assert self.client.client_secret is not None
        return self.client.client_id, self.client.client_secret

    async def redeem(self, browser: Browser, code: str) -> Any:
        return await browser.http.post(
            "/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.client.redirect_uris[0],
                "code_verifier": self.verifier,
            },
            auth=self.basic,
        )


async def agree_to_all(browser: Browser, page: Page) -> Page:
    form = page.form("consent-form")
    assert form.checked == []  # nothing is ticked beforehand
    chosen: dict[str, list[str]] = {}
    for name, value in form.checkboxes:
        chosen.setdefault(name, []).append(value)
    return await browser.submit("consent-form", button=("decision", "allow"), **chosen)


async def signed_in(world: Furnished, browser: Browser, portal: Portal, persona: str = "An") -> dict[str, Any]:
    """The whole walk; gives the token answer."""
    page = await browser.open("/authorize", **portal.authorize)
    if page.path == "/signin":
        page = await browser.sign_in(world.persona(persona))
    if page.path == "/consent":
        page = await agree_to_all(browser, page)
    told = left_for(page)
    assert told[""] == portal.client.redirect_uris[0]
    assert told["state"] == portal.state
    assert told["iss"] == world.settings.issuer
    answer = await portal.redeem(browser, told["code"])
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def lookup(world: Furnished, path: str, body: dict[str, Any], client_id: str = "agency-education") -> Any:
    """An agency's back end: token by private_key_jwt with DPoP, then the request."""
    client = world.client(client_id)
    assert client.private_jwk is not None
    key, now = SigningKey.from_jwk(client.private_jwk), int(world.clock.now().timestamp())
    issuer = world.settings.issuer

    def proof(url: str, **more: str) -> str:
        claims = {"jti": secrets.token_urlsafe(16), "htm": "POST", "htu": url, "iat": now, **more}
        return sign_jwt(key, claims, typ="dpop+jwt", header={"jwk": key.public().public_jwk()})

    claims = {"iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + 60}
    assertion = sign_jwt(key, {**claims, "jti": secrets.token_urlsafe(16)}, typ="JWT")
    async with world.http() as http:
        answer = await http.post(
            "/token",
            data={
                "grant_type": "client_credentials",
                "scope": "lookup",
                "resource": client.resource,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion,
            },
            headers={"DPoP": proof(f"{issuer}/token")},
        )
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert answer.json()["token_type"] == "DPoP"
        return await http.post(
            path,
            json=body,
            headers={
                "Authorization": f"DPoP {token}",
                "DPoP": proof(f"{issuer}{path}", ath=access_token_hash(token)),
            },
        )


def records(world: Furnished, **changes: Any) -> dict[str, Any]:
    an = world.persona("An")
    return {
        "request_id": secrets.token_hex(8),
        "person": {"number": an.number, "full_name": an.name},
        "purpose": "school-enrolment",
        "legal_basis": "consent",
        "procedure": "3.000181",
        "dossier": "H26.17-0001",
        "fields": ["children", "permanent_residence"],
        **changes,
    }


async def test_the_whole_story(furnished: Furnished) -> None:
    world, portal = furnished, Portal(furnished)
    async with world.browser() as browser:
        refused = await lookup(world, "/api/lookup/v1/records", records(world))
        assert refused.status_code == 403
        assert refused.json()["type"].endswith("consent-missing")

        tokens = await signed_in(world, browser, portal)
        id_token = decode_unverified(tokens["id_token"]).claims
        assert id_token["acr"] == "urn:dinhdanh:loa:ial2:aal2"
        assert set(id_token["amr"]) >= {"pwd", "otp"}
        assert world.persona("An").number not in str(id_token)

        claims = (
            await browser.http.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        ).json()
        assert claims["sub"] == id_token["sub"]
        assert claims["name"] == "Nguyễn Thị An"
        assert claims["birthdate"] == "1990-09-02"
        children = claims["urn:dinhdanh:claim:children"]
        assert {child["full_name"] for child in children} == {"Trần Minh Khôi", "Trần Gia My"}

        answer = await lookup(world, "/api/lookup/v1/records", records(world))
        assert answer.status_code == 200, answer.text
        told = decode_unverified(answer.text).claims
        assert told["aud"] == "agency-education"
        assert told["journal"]["leaf_hash"]

        await world.work()
        page = await browser.open("/me/history")
        assert page.status == 200
        assert "Sở Giáo dục và Đào tạo Hà Nội" in page.text
        assert "H26.17-0001" in page.text
        page = await browser.open("/me")
        assert "Nguyễn Thị An" in page.text
        page = await browser.open("/me/signins")
        assert page.status == 200

        page = await browser.open("/me/consents")
        assert "Đăng ký nhập học lớp 1" in page.text


async def test_asking_again_for_the_same_asks_nothing(furnished: Furnished) -> None:
    portal = Portal(furnished)
    async with furnished.browser() as browser:
        await signed_in(furnished, browser, portal, "Binh")
        page = await browser.open("/authorize", **portal.authorize, prompt="none")
        assert "code" in left_for(page)


@pytest.mark.parametrize("fields", [["blood_group"], ["children", "ethnicity"]])
async def test_beyond_the_policy_is_refused(furnished: Furnished, fields: list[str]) -> None:
    answer = await lookup(furnished, "/api/lookup/v1/records", records(furnished, fields=fields))
    assert answer.status_code == 403
    assert "ethnicity" not in answer.text or "Kinh" not in answer.text


async def test_withdrawal_ends_tokens_and_lookups(furnished: Furnished) -> None:
    portal = Portal(furnished)
    async with furnished.browser() as browser:
        tokens = await signed_in(furnished, browser, portal, "Uyen")
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await browser.http.get("/userinfo", headers=bearer)).status_code == 200
        await browser.open("/me/consents")
        page = browser.page
        assert page is not None
        while 'href="/me/consents/' in page.text:
            link = next(
                part.split('"')[0]
                for part in page.text.split('href="')[1:]
                if part.startswith("/me/consents/") and part.split('"')[0].endswith("/withdraw")
            )
            page = await browser.open(link)
            page = await browser.submit("withdraw-form")
            page = await browser.open("/me/consents")
            if "/withdraw" not in page.text:
                break
        uyen = furnished.persona("Uyen")
        answer = await lookup(
            furnished,
            "/api/lookup/v1/records",
            records(furnished, person={"number": uyen.number, "full_name": uyen.name}, fields=["permanent_residence"]),
        )
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("consent-missing")
        await furnished.work()
        assert (await browser.http.get("/userinfo", headers=bearer)).status_code == 401


async def test_signing_out_ends_the_session_and_its_grants(furnished: Furnished) -> None:
    portal = Portal(furnished)
    async with furnished.browser() as browser:
        tokens = await signed_in(furnished, browser, portal, "Quy")
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        await browser.open("/signout")
        await browser.submit("signout-form")
        await furnished.work()
        assert (await browser.http.get("/userinfo", headers=bearer)).status_code == 401
        page = await browser.open("/authorize", **portal.authorize, prompt="none")
        assert left_for(page)["error"] == "login_required"


async def test_the_journal_of_the_story_is_whole(furnished: Furnished) -> None:
    await furnished.work()
    vault = furnished.worker.get(Vault)
    log_key = LogKey.from_file(key_files(furnished.settings).log_key)
    async with furnished.worker.get(Database).raw() as tx:
        report = await verify(tx, vault, log_key.public_key, now=furnished.clock.now())
    assert report.findings == ()
    assert report.lines > 10
    assert report.pending == 0
