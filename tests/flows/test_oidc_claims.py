"""OpenID Connect Core §5: every standard claim, from where it belongs; the claims parameter; whose word it is."""

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from core.cache import Cache
from core.jose import decode_unverified
from identity.api import Identity, SelfDeclared
from population_db.synthetic.personas import persona
from privacy.journal.api import ActorRef, StoredLine
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.provider_fixture import world as provider
from tests.support.provider_world import SCHOOL, ProviderWorld, publish

__all__ = ["provider"]

SAID = {
    "nickname": "Chị An",
    "preferred_username": "an.nguyen",
    "profile": "https://example.vn/an",
    "picture": "https://example.vn/an.jpg",
    "website": "https://an.example.vn/",
    "zoneinfo": "Asia/Ho_Chi_Minh",
    "locale": "vi-VN",
}
PROFILE = {"name", "family_name", "middle_name", "given_name", "birthdate", "gender", "updated_at", *SAID}
REGISTRY_ONLY = "registry-only"


@pytest.fixture(scope="module")
async def world(provider: ProviderWorld) -> ProviderWorld:
    """An says everything of herself, Bình nothing; a second purpose whose policy holds facts of the registry only."""
    await provider.enrol("Dung")
    await provider.enrol("Tam")
    await declare(provider, "An", SAID)
    await publish(provider, REGISTRY_ONLY, fields=frozenset({"full_name", "birth_date"}))
    return provider


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


async def declare(world: ProviderWorld, key: str, said: dict[str, str]) -> None:
    identity, person_id = world.parts.get(Identity), await world.person(key)
    async with world.database.page() as tx:
        kept = await identity.declarations.kept(tx, person_id)
        by = ActorRef("citizen", "tests")
        await identity.declare(tx, person_id, SelfDeclared.of(said), seen=kept.version, by=by)


def claims(**members: Any) -> str:
    return orjson.dumps(members).decode()


async def walked(world: ProviderWorld, portal: RelyingParty, key: str = "An", **ask: Any) -> dict[str, Any]:
    """The token answer of a whole way through, everything allowed."""
    attempt, got = await world.browser().walk(portal, key, **ask)
    answer = await portal.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def told(world: ProviderWorld, portal: RelyingParty, key: str = "An", **ask: Any) -> dict[str, Any]:
    tokens = await walked(world, portal, key, **ask)
    answer = await portal.userinfo(tokens["access_token"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def last_line(world: ProviderWorld, key: str = "An") -> StoredLine:
    return next(line for line in await world.lines(key) if line.line.action == "oidc.userinfo")


async def userinfo_lines(world: ProviderWorld, key: str = "An") -> int:
    return sum(line.line.action == "oidc.userinfo" for line in await world.lines(key))


# --- what a scope stands for ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("openid", set()),
        ("openid profile", PROFILE),
        ("openid email", {"email", "email_verified"}),
        ("openid phone", {"phone_number", "phone_number_verified"}),
        ("openid address", {"address"}),
        (
            "openid profile email phone address",
            PROFILE | {"email", "email_verified", "phone_number", "phone_number_verified", "address"},
        ),
    ],
)
async def test_a_scope_gives_what_it_stands_for(
    world: ProviderWorld, portal: RelyingParty, scope: str, expected: set[str]
) -> None:
    tokens = await walked(world, portal, scope=scope)
    found = (await portal.userinfo(tokens["access_token"])).json()
    assert set(found) == expected | {"sub"}
    assert not set(decode_unverified(tokens["id_token"]).claims) & expected, "no field of a record in an id_token"


async def test_values_are_those_of_the_record_and_of_the_person(world: ProviderWorld, portal: RelyingParty) -> None:
    found = await told(world, portal, scope="openid profile email phone address")
    assert found["name"] == persona("An").full_name
    assert (found["family_name"], found["middle_name"], found["given_name"]) == ("Nguyễn", "Thị", "An")
    assert (found["birthdate"], found["gender"]) == ("1990-09-02", "female")
    assert {name: found[name] for name in SAID} == SAID
    assert found["updated_at"] == int(world.clock.now().timestamp())
    assert found["email_verified"] is False
    assert found["phone_number_verified"] is False
    assert found["phone_number"].startswith("+84")
    assert set(found["address"]) == {"formatted", "locality", "region", "country"}
    assert all(isinstance(text, str) and text for text in found["address"].values())


