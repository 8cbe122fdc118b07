"""The disclosure door by itself: what tells nothing, what brakes, and what happens without a journal."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consent.brake import MISSES_PER_PERSON, WINDOW_SECONDS, Brake
from consent.disclosure import DisclosureDenied, DisclosureRequest, PersonProof
from consent.weigh import Ready, Stopped, weigh
from core.actor import Actor
from core.cache import Cache
from core.database import Database
from core.errors import TooMany, Unavailable
from population_db.api import FIELDS
from population_db.synthetic.personas import persona
from tests.support.counting_tx import CountingTx
from tests.support.disclosure_fixture import made, world
from tests.support.disclosure_world import (
    AGENCY,
    OTHER_AGENCY,
    PENSION,
    SCHOOL,
    DisclosureWorld,
    client_actor,
    lookup,
    record_of,
)

__all__ = ["made", "world"]

UNKNOWN = "036190999999"


def duty(key: str = "An", **changes: Any) -> DisclosureRequest:
    """A question in statutory duty for the sex of a persona."""
    return lookup(key, **{"legal_basis": "statutory-duty", "fields": ("sex",), **changes})


def proof(key: str, **changes: Any) -> PersonProof:
    one = persona(key)
    return replace(PersonProof(one.number, one.full_name), **changes)


NOT_FOUND = {
    "unknown number": proof("An", number=UNKNOWN),
    "no number at all": proof("An", number="999999999999"),
    "wrong name": proof("An", full_name="Nguyễn Thị Ân"),
    "no accents": proof("An", full_name="Nguyen Thi An"),
    "look-alike of a twin": proof("Hoa2", full_name="Võ Thị Hoa"),
    "wrong birth date": proof("An", full_name=None, birth_date="1991-01-01"),
    "right name, wrong date": proof("An", birth_date="1991-01-01"),
    "year where the day is known": proof("An", birth_date="1990"),
    "a day where only the year is known": proof("Dung", full_name=None, birth_date="1947-01-01"),
    "another's number": proof("An", number=persona("Binh").number),
    "dead": proof("Phuc"),
    "cancelled number": proof("Giang", number=record_of("Giang")["former_numbers"][0]["number"]),
}


@pytest.mark.parametrize("legal_basis", ["consent", "statutory-duty"])
async def test_who_is_not_found_gets_one_answer_whatever_the_reason(world: DisclosureWorld, legal_basis: str) -> None:
    seen = set()
    for name, subject in NOT_FOUND.items():
        before = await world.count_lines()
        with pytest.raises(DisclosureDenied) as caught:
            await world.door.disclose_by_itself(duty(subject=subject, legal_basis=legal_basis))
        seen.add((caught.value.status, caught.value.code, caught.value.public, str(caught.value.extra)))
        after = await world.count_lines()
        assert after["refusal"] == before["refusal"] + 1 if "refusal" in before else after["refusal"] == 1, name
        assert after.get("disclosure") == before.get("disclosure"), name
    assert len(seen) == 1


async def statements(world: DisclosureWorld, request: DisclosureRequest) -> tuple[Ready | Stopped, list[str]]:
    async with world.web.raw_read() as inner:
        tx: Any = CountingTx(inner)
        weighed = await weigh(
            tx,
            request,
            registry=world.registry,
            clock=world.clock,
            brake=world.brake,
            declarations=world.declarations,
        )
        return weighed, tx.ran


async def test_known_and_unknown_cost_the_same_statements(world: DisclosureWorld) -> None:
    """Number, policy with consents, record: three, in one order, for everybody with a well-formed number."""
    ready, expected = await statements(world, duty())
    assert isinstance(ready, Ready)
    assert len(expected) == 3
    for name in ("unknown number", "wrong name", "dead", "cancelled number"):
        stopped, ran = await statements(world, duty(subject=NOT_FOUND[name]))
        assert isinstance(stopped, Stopped)
        assert ran == expected, name


async def test_terms_are_refused_before_anybody_is_looked_at(world: DisclosureWorld) -> None:
    """And the line names no subject: by a mere number nobody was found."""
    for subject in (proof("An"), proof("An", number=UNKNOWN)):
        weighed, ran = await statements(world, duty(subject=subject, dossier=None))
        assert isinstance(weighed, Stopped)
        assert weighed.line.subject is None
        assert len(ran) == 2


@pytest.mark.parametrize("subject", [proof("Binh", birth_date="1999-09-09"), proof("Binh", number=UNKNOWN)])
@pytest.mark.parametrize("legal_basis", ["consent", "statutory-duty"])
async def test_guesses_are_braked_alike_for_known_and_unknown(
    world: DisclosureWorld, subject: PersonProof, legal_basis: str
) -> None:
    request = duty(subject=subject, legal_basis=legal_basis)
    for _ in range(MISSES_PER_PERSON):
        with pytest.raises(DisclosureDenied):
            await world.door.disclose_by_itself(request)
    before = await world.count_lines()
    with pytest.raises(TooMany) as caught:
        await world.door.disclose_by_itself(request)
    assert caught.value.retry_after == WINDOW_SECONDS
    assert (await world.count_lines())["refusal"] == before["refusal"] + 1
    # Even the right guess is not told any more within the window.
    right = replace(subject, full_name=persona("Binh").full_name, birth_date=None)
    with pytest.raises(TooMany):
        await world.door.disclose_by_itself(replace(request, subject=right))


async def test_a_missing_consent_counts_like_a_miss(world: DisclosureWorld) -> None:
    """Else nine equal questions would tell whether the particulars were right."""
    request = lookup("Quy")
    for _ in range(MISSES_PER_PERSON):
        with pytest.raises(DisclosureDenied):
            await world.door.disclose_by_itself(request)
    with pytest.raises(TooMany):
        await world.door.disclose_by_itself(request)


async def test_a_birth_date_is_not_found_by_bisection_of_matches(world: DisclosureWorld) -> None:
    """The name is right, so each question is answered; the wrong answers are counted all the same."""
    told = 0
    for day in range(1, 29):
        request = duty("Binh", fields=("birth_date",), matches={"birth_date": f"1988-01-{day:02d}"})
        try:
            await world.door.disclose_by_itself(request)
        except TooMany:
            break
        told += 1
    assert told == MISSES_PER_PERSON


async def test_one_agencys_misses_do_not_brake_another_agency(world: DisclosureWorld) -> None:
    wrong = duty(subject=proof("An", full_name="Trần An"))
    for _ in range(MISSES_PER_PERSON + 1):
        with pytest.raises((DisclosureDenied, TooMany)):
            await world.door.disclose_by_itself(wrong)
    await world.brake.weigh("another-client", persona("An").number, missed=False, together=str(OTHER_AGENCY.agency_id))


async def test_another_client_of_the_agency_gets_no_further_tries(world: DisclosureWorld) -> None:
    """Guessing on with one more client of one's own would make the brake worth nothing."""
    wrong = duty(subject=proof("An", full_name="Trần An"))
    for at in range(MISSES_PER_PERSON):
        with pytest.raises(DisclosureDenied):
            await world.door.disclose_by_itself(replace(wrong, actor=client_actor(f"client-{at}")))
    with pytest.raises(TooMany):
        await world.door.disclose_by_itself(replace(wrong, actor=client_actor("one-more-client")))


