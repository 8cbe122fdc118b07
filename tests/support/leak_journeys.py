"""All journeys of the service with the canary: each good once, and wrong in the ways people and programs have."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import bindparam, text
from starlette.requests import Request
from starlette.responses import Response

from core.database import Database, Query
from core.runtime import part
from tests.actors.browser import Browser, Page, left_for
from tests.actors.relying_party import ASSERTION_TYPE, RelyingParty
from tests.support import leak_canaries as canary
from tests.support.leak_world import LeakWorld

SCOPE = "openid profile email phone address offline_access purpose:school-enrolment"
LEVEL = "urn:dinhdanh:loa:ial2:aal2"
DUTY = ("benefit-check", "1.001667", "statutory-duty")
CONSENT = ("school-enrolment", "3.000181", "consent")
PERSON = {"number": canary.NUMBER, "full_name": canary.FULL_NAME, "birth_date": canary.BIRTH_DATE}
FAULT = "/api/tests/fault"


def next_code(world: LeakWorld) -> str:
    """A one-time code is good once: the next step's."""
    world.furnished.clock.advance(timedelta(seconds=31))
    return world.code()


async def sign_in(world: LeakWorld, browser: Browser) -> Page:
    """With a wrong password, half a form and a wrong code before."""
    await browser.submit("signin-form", number=canary.TYPED_NUMBER, password=canary.PASSWORD)
    await browser.submit("signin-form", number=canary.NUMBER, password="")
    await browser.submit("signin-form", number=canary.NUMBER, password=canary.WRONG_PASSWORD)
    await browser.submit("signin-form", number=canary.FORMER_NUMBER, password=canary.PASSWORD)
    await browser.submit("signin-form", number=canary.NUMBER, password=canary.PASSWORD)
    assert browser.page is not None
    assert browser.page.path == "/signin/code", browser.page.text
    await browser.submit("code-form", code="zar-code-7")
    wrong = world.needles.one_time_code(0)
    await browser.submit("code-form", code=wrong)
    return await browser.submit("code-form", code=next_code(world))


async def agree(browser: Browser) -> Page:
    """After an answer that is not clear, and one whose token is not ours."""
    assert browser.page is not None
    page = browser.page
    form = page.form("consent-form")
    chosen: dict[str, list[str]] = {}
    for name, value in form.checkboxes:
        chosen.setdefault(name, []).append(value)
    await browser.http.post(form.action, data={**form.fields, "csrf": canary.PASSWORD, "decision": "allow"})
    await browser.http.post(form.action, data={**form.fields, "field": canary.FULL_NAME, "decision": "allow"})
    return await browser.submit("consent-form", button=("decision", "allow"), **chosen)


async def portal_walk(world: LeakWorld, browser: Browser) -> dict[str, Any]:
    """The demo portal, by its secret: sign-in, consent, code, claims, refresh, introspection, misuse of each."""
    party = world.party(browser.http, "portal-enrolment", SCOPE)
    attempt = party.ask(acr_values=LEVEL, login_hint=canary.NUMBER)
    await browser.open(attempt.url)
    await sign_in(world, browser)
    told = left_for(await agree(browser))
    await party.exchange(attempt, told["code"], code_verifier="zar" * 20)  # spends the code
    attempt = party.ask(acr_values=LEVEL)
    await browser.open(attempt.url)
    told = left_for(await agree(browser))
    tokens: dict[str, Any] = (await party.exchange(attempt, told["code"])).json()
    claims = (await party.userinfo(tokens["access_token"])).json()
    assert claims["name"] == canary.FULL_NAME, claims
    refreshed = (await party.refresh(tokens["refresh_token"])).json()
    assert (await party.userinfo(refreshed["access_token"])).status_code == 200
    resource = world.resource_server(browser.http)
    assert (await resource.post("/introspect", {"token": refreshed["access_token"]})).json()["active"]
    await resource.post("/introspect", {"token": canary.FORGED_TOKEN})
    await party.userinfo(canary.FORGED_TOKEN)
    await browser.http.post("/userinfo", data={"access_token": refreshed["access_token"]})
    await party.refresh(canary.FORGED_TOKEN)
    await party.post("/token", {"grant_type": canary.FULL_NAME, "code": canary.NUMBER})
    await RelyingParty(browser.http, party.clock, party.issuer, party.client_id, secret=canary.PASSWORD).refresh(
        tokens["refresh_token"]
    )
    await party.exchange(attempt, told["code"])  # the code again: everything ends
    return tokens


