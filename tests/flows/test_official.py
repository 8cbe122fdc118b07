"""An official at the desk: match first, then fields, within his area and duty, always on the record."""

import asyncio
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from consent.brake import MISSES_PER_PERSON
from core.cache import Cache
from core.clock import vietnam_day
from core.errors import NotFound
from identity.api import Identity
from population_db.synthetic.personas import PERSONAS, persona
from tests.actors.official import CHECK, OfficialAtDesk, matches_in, refusal_in
from tests.support.disclosure_world import record_of
from tests.support.provider_world import AGENCY, ProviderWorld, publish

PURPOSE, PROCEDURE = "desk-check", "1.004194"
SERVICE = f"{PURPOSE}|{PROCEDURE}"
FIELDS = frozenset({"full_name", "birth_date", "sex", "life_status", "marital_status", "permanent_residence"})
BOTH = frozenset({"check.match", "check.fields"})


@pytest.fixture(scope="module")
async def world(plain_world: ProviderWorld) -> ProviderWorld:
    async with plain_world.database.page() as tx:
        await plain_world.parts.get(Identity).create_unit(tx, AGENCY, "H26.12.01", "Một cửa", "One-stop desk")
    await publish(
        plain_world,
        PURPOSE,
        fields=FIELDS,
        legal_bases=frozenset({"statutory-duty"}),
        procedures=frozenset({PROCEDURE}),
        keep_days=30,
        consent_days=30,
        needs_dossier=True,
        needs_procedure=True,
        min_aal=2,
        min_ial=2,
    )
    return plain_world


@pytest.fixture(autouse=True)
async def fresh_counts(world: ProviderWorld) -> None:
    """No brake left over from the test before (and nobody signed in)."""
    await world.parts.get(Cache).redis.flushdb()


async def appoint(world: ProviderWorld, key: str, **terms: Any) -> uuid.UUID:
    """An appointment at the one-stop desk, since yesterday, for all of the country."""
    today = vietnam_day(world.clock.now())
    values: dict[str, Any] = {
        "areas": {"*"},
        "permissions": BOTH,
        "valid_from": today - timedelta(days=1),
        "valid_to": None,
        **terms,
    }
    if key not in world.totp:
        await world.enrol(key)
    async with world.database.page() as tx:
        return await world.parts.get(Identity).appoint(
            tx, await world.person(key), AGENCY, "H26.12.01", "Cán bộ tiếp nhận", **values
        )


async def end(world: ProviderWorld, key: str, appointment_id: uuid.UUID) -> None:
    async with world.database.page() as tx:
        await world.parts.get(Identity).end_appointment(tx, await world.person(key), appointment_id)


class Appointed:
    """An official for the length of a test: appointed, signed in, and dismissed at its end."""

    def __init__(self, world: ProviderWorld, key: str = "Minh", **terms: Any) -> None:
        self.world, self.key, self.terms = world, key, terms

    async def __aenter__(self) -> OfficialAtDesk:
        self.appointment_id = await appoint(self.world, self.key, **self.terms)
        # A code of the authenticator is good once: the next sign-in needs the next step.
        self.world.clock.advance(timedelta(seconds=30))
        desk = OfficialAtDesk(self.world.browser(), SERVICE)
        page = await desk.sign_in(self.key)
        assert 'id="start-check"' in page.text, page.text[:3000]
        return desk

    async def __aexit__(self, *_: object) -> None:
        with suppress(NotFound):  # a test may have ended it already
            await end(self.world, self.key, self.appointment_id)


async def count(world: ProviderWorld, key: str) -> int:
    return len(await world.lines(key))