async def test_a_sweep_through_numbers_is_braked_as_a_whole(world: DisclosureWorld) -> None:
    brake = Brake(world.cache, world.brake.digest, misses_per_recipient=5)
    for at in range(5):
        await brake.weigh("sweeper", f"03619099900{at}", missed=True)
    with pytest.raises(TooMany):
        await brake.weigh("sweeper", "036190999009", missed=True)
    with pytest.raises(TooMany):
        await brake.weigh("sweeper", persona("An").number, missed=False)
    await brake.weigh("somebody-else", persona("An").number, missed=False)


async def test_no_number_lies_in_the_cache(world: DisclosureWorld) -> None:
    with pytest.raises(DisclosureDenied):
        await world.door.disclose_by_itself(duty(subject=proof("An", full_name="Trần An")))
    keys = await world.cache.redis.keys("*")
    assert keys
    assert all(persona("An").number.encode() not in key for key in keys)


async def test_asking_beyond_policy_is_refused_whichever_way(world: DisclosureWorld) -> None:
    beyond = "religion"
    for request in (
        duty(fields=("sex", beyond)),
        duty(fields=(beyond,), matches={beyond: "Phật giáo"}),
    ):
        with pytest.raises(DisclosureDenied) as caught:
            await world.door.disclose_by_itself(request)
        assert caught.value.code == "field-not-allowed"
        assert caught.value.extra == {"fields": {beyond: "field-not-allowed"}}


async def test_beyond_consent_stays_in_whichever_way(world: DisclosureWorld) -> None:
    person_id = await world.person_id("Uyen")
    await world.consent(person_id, fields=frozenset({"sex"}))
    fields = ("sex", "birth_date")
    given = await world.door.disclose_by_itself(lookup("Uyen", fields=fields))
    assert set(given.values) == {"sex"}
    matched = await world.door.disclose_by_itself(
        lookup("Uyen", fields=fields, matches={"sex": "female", "birth_date": record_of("Uyen")["birth_date"]})
    )
    assert set(matched.matched) == {"sex"}
    assert dict(matched.refused) == {"birth_date": "consent-missing"}


async def test_anothers_consent_reference_opens_nothing(world: DisclosureWorld) -> None:
    """Agency A names the consent that the same person gave to B, and one of another person to A."""
    tam, quy = await world.person_id("Tam"), await world.person_id("Quy")
    of_other_agency = await world.consent(tam, agency=OTHER_AGENCY)
    of_other_person = await world.consent(quy)
    for consent_id in (of_other_agency, of_other_person):
        with pytest.raises(DisclosureDenied) as caught:
            await world.door.disclose_by_itself(lookup("Tam", consent_ids=frozenset({consent_id})))
        assert caught.value.reason == "consent-missing"