async def posted_request(world: LeakWorld, browser: Browser) -> None:
    """Requests that come as forms: what they hold must not move into an address."""
    party = world.party(browser.http, "portal-enrolment", SCOPE)
    attempt = party.ask(acr_values=LEVEL, login_hint=canary.NUMBER)
    stray = {"cccd": canary.NUMBER, "client_secret": canary.PASSWORD}
    assert (await browser.http.post("/authorize", data={**attempt.params, **stray})).status_code == 303
    await browser.http.post("/authorize", data={**attempt.params, "redirect_uri": "https://zar.example/x"})


async def linked_request(world: LeakWorld, id_token: str) -> None:
    """A link with what has no business in it, opened by somebody who is not signed in: nothing of it may be kept."""
    stray = {"cccd": canary.NUMBER, "client_secret": canary.PASSWORD, canary.FULL_NAME: canary.DOSSIER}
    async with world.browser() as browser:
        party = world.party(browser.http, "portal-enrolment", SCOPE)
        page = await browser.open(party.ask(id_token_hint=id_token, **stray).url)
        assert page.path == "/signin", page.text


async def self_declared(world: LeakWorld, browser: Browser) -> None:
    """Entries to mend, entries kept, told to a portal that also compares them with values of its own."""
    await browser.open("/me/profile")
    await browser.submit(
        "profile-form", button=("action", "save"), nickname=canary.NUMBER, profile="http://zar-khongantoan.example.vn"
    )
    page = await browser.submit("profile-form", button=("action", "save"), **canary.SELF_SAID)
    assert "Zarbíhiệu" in page.text
    limits = {
        "name": {"values": [canary.WRONG_NAME, canary.FULL_NAME]},
        "nickname": {"value": canary.SELF_SAID["nickname"]},
        "birthdate": {"value": canary.BIRTH_DATE},
    }
    document = {"type": {"value": "document"}, "document_details": {"document_number": {"value": canary.NUMBER}}}
    verified = {"verification": {"trust_framework": None, "evidence": [document]}, "claims": limits}
    party = world.party(browser.http, "portal-fapi", SCOPE)
    asked = orjson.dumps({"userinfo": {**limits, "verified_claims": verified}}).decode()
    attempt = await party.pushed(acr_values=LEVEL, prompt="consent", claims=asked)
    await browser.open(attempt.url)
    told = left_for(await agree(browser))
    tokens = (await party.exchange(attempt, told["code"])).json()
    claims = (await party.userinfo(tokens["access_token"])).json()
    for name in ("nickname", "website", "zoneinfo", "locale"):
        assert claims[name] == canary.SELF_SAID[name]
    assert claims["birthdate"] == canary.BIRTH_DATE


async def fapi_walk(world: LeakWorld, browser: Browser) -> None:
    """PAR, private_key_jwt, DPoP; then the token revoked."""
    party = world.party(browser.http, "portal-fapi", SCOPE)
    attempt = await party.pushed(acr_values=LEVEL, login_hint=canary.NUMBER)
    await browser.open(attempt.url)
    told = left_for(await agree(browser))
    tokens = (await party.exchange(attempt, told["code"])).json()
    assert (await party.userinfo(tokens["access_token"])).status_code == 200
    await party.userinfo(tokens["access_token"], ath=canary.FORGED_TOKEN)
    assert (await party.post("/revoke", {"token": tokens["refresh_token"]})).status_code == 200
    assert (await party.userinfo(tokens["access_token"])).status_code == 401
    await browser.http.post(
        "/par", data={"client_assertion_type": ASSERTION_TYPE, "client_assertion": party.assertion(sub=canary.NUMBER)}
    )