async def test_a_birth_date_of_which_only_the_year_is_known(world: ProviderWorld, portal: RelyingParty) -> None:
    found = await told(world, portal, "Dung", scope="openid profile")
    assert found["birthdate"].isdigit()
    assert len(found["birthdate"]) == 4


async def test_a_name_of_another_order_has_no_parts(world: ProviderWorld, portal: RelyingParty) -> None:
    found = await told(world, portal, "Tam", scope="openid profile")
    assert found["name"] == "H'Tâm Niê"
    assert not {"family_name", "middle_name", "given_name"} & set(found)


async def test_claims_locales_and_display_are_taken_gracefully(world: ProviderWorld, portal: RelyingParty) -> None:
    found = await told(world, portal, scope="openid profile", claims_locales="se en", display="touch", ui_locales="se")
    assert found["name"] == persona("An").full_name


# --- self-declared: right, reason, trace ------------------------------------------------------------------


async def test_who_says_nothing_of_himself_has_no_such_claims(world: ProviderWorld, portal: RelyingParty) -> None:
    found = await told(world, portal, "Binh", scope="openid profile")
    assert not {*SAID, "updated_at"} & set(found)
    assert "self_declared" not in str((await last_line(world, "Binh")).line.fields)


async def test_a_policy_without_it_never_gives_it(world: ProviderWorld) -> None:
    portal = await world.register(purpose=REGISTRY_ONLY)
    attempt = portal.ask(scope="openid profile", claims=claims(userinfo={"nickname": {"essential": True}}))
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("An")
    assert "self_declared" not in page.text, "what the policy does not hold is not even asked"
    got = browser.got(await browser.allow())
    tokens = (await portal.exchange(attempt, got["code"])).json()
    found = (await portal.userinfo(tokens["access_token"])).json()
    assert set(found) == {"sub", "name", "family_name", "middle_name", "given_name", "birthdate"}