async def test_match_first_then_the_ticked_fields(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        before = await count(world, "An")
        page = await desk.check("An", birth_date="/".join(reversed(record_of("An")["birth_date"].split("-"))))
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        assert matches_in(page) == {"full_name": "match", "birth_date": "match"}
        assert 'id="value-life_status">Còn sống' in page.text
        assert " checked" not in page.text
        assert record_of("An")["permanent_residence"]["text"] not in page.text
        shown = await desk.view("permanent_residence")
        assert shown.status_code == 200
        assert 'id="value-permanent_residence"' in shown.text
        assert 'id="value-marital_status"' not in shown.text
        lines = (await world.lines("An"))[: (await count(world, "An")) - before]
        assert [line.line.action for line in lines] == ["official.fields", "official.match"]
        opened = lines[0].line
        assert opened.fields == ("permanent_residence",)
        assert (opened.procedure, opened.dossier, opened.legal_basis) == (PROCEDURE, desk.dossier, "statutory-duty")
        assert opened.actor.kind == "official"
        assert opened.actor.appointment is not None
        assert "Cán bộ tiếp nhận" in opened.actor.name_hint
        assert str(lines[0].line_id) in shown.text


async def test_one_wrong_value_is_told_and_closes_the_fields(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        page = await desk.check("An", birth_date="01/01/1991")
        assert matches_in(page) == {"full_name": "match", "birth_date": "no-match"}
        assert 'id="fields-form"' not in page.text
        direct = await desk.view_directly("An", "permanent_residence", birth_date="01/01/1991")
        assert refusal_in(direct) == "person-not-matched"


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("An", {"full_name": "Nguyễn Thị Ân"}),
        ("An", {"number": "036190999999"}),
        ("An", {"number": persona("Binh").number}),
        ("Giang", {"number": record_of("Giang")["former_numbers"][0]["number"]}),
    ],
)
async def test_who_does_not_match_is_not_shown_and_the_attempt_is_recorded(
    world: ProviderWorld, key: str, changes: dict[str, str]
) -> None:
    async with Appointed(world) as desk:
        before = await world.fetch("SELECT count(*) AS n FROM privacy.journal_lines WHERE kind = 'refusal'")
        page = await desk.check(key, **changes)
        assert (page.status_code, refusal_in(page)) == (404, "person-not-matched")
        after = await world.fetch("SELECT count(*) AS n FROM privacy.journal_lines WHERE kind = 'refusal'")
        assert after[0]["n"] == before[0]["n"] + 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service": ""}, "service"),
        ({"service": "school-enrolment|1.1"}, "service"),
        ({"dossier": " "}, "dossier"),
        ({"number": "12345"}, "number"),
        ({"number": "abcdefghijkl"}, "number"),
        ({"full_name": ""}, "full_name"),
        ({"full_name": "", "birth_date": "1990"}, "full_name"),
        ({"full_name": "An 2"}, "full_name"),
        ({"birth_date": "31/02/1990"}, "birth_date"),
    ],
)
async def test_entries_to_mend(world: ProviderWorld, changes: dict[str, str], field: str) -> None:
    async with Appointed(world) as desk:
        before = await count(world, "An")
        page = await desk.check("An", **changes)
        assert page.status_code == 422
        assert f'id="{field}-error"' in page.text
        assert await count(world, "An") == before


async def test_beyond_the_area(world: ProviderWorld) -> None:
    """An lives in Hà Nội; the official is appointed for Nghệ An."""
    async with Appointed(world, areas={"40"}) as desk:
        for page in (await desk.check("An"), await desk.view_directly("An", "sex")):
            assert (page.status_code, refusal_in(page)) == (403, "outside-area")
        line = (await world.lines("An"))[0].line
        assert (line.kind, line.reason, line.actor.kind) == ("refusal", "outside-area", "official")


async def test_an_area_may_be_a_commune(world: ProviderWorld) -> None:
    home = record_of("An")["permanent_residence"]
    async with Appointed(world, areas={home["commune"]}) as desk:
        assert matches_in(await desk.check("An")) == {"full_name": "match"}