async def lookups(world: LeakWorld, browser: Browser) -> None:
    """Answered and refused, by duty and by consent; bodies that cannot be read."""
    insurance = await world.backend(browser.http, "agency-insurance", *DUTY)
    education = await world.backend(browser.http, "agency-education", *CONSENT)
    told = {"person": PERSON, "dossier": canary.DOSSIER, "official": {"id": canary.DOSSIER}}
    match = {"full_name": canary.FULL_NAME, "birth_date": canary.BIRTH_DATE}
    good = await insurance.records("An", fields=["full_name", "birth_date", "permanent_residence"], **told)
    assert (await insurance.read(good))["answer"]["fields"]["full_name"]["value"] == canary.FULL_NAME
    assert (await insurance.matches("An", match=match, **told)).status_code == 200
    assert (await insurance.matches("An", match=match | {"full_name": canary.WRONG_NAME}, **told)).status_code == 200
    assert (await education.records("An", fields=["children"], **told)).status_code == 200
    stranger = {**told, "person": {**PERSON, "full_name": canary.WRONG_NAME}}
    assert (await insurance.records("An", fields=["full_name"], **stranger)).status_code == 404
    assert (await insurance.records("An", fields=["religion"], **told)).status_code == 403
    assert (
        await insurance.records("An", fields=["full_name"], **{**told, "purpose": "zar-purpose"})
    ).status_code == 403
    for bent in (
        {"person": {"number": canary.TYPED_NUMBER}},
        {"person": {"birth_date": canary.FULL_NAME}},
        {"dossier": canary.DOSSIER * 20},
        {canary.FULL_NAME: canary.NUMBER},
        {"person": {canary.NUMBER: canary.FULL_NAME}},
    ):
        assert (await insurance.records("An", fields=["full_name"], **{**told, **bent})).status_code == 422
    path = "/api/lookup/v1/matches"
    torn = f'{{"person": {{"number": "{canary.NUMBER}", "full_name": "{canary.FULL_NAME}"'.encode()
    assert (await insurance.send(path, torn)).status_code == 400
    assert (await insurance.send(path, b"\xff" + torn)).status_code == 400
    assert (await insurance.send(path, torn, headers={"Content-Type": "text/plain"})).status_code == 415
    assert (await insurance.send(path, torn * 1_000)).status_code == 413
    assert (await browser.http.post(f"{path}?number={canary.NUMBER}", content=torn)).status_code == 401


async def own_pages(world: LeakWorld, browser: Browser) -> None:
    """My data, history, consents, receipts; a consent withdrawn."""
    assert canary.FULL_NAME in (await browser.open("/me")).text
    history = await browser.open("/me/history")
    assert canary.DOSSIER in history.text
    await browser.open("/me/history", before=canary.FULL_NAME)
    await browser.open("/me/signins")
    page = await browser.open("/me/consents")
    reference = page.text.split('id="consent-', 1)[1].split('"', 1)[0]
    await browser.open(f"/me/consents/{reference}/withdraw")
    page = await browser.submit("withdraw-form")
    assert page.path.startswith("/me/receipts/"), page.text
    await browser.open(f"{page.path}/file")
    await browser.open(f"/me/receipts/{canary.NUMBER}")


async def official_checks(world: LeakWorld, browser: Browser, key: str, *, outside: bool) -> None:
    """An official at his desk: a form to mend, a comparison, fields; outside the area a refusal."""
    await browser.open("/official")
    await browser.sign_in(world.furnished.persona(key))
    page = await browser.open("/official/check")
    assert page.status == 200, world.logs.getvalue()[-3000:]
    service = page.text.split('<option value="desk-check', 1)[1].split('"', 1)[0]
    asked: dict[str, Any] = {
        "service": f"desk-check{service}",
        "dossier": canary.WRONG_DOSSIER,
        "number": canary.NUMBER,
    }
    await browser.submit("check-form", **asked | {"number": canary.TYPED_NUMBER, "full_name": "1" + canary.FULL_NAME})
    await browser.open("/official/check")
    page = await browser.submit("check-form", **asked, full_name=canary.FULL_NAME, birth_date="27/02/1990")
    assert page.status == (403 if outside else 200), page.text
    if outside:
        return
    page = await browser.submit("fields-form", field=["permanent_residence", "household_members"])
    assert "Zarthườngtrú" in page.text
    await browser.open("/official/check")
    page = await browser.submit("check-form", **asked, full_name=canary.WRONG_NAME)
    assert page.status == 404, page.text