async def test_it_leaves_only_with_its_own_tick(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt = portal.ask(scope="openid profile", prompt="consent")
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("Binh")
    assert 'value="sign-in/self_declared"' in page.text
    assert "Hồ sơ tự khai" in page.text
    await declare(world, "Binh", {"nickname": "Bình"})
    ticks = {"decision": "allow", "purpose": "sign-in", "field": ["sign-in/full_name", "sign-in/sex"]}
    got = browser.got(await browser.send("consent-form", **ticks))
    tokens = (await portal.exchange(attempt, got["code"])).json()
    found = (await portal.userinfo(tokens["access_token"])).json()
    assert set(found) == {"sub", "name", "family_name", "middle_name", "given_name", "gender"}
    await declare(world, "Binh", {})


async def test_the_line_names_each_member(world: ProviderWorld, portal: RelyingParty) -> None:
    before = await userinfo_lines(world)
    await told(world, portal, scope="openid profile")
    assert await userinfo_lines(world) == before + 1, "one answer, one line"
    line = (await last_line(world)).line
    assert set(line.fields) == {"full_name", "birth_date", "sex", *(f"self_declared.{name}" for name in SAID)}


async def test_an_erased_profile_is_gone_at_the_next_answer(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await walked(world, portal, scope="openid profile")
    assert "nickname" in (await portal.userinfo(tokens["access_token"])).json()
    await declare(world, "An", {"locale": "en-GB"})
    found = (await portal.userinfo(tokens["access_token"])).json()
    assert (found["locale"], "nickname" in found) == ("en-GB", False)
    await declare(world, "An", {})
    assert not {*SAID, "updated_at"} & set((await portal.userinfo(tokens["access_token"])).json())
    await declare(world, "An", SAID)


async def test_a_purpose_scope_does_not_bring_it(world: ProviderWorld) -> None:
    scope = f"openid purpose:sign-in purpose:{SCHOOL}"
    found = await told(world, await world.register(scope=scope), scope=scope)
    assert "urn:dinhdanh:claim:card" in found, "all of the policy's facts"
    assert not any("self_declared" in name for name in found)
    assert not set(SAID) & set(found)


# --- the claims parameter ---------------------------------------------------------------------------------


async def test_single_claims_and_nothing_else_of_their_field(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = {
        "given_name": {"essential": True},
        "nickname": None,
        "email_verified": {},
        "nationalities": None,
        "place_of_birth": {"essential": False},
        "urn:dinhdanh:claim:marital_status": None,
        "urn:dinhdanh:claim:religion": {"essential": True},  # not in the policy
        "urn:dinhdanh:claim:full_name": None,  # has a standard name
        "shoe_size": None,
        "name#ja-Kana-JP": None,
        "acr": None,
    }
    found = await told(world, portal, scope="openid", claims=claims(userinfo=asked))
    assert set(found) == {"sub", "given_name", "nickname", "email_verified", "urn:dinhdanh:claim:marital_status"}


async def test_a_value_that_is_met_and_one_that_is_not(world: ProviderWorld, portal: RelyingParty) -> None:
    """What does not meet its value is left out, whichever way else it was asked for, and the asking is on record."""
    asked = {
        "birthdate": {"value": "1990-09-02"},
        "name": {"values": ["Ai đó khác", "Nguyễn Thị An"], "essential": True},
        "gender": {"value": "male"},
        "email_verified": {"value": True},
        "phone_number_verified": {"value": False},
        "nickname": {"values": ["Chị An"]},
        "urn:dinhdanh:claim:marital_status": {"value": 1},
    }
    before = await userinfo_lines(world)
    found = await told(world, portal, scope="openid profile", claims=claims(userinfo=asked))
    assert {"birthdate", "name", "phone_number_verified", "nickname"} <= set(found)
    assert not {"gender", "email_verified", "urn:dinhdanh:claim:marital_status"} & set(found)
    assert await userinfo_lines(world) == before + 1
    line = (await last_line(world)).line
    assert {"sex", "email", "marital_status"} <= set(line.fields), "compared is disclosed, as far as the record goes"
    assert set(line.details["compared"].split()) == set(asked)
    assert "1990" not in str(line.details)


async def test_a_value_is_no_way_around_the_policy(world: ProviderWorld) -> None:
    portal = await world.register(purpose=REGISTRY_ONLY)
    for value in ("female", "male"):
        asked = claims(userinfo={"gender": {"value": value}, "urn:dinhdanh:claim:religion": {"value": "none"}})
        before = await userinfo_lines(world)
        found = await told(world, portal, scope="openid", claims=asked)
        assert set(found) == {"sub"}
        assert await userinfo_lines(world) == before


async def test_a_value_is_no_way_around_the_consent(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = claims(userinfo={"gender": {"value": "male"}, "birthdate": None})
    attempt = portal.ask(scope="openid", claims=asked, prompt="consent")
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("Binh")
    assert 'value="sign-in/sex"' in page.text, "a claim that is only compared is asked for like any other"
    got = browser.got(
        await browser.send("consent-form", decision="allow", purpose="sign-in", field="sign-in/birth_date")
    )
    tokens = (await portal.exchange(attempt, got["code"])).json()
    assert set((await portal.userinfo(tokens["access_token"])).json()) == {"sub", "birthdate"}


async def test_values_lie_nowhere_in_clear(world: ProviderWorld, portal: RelyingParty) -> None:
    """They would be personal data in the cache and in the grant (both ways in, pushed and open)."""
    secret = "Zarqueldồng Vixthảo"
    needle = orjson.dumps(secret)[1:-1]
    fapi = await world.register(profile="fapi2", method="private_key_jwt")
    for party in (portal, fapi):
        verified = {"verification": {"trust_framework": None}, "claims": {"name": {"value": secret}}}
        asked = claims(userinfo={"name": {"value": secret}, "verified_claims": verified})
        browser = world.browser()
        attempt = (
            await party.pushed(scope="openid profile", claims=asked)
            if party is fapi
            else party.ask(scope="openid profile", claims=asked)
        )
        await browser.open(attempt.url)
        page = await browser.sign_in("An")
        redis = world.parts.get(Cache).redis
        for key in await redis.keys("*"):
            if await redis.type(key) == b"string":
                assert needle not in (await redis.get(key) or b"")
        got = browser.got(await browser.allow() if 'id="consent-form"' in page.text else page)
        answer = await party.exchange(attempt, got["code"])
        assert "name" not in (await party.userinfo(answer.json()["access_token"])).json()
    rows = await world.fetch("SELECT claims::text AS kept FROM oidc.grants WHERE claims::text LIKE '%blind%'")
    assert len(rows) >= 2
    assert all(secret not in row["kept"] for row in rows)


async def test_later_answers_hold_to_the_request(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = claims(userinfo={"given_name": None, "urn:dinhdanh:claim:marital_status": None})
    tokens = await walked(world, portal, scope="openid email offline_access", claims=asked)
    expected = {"sub", "email", "email_verified", "given_name", "urn:dinhdanh:claim:marital_status"}
    world.clock.advance(timedelta(days=20))
    refresh_token = tokens["refresh_token"]
    tokens = (await portal.refresh(refresh_token)).json()
    assert set((await portal.userinfo(tokens["access_token"])).json()) == expected
    tokens = (await portal.refresh(refresh_token, scope="openid")).json()
    assert set((await portal.userinfo(tokens["access_token"])).json()) == expected - {"email", "email_verified"}


async def test_the_id_token_member_knows_the_protocol_only(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = {
        "name": {"essential": True},
        "nickname": None,
        "auth_time": {"essential": True},
        "acr": {"essential": True, "values": ["urn:dinhdanh:loa:ial1:aal1"]},
    }
    tokens = await walked(world, portal, scope="openid", claims=claims(id_token=asked))
    found = decode_unverified(tokens["id_token"]).claims
    assert found["auth_time"] == int(world.clock.now().timestamp())
    assert found["acr"] == "urn:dinhdanh:loa:ial1:aal1"
    assert not {"name", "nickname"} & set(found)
    assert set((await portal.userinfo(tokens["access_token"])).json()) == {"sub"}


@pytest.mark.parametrize(
    "raw",
    [
        "[]",
        "name",
        '{"userinfo": 1}',
        '{"userinfo": {"name": "An"}}',
        '{"userinfo": {"name": {"essential": 1}}}',
        '{"userinfo": {"name": {"values": []}}}',
        '{"userinfo": {"name": {"value": "a", "values": ["b"]}}}',
        '{"userinfo": ' + '{"a":' * 20 + "1" + "}" * 21,
        '{"userinfo": {' + ",".join(f'"c{n}": null' for n in range(101)) + "}}",
    ],
)
async def test_a_malformed_parameter_goes_back_to_the_portal(
    world: ProviderWorld, portal: RelyingParty, raw: str
) -> None:
    """Security case 50."""
    attempt = portal.ask(claims=raw)
    got = answer_of(await world.http().get(attempt.url))
    assert (got["error"], got["state"], got["iss"]) == ("invalid_request", attempt.state, world.issuer)


async def test_a_parameter_beyond_all_bounds(world: ProviderWorld) -> None:
    """Security case 50: a megabyte."""
    party = await world.register(profile="fapi2", method="private_key_jwt")
    answer = await party.push(party.ask(claims='{"userinfo": {"name": {"value": "' + "x" * 1_000_000 + '"}}}'))
    assert answer.status_code in {400, 413}
    assert answer.json()["error"] == "invalid_request"
    answer = await party.push(party.ask(claims=claims(userinfo={"name": {"value": "x" * 20_000}})))
    assert answer.json()["error"] == "invalid_request"


async def test_an_ended_consent_ends_the_answers(world: ProviderWorld, portal: RelyingParty) -> None:
    """A consent that ends takes the self-declared along with the facts."""
    tokens = await walked(world, portal, scope="openid profile")
    person_id = await world.person("An")
    async with world.owner.raw() as tx:
        await tx.conn.execute(
            "UPDATE consent.consents SET withdrawn_at = $1, withdrawn_by = 'subject' WHERE person_id = $2"
            " AND withdrawn_at IS NULL",
            world.clock.now(),
            person_id,
        )
    answer: httpx.Response = await portal.userinfo(tokens["access_token"])
    assert answer.status_code == 401
    assert (await last_line(world)).line.kind == "refusal"
