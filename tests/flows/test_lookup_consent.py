"""Lookup on the ground of consent: given in the browser, used by the back end, withdrawn, gone."""

import asyncio
import re

import httpx

from consent.api import Consent, PolicyDraft
from identity.api import Identity
from tests.actors.agency import AgencyBackend
from tests.actors.relying_party import DROP
from tests.support.provider_fixture import world
from tests.support.provider_world import OPERATOR, SCHOOL, ProviderWorld

__all__ = ["world"]

PROCEDURE = "3.000181"


async def backend(world: ProviderWorld, purpose: str = SCHOOL, **terms: str) -> AgencyBackend:
    party = await world.register(
        method="private_key_jwt", dpop=True, grant_types=["client_credentials"], scope="lookup", **terms
    )
    return await AgencyBackend(party, purpose, PROCEDURE, legal_basis="consent").connect()


async def consenting_browser(world: ProviderWorld, key: str) -> httpx.AsyncClient:
    """A citizen signs in at the portal and agrees to all of the school purpose; gives his browser."""
    portal, browser = await world.register(), world.browser()
    _, got = await browser.walk(portal, key, scope=f"openid purpose:{SCHOOL}")
    assert "code" in got
    return browser.http


async def withdraw_all(http: httpx.AsyncClient) -> None:
    """By the citizen's own page."""
    page = (await http.get("/me/consents")).text
    for path in set(re.findall(r'href="(/me/consents/[^"]+/withdraw)"', page)):
        form = (await http.get(path)).text
        csrf = re.findall(r'name="csrf" value="([^"]+)"', form)
        answer = await http.post(path, data={"csrf": csrf[-1]})
        assert answer.status_code == 303


async def test_consent_opens_and_withdrawal_closes(world: ProviderWorld) -> None:
    agency = await backend(world)
    assert code_of(await agency.records("An")) == "consent-missing"
    citizen = await consenting_browser(world, "An")
    claims = await agency.read(await agency.records("An", fields=["full_name", "children"]))
    assert set(claims["answer"]["fields"]) == {"full_name", "children"}
    await withdraw_all(citizen)
    gone = await agency.records("An")
    assert (gone.status_code, code_of(gone)) == (403, "consent-missing")
    newest = (await world.lines("An"))[0].line
    assert (newest.kind, newest.reason) == ("refusal", "consent-withdrawn")


async def test_only_consented_fields_go_and_the_others_are_named(world: ProviderWorld) -> None:
    """A citizen who ticks the purpose but no voluntary field shares the mandatory ones only."""
    consent = world.parts.get(Consent)
    async with world.database.page() as tx:
        current = await consent.policy(tx, world.agency_id, SCHOOL)
    assert current is not None
    agency, portal, browser = await backend(world), await world.register(), world.browser()
    attempt = portal.ask(scope=f"openid purpose:{SCHOOL}")
    await browser.open(attempt.url)
    answer = await browser.sign_in("Binh")
    assert 'id="consent-form"' in answer.text
    page = browser.page
    assert page is not None
    voluntary = re.findall(rf'name="field" value="({SCHOOL}/[a-z_]+)"', page.text)
    await browser.send("consent-form", decision="allow", purpose=[SCHOOL], field=voluntary[:1])
    ticked = voluntary[0].split("/")[1]
    claims = await agency.read(await agency.records("Binh", fields=sorted(current.fields)))
    told = set(claims["answer"]["fields"]) | set(claims["answer"].get("not_held", ()))
    assert told == {ticked} | set(current.mandatory_fields)
    assert set(claims["answer"]["refused"]) == current.fields - told
    assert set(claims["answer"]["refused"].values()) == {"consent-missing"}


async def test_without_consent_every_person_looks_the_same(world: ProviderWorld) -> None:
    """Unknown, known, dead, cancelled number, wrong name: one answer, so nothing can be tested here."""
    agency = await backend(world)
    cases = {
        "known": agency.question("Tam", fields=["full_name"]),
        "wrong name": agency.question("Tam", person={"full_name": "H'Tâm Niê Kdăm"}, fields=["full_name"]),
        "unknown": agency.question("Tam", person={"number": "066195999999"}, fields=["full_name"]),
        "dead": agency.question("Phuc", fields=["full_name"]),
    }
    answers = {name: await agency.send("/api/lookup/v1/records", body) for name, body in cases.items()}
    seen = {
        (answer.status_code, tuple(sorted((k, v) for k, v in answer.json().items() if k != "instance")))
        for answer in answers.values()
    }
    assert len(seen) == 1, {name: answer.text for name, answer in answers.items()}
    assert all(code_of(answer) == "consent-missing" for answer in answers.values())


async def test_anothers_consent_opens_nothing(world: ProviderWorld) -> None:
    """Agency B, with a policy of its own for the same purpose, has no consent of An."""
    await consenting_browser(world, "An")
    async with world.database.page() as tx:
        other = await world.parts.get(Identity).create_agency(tx, "H40.02", "Sở khác", "Another department")
        draft = PolicyDraft(
            agency_id=other,
            agency_code="H40.02",
            purpose=SCHOOL,
            fields=frozenset({"full_name"}),
            legal_bases=frozenset({"consent"}),
            keep_days=30,
            consent_days=90,
        )
        await world.parts.get(Consent).publish_policy(tx, draft, by=OPERATOR)
    ours = world.agency_id
    try:
        world.agency_id = other
        stranger = await backend(world, agency_code="H40.02")
    finally:
        world.agency_id = ours
    assert code_of(await stranger.records("An")) == "consent-missing"
    newest = (await world.lines("An"))[0].line
    assert (newest.kind, newest.reason) == ("refusal", "consent-missing")
    own = await backend(world)
    assert (await own.records("An")).status_code == 200


async def test_a_consent_for_another_declaration_opens_nothing(world: ProviderWorld) -> None:
    await consenting_browser(world, "An")
    agency = await backend(world, purpose="land-register")
    assert code_of(await agency.records("An", fields=["marital_status"])) == "consent-missing"


async def test_a_client_of_a_suspended_agency_gets_nothing(world: ProviderWorld) -> None:
    agency = await backend(world)
    await world.fetch("UPDATE oidc.clients SET state = 'suspended' WHERE client_id = $1", agency.party.client_id)
    await _a_second()
    answer = await agency.records("An")
    assert answer.status_code in {401, 403}


async def test_the_number_alone_is_never_enough_whatever_the_consent(world: ProviderWorld) -> None:
    await consenting_browser(world, "An")
    agency = await backend(world)
    answer = await agency.records("An", person={"full_name": DROP})
    assert (answer.status_code, code_of(answer)) == (422, "person-incomplete")


def code_of(answer: httpx.Response) -> str:
    """The stable code of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:dinhdanh:problem:")


async def _a_second() -> None:
    """Clients and grants are remembered for less than a second of real time."""
    await asyncio.sleep(1.0)