async def sign_out(world: LeakWorld, browser: Browser) -> None:
    """By the portal's request, as a link and as a form; then the account is locked and asked for again."""
    party = world.party(browser.http, "portal-enrolment", "openid")
    attempt = party.ask(acr_values=LEVEL)
    page = await browser.open(attempt.url)
    tokens = (await party.exchange(attempt, left_for(page)["code"])).json()
    back = world.furnished.client(party.client_id).post_logout_redirect_uris[0]
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": back, "state": "zar-state"}
    answer = await browser.http.post("/logout", data=asked)
    assert answer.status_code == 303
    page = await browser.open(answer.headers["location"])
    assert page.response.headers["location"].startswith(back), page.text
    await browser.open("/signin", next="/me/lock", aal="2", ial="2")
    await browser.submit("signin-form", number=canary.NUMBER, password=canary.PASSWORD)
    page = await browser.submit("code-form", code=next_code(world))
    name, value = page.form("lock-form").checkboxes[0] if page.form("lock-form").checkboxes else ("x", "x")
    chosen: dict[str, Any] = {name: value}
    await browser.submit("lock-form", **chosen)
    await browser.open("/signin")
    await browser.submit("signin-form", number=canary.NUMBER, password=canary.PASSWORD)


async def errors(world: LeakWorld, browser: Browser) -> None:
    """Addresses that are not, requests that cannot be read, and faults of our own whose messages quote data."""
    http = browser.http
    for path in (f"/{canary.NUMBER}", f"/me/{canary.NUMBER}", f"/static/{canary.NUMBER}", f"/api/{canary.NUMBER}"):
        await http.request("GET", path.replace(canary.NUMBER, "zar%20path"), params={"q": "zar-query"})
    await http.post("/signin", data={"number": [canary.NUMBER, canary.NUMBER], "password": canary.PASSWORD})
    await http.post("/signin", json={"number": canary.NUMBER, "password": canary.PASSWORD})
    await http.post("/signin", data={"number": canary.NUMBER + "\0", "password": canary.PASSWORD})
    await http.post("/signin", data={"number": canary.NUMBER, "password": canary.PASSWORD * 9_000})
    await http.put("/token", data={"code": canary.NUMBER})
    world.furnished.app.add_route(FAULT, _fault, methods=["POST"])
    for kind in ("own", "server", "driver", "session", "task"):
        answer = await http.post(FAULT, content=canary.FULL_NAME, headers={"X-Kind": kind})
        assert answer.status_code == (200 if kind == "task" else 500)
        assert canary.FULL_NAME not in answer.text


async def _fault(request: Request) -> Response:
    """Breaks in the way that is asked for, with data in the exception's message."""
    data, kind = (await request.body()).decode(), request.headers["x-kind"]
    database = part(request, Database)
    if kind == "server":
        async with database.raw() as tx:
            await tx.conn.fetchval("SELECT ($1::text)::integer", data)
    if kind == "driver":
        async with database.raw() as tx:
            await tx.conn.fetchval("SELECT $1::integer", data)
    if kind == "session":
        async with database.page() as page:
            await page.row(
                Query(text("SELECT CAST(CAST(:data AS text) AS integer)").bindparams(bindparam("data"))), data=data
            )
    if kind == "task":
        # Nobody asks how it ended, so the loop tells it itself: with the whole exception in its words.
        asyncio.get_running_loop().create_future().set_exception(RuntimeError(data))
        return Response()
    raise RuntimeError(data)
