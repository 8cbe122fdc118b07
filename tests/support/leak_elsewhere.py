"""The canary is asked by a desk and signs a kiosk in: right, wrong, refused. What clients write must stay sealed."""

from tests.actors.browser import Browser, Page
from tests.support import leak_canaries as canary
from tests.support.leak_world import LeakWorld

CIBA = "urn:openid:params:grant-type:ciba"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid profile"


async def desk(world: LeakWorld, browser: Browser) -> None:
    """Asked with the number and a message; hints that mean nobody; allowed, refused, collected twice."""
    party = world.party(browser.http, "desk-one-stop")
    asked = {"scope": SCOPE, "login_hint": canary.NUMBER, "binding_message": canary.FULL_NAME}
    for bent in ({"login_hint": canary.FULL_NAME}, {"binding_message": canary.DOSSIER * 9}, {"id_token_hint": "zar"}):
        assert (await party.post("/bc-authorize", {**asked, **bent})).status_code == 400
    for number in (canary.TYPED_NUMBER, canary.FORMER_NUMBER):
        await party.post("/bc-authorize", {**asked, "login_hint": number})
    answers = []
    for decision in ("allow", "refuse"):
        answer = await party.post("/bc-authorize", asked)
        assert answer.status_code == 200, answer.text
        page = await browser.open("/me/requests")
        assert canary.FULL_NAME in page.text
        await browser.open("/me/requests/" + page.text.split('href="/me/requests/', 1)[1].split('"', 1)[0])
        page = await browser.submit("request-form", button=("decision", decision))
        if page.path == "/consent":
            page = await _agree(browser)
        assert "data-outcome" in page.text, page.text
        form = {"grant_type": CIBA, "auth_req_id": answer.json()["auth_req_id"]}
        answers += [(await party.post("/token", form)).status_code for _ in range(2)]
    assert answers == [200, 400, 400, 400]
    await browser.open(f"/me/requests/{canary.NUMBER}")


async def kiosk(world: LeakWorld, browser: Browser) -> None:
    """Codes typed wrong, the right one by the link, allowed, collected."""
    party = world.party(browser.http, "conformance-device-1")
    told = (await party.post("/device_authorization", {"scope": SCOPE})).json()
    world.needles.add("user code", told["user_code"].replace("-", ""))
    await browser.open("/device")
    for typed in (canary.FULL_NAME, canary.NUMBER, "BBBB-BBBB"):
        await browser.submit("device-form", user_code=typed)
    await browser.submit("device-form", user_code=told["user_code"])
    page = await browser.submit("device-confirm-form", button=("decision", "allow"), same="yes")
    if page.path == "/consent":
        page = await _agree(browser)
    assert 'data-outcome="allowed"' in page.text, page.text
    form = {"grant_type": DEVICE, "device_code": told["device_code"]}
    assert (await party.post("/token", form)).status_code == 200
    await party.post("/token", {**form, "device_code": canary.FORGED_TOKEN})


async def _agree(browser: Browser) -> Page:
    assert browser.page is not None
    chosen: dict[str, list[str]] = {}
    for name, value in browser.page.form("consent-form").checkboxes:
        chosen.setdefault(name, []).append(value)
    return await browser.submit("consent-form", button=("decision", "allow"), **chosen)