async def test_on_himself(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        for page in (await desk.check("Minh"), await desk.view_directly("Minh", "sex")):
            assert refusal_in(page) == "own-record"
        line = (await world.lines("Minh"))[0].line
        assert (line.kind, line.reason) == ("refusal", "own-record")


async def test_on_his_family(world: ProviderWorld) -> None:
    """Binh as an official looks at his wife, his child and his father-in-law's household mates: not he."""
    async with Appointed(world, "Binh") as desk:
        for relative in ("An", "Khoi"):
            page = await desk.check(relative)
            assert (page.status_code, refusal_in(page)) == (403, "own-family"), relative
            line = (await world.lines(relative))[0].line
            assert (line.kind, line.reason) == ("refusal", "own-family")
        assert matches_in(await desk.check("Tam")) == {"full_name": "match"}


async def test_a_mother_is_family_though_she_lives_elsewhere(world: ProviderWorld) -> None:
    async with Appointed(world, "An") as desk:
        assert refusal_in(await desk.check("Quy")) == "own-family"


async def test_without_the_permission_to_view(world: ProviderWorld) -> None:
    async with Appointed(world, permissions={"check.match"}) as desk:
        page = await desk.check("An")
        assert matches_in(page) == {"full_name": "match"}
        assert 'id="fields-form"' not in page.text
        assert refusal_in(await desk.view_directly("An", "sex")) == "permission-missing"


async def test_fields_beyond_the_policy(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        page = await desk.view_directly("An", "sex", "religion")
        assert refusal_in(page) == "field-not-allowed"
        unknown = await desk.view_directly("An", "no_such_field")
        assert refusal_in(unknown) == "field-not-allowed"


async def test_no_field_ticked(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        await desk.check("An")
        page = await desk.view()
        assert page.status_code == 422


async def test_an_appointment_that_is_ended_meanwhile(world: ProviderWorld) -> None:
    """The session still remembers it; the desk asks again at every look."""
    appointed = Appointed(world)
    async with appointed as desk:
        assert matches_in(await desk.check("An")) == {"full_name": "match"}
        await end(world, "Minh", appointed.appointment_id)
        assert refusal_in(await desk.check("An")) == "appointment-not-valid"
        line = (await world.lines("An"))[0].line
        assert line.kind == "disclosure"  # nobody was looked at by the refused one
        nobody = await world.fetch(
            "SELECT actor_kind FROM privacy.journal_lines WHERE kind = 'refusal' ORDER BY recorded_at DESC LIMIT 1"
        )
        assert nobody[0]["actor_kind"] == "official"


async def test_an_appointment_whose_last_day_has_passed(world: ProviderWorld) -> None:
    today = vietnam_day(world.clock.now())
    async with Appointed(world, valid_to=today) as desk:
        assert matches_in(await desk.check("An")) == {"full_name": "match"}
        world.clock.advance(timedelta(days=1))
        try:
            answer = await desk.browser.http.get(CHECK)
        finally:
            world.clock.advance(-timedelta(days=1))
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(("/official/appointment", "/signin"))


async def test_who_is_no_official_does_not_get_in(world: ProviderWorld) -> None:
    browser = world.browser()
    world.clock.advance(timedelta(seconds=30))
    await browser.open("/official")
    page = await browser.sign_in("An")
    assert 'id="no-appointment"' in page.text
    answer = await browser.http.get(CHECK)
    assert (answer.status_code, answer.headers["location"]) == (303, "/official/appointment")


async def test_one_factor_is_not_enough(world: ProviderWorld) -> None:
    async with world.http() as http:
        answer = await http.get(CHECK)
        assert answer.status_code == 303
        assert "aal=2" in answer.headers["location"]
        assert "ial=2" in answer.headers["location"]


async def test_the_form_needs_its_token(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        answer = await desk.browser.http.post(CHECK, data={"service": SERVICE, "csrf": "x"})
        assert answer.status_code == 403
        elsewhere = await desk.view_directly("An", "sex", csrf="0" * 64)
        assert elsewhere.status_code == 403


async def test_guessing_is_braked(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        codes = [refusal_in(await desk.check("An", full_name="Trần An")) for _ in range(MISSES_PER_PERSON + 1)]
        assert codes == ["person-not-matched"] * MISSES_PER_PERSON + ["too-many-misses"]


async def test_the_dead_are_found_since_the_policy_holds_the_life_status(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        page = await desk.check("Phuc")
        assert matches_in(page) == {"full_name": "match"}
        assert 'id="value-life_status"' in page.text


async def test_pages_are_in_both_languages(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        vietnamese = await desk.browser.http.get(CHECK)
        english = await desk.browser.http.get(f"{CHECK}?lang=en")
        assert "Kiểm tra dữ liệu của người dân" in vietnamese.text
        assert "Check a person" in english.text
        assert english.headers["content-language"] == "en"


async def test_what_is_typed_comes_back_escaped(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        page = await desk.check("An", dossier='"><script>alert(1)</script>', number="1")
        assert page.status_code == 422
        assert "<script>" not in page.text


async def test_nothing_personal_stays_in_the_cache(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        await desk.check("An")
        await desk.view("permanent_residence", "birth_date")
        redis = world.parts.get(Cache).redis
        strings = [key for key in await redis.keys("*") if await redis.type(key) == b"string"]
        text = str(await redis.mget(strings)) + str(await redis.keys("*"))
        for canary in (persona("An").number, "Nguyễn Thị An", record_of("An")["permanent_residence"]["text"]):
            assert canary not in text
            assert str(canary.encode())[2:-1] not in text


def test_the_personas_of_these_tests_are_there() -> None:
    assert {one.key for one in PERSONAS} >= {"An", "Binh", "Khoi", "Quy", "Tam", "Giang", "Phuc", "Minh"}


async def test_two_looks_at_once_are_two_lines(world: ProviderWorld) -> None:
    async with Appointed(world) as desk:
        before = await count(world, "Tam")
        pages = await asyncio.gather(*(desk.view_directly("Tam", "sex") for _ in range(4)))
        assert [page.status_code for page in pages] == [200] * 4
        assert await count(world, "Tam") == before + 4
