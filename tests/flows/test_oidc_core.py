"""OpenID Connect Core §3.1.2: prompt, max_age, acr, hints; the walk (security cases 53, 54, 62)."""

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pyotp
import pytest

from core.cache import Cache
from core.jose import decode_unverified
from population_db.synthetic.personas import persona
from tests.actors.relying_party import RelyingParty, answer_of, asked_acr, essential_acr
from tests.support.provider_fixture import world
from tests.support.provider_world import SCHOOL, STRICT, CitizenBrowser, ProviderWorld

__all__ = ["world"]

IAL2_AAL2 = "urn:dinhdanh:loa:ial2:aal2"


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


async def id_token(portal: RelyingParty, attempt: Any, got: dict[str, str]) -> dict[str, Any]:
    answer = await portal.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    return dict(decode_unverified(answer.json()["id_token"]).claims)


async def in_cache(world: ProviderWorld, text: str) -> bool:
    """Whether it stands in the clear anywhere in Redis."""
    redis = world.parts.get(Cache).redis
    texts = [key for key in await redis.keys("*") if await redis.type(key) == b"string"]
    return any([text.encode() in (await redis.get(key) or b"") for key in texts])


# --- prompt and session -----------------------------------------------------------------------------------


async def test_a_second_portal_is_one_redirect(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    await browser.walk(portal)
    second = await world.register()
    attempt = second.ask()
    answer = await browser.http.get(attempt.url)  # no page in between
    assert answer_of(answer)["code"]


async def test_prompt_none_never_shows_a_page(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 53."""
    browser = world.browser()

    async def silent(**changes: Any) -> dict[str, str]:
        return answer_of(await browser.http.get(portal.ask(prompt="none", **changes).url))

    assert (await silent())["error"] == "login_required"
    await browser.walk(portal)
    assert (await silent())["code"]
    assert (await silent(scope=f"openid purpose:{SCHOOL}"))["error"] == "consent_required"
    assert (await silent(max_age="0"))["error"] == "login_required"
    assert (await silent(claims=essential_acr(IAL2_AAL2)))["error"] == "login_required"
    # A wish is no reason to fail: the answer's `acr` says what the session is.
    assert (await silent(acr_values=IAL2_AAL2))["code"]


async def test_prompt_login_asks_again(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    await browser.walk(portal)
    for changes in ({"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}):
        world.clock.advance(timedelta(seconds=5))
        attempt = portal.ask(**changes)
        page = await browser.open(attempt.url)
        assert 'id="signin-form"' in page.text, changes
        # The page is not to be skipped by going on without it.
        resumed = await browser.open(str(page.url).replace("/signin", "/authorize/resume"))
        assert 'id="signin-form"' in resumed.text
        claims = await id_token(portal, attempt, browser.got(await browser.sign_in("An")))
        assert claims["auth_time"] == int(world.clock.now().timestamp())


async def test_max_age_is_counted_from_the_request(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    await browser.walk(portal)
    signed_in_at = int(world.clock.now().timestamp())
    world.clock.advance(timedelta(seconds=100))
    attempt = portal.ask(max_age="100")
    claims = await id_token(portal, attempt, answer_of(await browser.http.get(attempt.url)))
    assert claims["auth_time"] == signed_in_at
    page = await browser.open(portal.ask(max_age="99").url)
    assert 'id="signin-form"' in page.text


async def test_a_registered_default_max_age(world: ProviderWorld) -> None:
    portal = await world.register(default_max_age=60)
    browser = world.browser()
    await browser.walk(portal)
    world.clock.advance(timedelta(seconds=61))
    assert answer_of(await browser.http.get(portal.ask(prompt="none").url))["error"] == "login_required"


async def test_a_person_who_turns_back(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    attempt = portal.ask()
    await browser.open(attempt.url)
    got = browser.got(await browser.send("leave-form"))
    assert (got["error"], got["state"]) == ("access_denied", attempt.state)


# --- levels -----------------------------------------------------------------------------------------------


async def test_acr_values_step_up(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    attempt, got = await browser.walk(portal)
    assert (await id_token(portal, attempt, got))["acr"] == "urn:dinhdanh:loa:ial2:aal1"
    attempt = portal.ask(acr_values=f"phr {IAL2_AAL2}")
    page = await browser.open(attempt.url)
    assert 'id="code-form"' in page.text or 'id="signin-form"' in page.text
    got = browser.got(await _step_up(world, browser))
    claims = await id_token(portal, attempt, got)
    assert claims["acr"] == IAL2_AAL2
    assert set(claims["amr"]) == {"pwd", "otp", "mfa"}


@pytest.mark.parametrize("ask", [{"acr_values": IAL2_AAL2}, {"claims": asked_acr(IAL2_AAL2)}])
async def test_a_voluntary_acr_that_cannot_be_met_is_no_error(
    world: ProviderWorld, portal: RelyingParty, ask: dict[str, str]
) -> None:
    """§5.5.1.1: the session's own level is told instead. Chau has level 1 and no second factor."""
    browser = world.browser()
    attempt, got = await browser.walk(portal, "Chau", scope="openid", **ask)
    assert (await id_token(portal, attempt, got))["acr"] == "urn:dinhdanh:loa:ial1:aal1"
    # With a session as well, and without asking anything again.
    attempt = portal.ask(scope="openid", **ask)
    got = browser.got(await browser.open(attempt.url))
    assert (await id_token(portal, attempt, got))["acr"] == "urn:dinhdanh:loa:ial1:aal1"


async def test_an_essential_acr_that_cannot_be_met_is_an_error(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 54: never a weaker one."""
    unknown = portal.ask(claims=essential_acr("urn:mace:incommon:iap:gold"))
    assert answer_of(await world.http().get(unknown.url))["error"] == "unmet_authentication_requirements"
    browser = world.browser()
    attempt = portal.ask(claims=essential_acr(IAL2_AAL2))
    await browser.open(attempt.url)
    page = await browser.sign_in("Chau")  # level 1, no second factor
    assert page.status_code == 403
    got = browser.got(await browser.send("leave-form"))
    assert got["error"] == "unmet_authentication_requirements"


async def test_an_essential_acr_is_answered_by_an_asked_value(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt, got = await world.browser().walk(portal, claims=essential_acr("urn:dinhdanh:loa:ial1:aal1"))
    assert (await id_token(portal, attempt, got))["acr"] == "urn:dinhdanh:loa:ial1:aal1"


async def test_the_level_of_a_policy_holds_also_when_nothing_is_left_to_ask(
    world: ProviderWorld, portal: RelyingParty
) -> None:
    scope = f"openid purpose:{STRICT}"
    browser = world.browser()
    await browser.open(portal.ask(scope=scope).url)
    page = await browser.sign_in("Binh")
    if 'id="code-form"' in page.text:
        page = await _step_up(world, browser, "Binh")
    assert browser.got(await browser.allow())["code"]
    world.clock.advance(timedelta(seconds=60))
    lower = world.browser()
    await lower.open(portal.ask().url)
    await lower.sign_in("Binh")  # the password alone
    silent = answer_of(await lower.http.get(portal.ask(scope=scope, prompt="none").url))
    assert silent["error"] == "login_required"
    await lower.open(portal.ask(scope=scope).url)
    assert lower.got(await _step_up(world, lower, "Binh"))["code"]


# --- who --------------------------------------------------------------------------------------------------


async def test_only_the_expected_person(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    attempt, got = await browser.walk(portal)
    hint = (await portal.exchange(attempt, got["code"])).json()["id_token"]
    other = world.browser()
    await other.walk(portal, "Binh")
    silent = answer_of(await other.http.get(portal.ask(prompt="none", id_token_hint=hint).url))
    assert silent["error"] == "login_required"
    page = await other.open(portal.ask(id_token_hint=hint).url)
    assert 'id="signin-form"' in page.text
    assert other.got(await other.sign_in("Binh"))["error"] == "login_required"
    assert answer_of(await browser.http.get(portal.ask(prompt="none", id_token_hint=hint).url))["code"]
    foreign = await world.register()
    got = answer_of(await browser.http.get(foreign.ask(prompt="none", id_token_hint=hint).url))
    assert got["error"] == "invalid_request"
    sub = decode_unverified(hint).claims["sub"]
    asked = orjson.dumps({"id_token": {"sub": {"value": sub}}}).decode()
    assert answer_of(await browser.http.get(portal.ask(prompt="none", claims=asked).url))["code"]
    asked = orjson.dumps({"id_token": {"sub": {"value": "somebody else"}}}).decode()
    assert answer_of(await browser.http.get(portal.ask(prompt="none", claims=asked).url))["error"] == "login_required"


async def test_a_subject_is_the_same_in_a_sector_and_another_in_another(world: ProviderWorld) -> None:
    subjects = []
    for sector in ("one.example", "one.example", "two.example"):
        portal = await world.register(sector=sector)
        attempt, got = await world.browser().walk(portal)
        subjects.append((await id_token(portal, attempt, got))["sub"])
    assert subjects[0] == subjects[1] != subjects[2]
    assert all(persona("An").number not in subject for subject in subjects)


async def test_a_login_hint_is_taken_and_kept_nowhere(world: ProviderWorld, portal: RelyingParty) -> None:
    number = persona("An").number
    page = await world.browser().open(portal.ask(login_hint=number).url)
    assert page.status_code == 200
    assert not await in_cache(world, number)


@pytest.mark.parametrize("way", ["link", "form", "pushed"])
async def test_of_an_id_token_hint_only_its_subject_is_kept(
    world: ProviderWorld, portal: RelyingParty, way: str
) -> None:
    attempt, got = await world.browser().walk(portal)
    hint = (await portal.exchange(attempt, got["code"])).json()["id_token"]
    browser, attempt = world.browser(), portal.ask(id_token_hint=hint)
    url = attempt.url
    if way == "form":
        url = (await browser.http.post("/authorize", data=attempt.params)).headers["location"]
    if way == "pushed":
        attempt = await portal.pushed(id_token_hint=hint)
        url = attempt.url
    assert not await in_cache(world, hint)
    page = await browser.open(url)
    assert 'id="signin-form"' in page.text
    assert not await in_cache(world, hint)
    assert await in_cache(world, decode_unverified(hint).claims["sub"])
    # Who is meant is not forgotten on the way.
    assert browser.got(await browser.sign_in("Binh"))["error"] == "login_required"


async def test_ui_locales(world: ProviderWorld, portal: RelyingParty) -> None:
    for wanted, lang in (("en vi", "en"), ("fr en", "en"), ("fr", "vi"), ("vi", "vi")):
        page = await world.browser().open(portal.ask(ui_locales=wanted).url)
        assert f'<html lang="{lang}"' in page.text, wanted


# --- the walk itself --------------------------------------------------------------------------------------


async def test_a_walk_belongs_to_its_browser(world: ProviderWorld, portal: RelyingParty) -> None:
    """Case 51."""
    browser = world.browser()
    page = await browser.open(portal.ask().url)
    ident = httpx.QueryParams(page.url.query.decode())["i"]
    stolen = await world.http().get(f"/authorize/resume?i={ident}")
    assert stolen.status_code == 400
    assert "location" not in stolen.headers
    for raw in ("", "i=", "i=x", "i=" + "x" * 100, f"i={ident}&i={ident}"):
        assert (await browser.http.get(f"/authorize/resume?{raw}")).status_code == 400


async def test_a_walk_ends_once(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    page = await browser.open(portal.ask().url)
    ident = httpx.QueryParams(page.url.query.decode())["i"]
    assert browser.got(await browser.sign_in("An"))["code"]
    again = await browser.http.get(f"/authorize/resume?i={ident}")
    assert again.status_code == 400


async def _step_up(world: ProviderWorld, browser: CitizenBrowser, key: str = "An") -> httpx.Response:
    world.clock.advance(timedelta(seconds=60))  # a code is good once
    assert browser.page is not None
    if 'id="signin-form"' in browser.page.text:
        return await browser.sign_in(key)
    code = pyotp.TOTP(world.totp[key]).at(world.clock.now())
    return await browser.send("code-form", code=code)