def portal(person_id: uuid.UUID, consent_ids: frozenset[uuid.UUID], **changes: Any) -> DisclosureRequest:
    """What userinfo asks: the grant's person, its consents, no purpose named."""
    values: dict[str, Any] = {
        "action": "oidc.userinfo",
        "actor": client_actor("portal", person_id=person_id),
        "subject": person_id,
        "agency": AGENCY,
        "purpose": None,
        "legal_basis": "consent",
        "fields": ("full_name", "birth_date"),
        "consent_ids": consent_ids,
    }
    return DisclosureRequest(**{**values, **changes})


async def test_a_portal_gets_what_its_grants_consents_cover(world: DisclosureWorld) -> None:
    person_id = await world.person_id("Van")
    consent_id = await world.consent(person_id, fields=frozenset({"full_name"}))
    given = await world.door.disclose_by_itself(portal(person_id, frozenset({consent_id})))
    assert set(given.values) == {"full_name"}
    assert dict(given.refused) == {"birth_date": "consent-missing"}
    line = (await world.lines(person_id))[0]
    assert (line.line.action, line.line.purpose) == ("oidc.userinfo", SCHOOL)


async def test_a_session_opens_no_other_record(world: DisclosureWorld) -> None:
    """A portal's or citizen's actor with another person as the subject; a back end without a proof."""
    van, an = await world.person_id("Van"), await world.person_id("An")
    consent_id = await world.consent(an)
    for actor in (
        client_actor("portal", person_id=van),
        client_actor("portal"),
        Actor("citizen", person_id=van, aal=2, ial=2),
    ):
        with pytest.raises(DisclosureDenied) as caught:
            await world.door.disclose_by_itself(portal(an, frozenset({consent_id}), actor=actor))
        assert caught.value.reason == "not-your-record"


async def test_ones_own_record_follows_the_level(world: DisclosureWorld) -> None:
    person_id = await world.person_id("An")

    async def shown(**levels: int) -> set[str]:
        async with world.web.page() as tx:
            actor = Actor("citizen", person_id=person_id, account_id=person_id, **levels)  # type: ignore[arg-type]
            return set((await world.door.disclose_to_self(tx, actor, tuple(FIELDS))).values)

    assert await shown(aal=1, ial=1) == {"personal_number", "full_name", "birth_date", "sex"}
    without_sensitive, everything = await shown(aal=1, ial=2), await shown(aal=2, ial=2)
    assert everything - without_sensitive == {"ethnicity", "religion", "blood_group"} & everything
    assert {"ethnicity"} <= everything
    line = (await world.lines(person_id))[0].line
    assert (line.action, line.legal_basis, line.actor.kind) == ("self.view", "self", "citizen")


@pytest.mark.parametrize(
    "changes", [{"on_behalf_of": uuid.UUID(int=5)}, {"kind": "client"}, {"kind": "official"}, {"person_id": None}]
)
async def test_nobody_elses_record_as_ones_own(world: DisclosureWorld, changes: dict[str, Any]) -> None:
    person_id = await world.person_id("An")
    values: dict[str, Any] = {"kind": "citizen", "person_id": person_id, "aal": 2, "ial": 2, **changes}
    with pytest.raises(DisclosureDenied) as caught:
        async with world.web.page() as tx:
            await world.door.disclose_to_self(tx, Actor(**values), ("full_name",))
    assert caught.value.code == "not-your-record"


async def test_no_journal_no_data(world: DisclosureWorld, owner_database: Database) -> None:
    """The web login may not write lines for a moment: 503, nothing told, and well again afterwards."""
    async with owner_database.raw() as tx:
        await tx.conn.execute("REVOKE INSERT ON privacy.journal_lines FROM dinhdanh_web")
    try:
        with pytest.raises(Unavailable):
            await world.door.disclose_by_itself(duty())
    finally:
        async with owner_database.raw() as tx:
            await tx.conn.execute("GRANT INSERT ON privacy.journal_lines TO dinhdanh_web")
    assert (await world.door.disclose_by_itself(duty())).values["sex"].value == "female"


async def test_no_cache_no_data(world: DisclosureWorld) -> None:
    """Without the brake's counts a guess could not be counted: 503."""
    elsewhere = Cache.connect("redis://127.0.0.1:1/0")
    broken = Brake(elsewhere, world.brake.digest)
    door = type(world.door)(world.web, world.registry, world.journal, world.clock, broken, world.declarations)
    with pytest.raises(Unavailable):
        await door.disclose_by_itself(duty())
    await elsewhere.close()


async def test_a_policy_of_the_past_or_future_opens_nothing(world: DisclosureWorld) -> None:
    asked = duty(agency=OTHER_AGENCY, purpose=PENSION, fields=("full_name",), actor=client_actor(agency=OTHER_AGENCY))
    assert (await world.door.disclose_by_itself(asked)).values
    world.clock.advance(-timedelta(days=1))
    try:
        with pytest.raises(DisclosureDenied) as caught:
            await world.door.disclose_by_itself(asked)
    finally:
        world.clock.advance(timedelta(days=1))
    assert caught.value.code == "purpose-not-allowed"
