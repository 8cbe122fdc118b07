"""RFC 9396: a person lets an agency look up fields of his own record, and how far that goes."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest

from consent.api import Consent
from core.actor import Actor
from core.jose import decode_unverified
from tests.actors.agency import MATCHES, RECORDS, AgencyBackend
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.disclosure_world import record_of
from tests.support.provider_world import SCHOOL, STRICT, CitizenBrowser, ProviderWorld, publish

CASE, PROCEDURE, DOSSIER = "land-lookup", "1.001667", "HS-2026-0007"
FIELDS = ("full_name", "permanent_residence", "children")


@pytest.fixture(scope="module")
async def world(plain_world: ProviderWorld) -> ProviderWorld:
    terms = {"needs_dossier": True, "needs_procedure": True, "procedures": frozenset({PROCEDURE})}
    await publish(plain_world, CASE, fields=frozenset({"full_name", "sex"}), **terms)
    return plain_world


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register(dpop=True, authorization_details_types=["consented_lookup"])


def detail(purpose: str = SCHOOL, **members: Any) -> dict[str, Any]:
    return {"type": "consented_lookup", "purpose": purpose, **members}


def details(*asked: Any) -> str:
    return orjson.dumps(list(asked)).decode()


async def tokens_of(
    world: ProviderWorld, portal: RelyingParty, asked: str, *, browser: CitizenBrowser | None = None, **changes: Any
) -> dict[str, Any]:
    """Signed in and agreed to: the token response, for the lookup API."""
    changes = {"authorization_details": asked, "resource": f"{world.issuer}/api/lookup", **changes}
    attempt, got = await (browser or world.browser()).walk(portal, **changes)
    answer = await portal.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def back_end(portal: RelyingParty, tokens: dict[str, Any], **changes: Any) -> AgencyBackend:
    made = {"purpose": SCHOOL, "procedure": PROCEDURE, "legal_basis": "consent", **changes}
    return AgencyBackend(portal, token=tokens["access_token"], **made)


async def ask(agency: AgencyBackend, path: str = RECORDS, **members: Any) -> httpx.Response:
    """A question that names nobody."""
    body = agency.question(**({"fields": ["full_name"]} | members if path == RECORDS else members))
    body.pop("person")
    return await agency.send(path, body)


# --- asked, agreed to, told -----------------------------------------------------------------------------


async def test_a_person_lets_an_agency_look_him_up(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal, details(detail(fields=["full_name"])))
    assert tokens["authorization_details"] == [detail(fields=["full_name"])]
    claims = decode_unverified(tokens["access_token"]).claims
    assert claims["aud"] == f"{world.issuer}/api/lookup"
    assert claims["cnf"]["jkt"]
    agency = back_end(portal, tokens)
    before = len(await world.lines("An"))
    told = await agency.read(await ask(agency))
    assert told["answer"]["fields"]["full_name"]["value"] == record_of("An")["full_name"]
    assert told["sub"] == claims["sub"]
    lines = await world.lines("An")
    assert len(lines) == before + 1
    assert (lines[0].line.action, lines[0].line.purpose, lines[0].line.kind) == ("lookup.records", SCHOOL, "disclosure")
    told = await agency.read(await ask(agency, MATCHES, match={"full_name": "Somebody Else"}))
    assert told["answer"]["fields"]["full_name"]["result"] == "no-match"


async def test_the_person_is_asked_for_that_purpose_and_those_fields(
    world: ProviderWorld, portal: RelyingParty
) -> None:
    browser = world.browser()
    await browser.open(portal.ask(authorization_details=details(detail(fields=["children"])), prompt="consent").url)
    page = await browser.sign_in("Binh")
    assert 'id="consent-form"' in page.text
    assert f'value="{SCHOOL}/children"' in page.text
    assert f'value="{SCHOOL}/permanent_residence"' not in page.text
    assert browser.got(await browser.refuse())["error"] == "access_denied"


async def test_only_what_was_ticked_is_granted(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    wanted = details(detail(fields=["children", "full_name"]), detail(STRICT))
    attempt = portal.ask(
        authorization_details=wanted, prompt="consent", resource=f"{world.issuer}/api/lookup", scope="openid email"
    )
    await browser.open(attempt.url)
    await browser.sign_in("Binh")
    ticked = [SCHOOL, "sign-in"]
    page = await browser.send(
        "consent-form", decision="allow", purpose=ticked, field=[f"{SCHOOL}/children", "sign-in/email"]
    )
    tokens = (await portal.exchange(attempt, browser.got(page)["code"])).json()
    assert tokens["authorization_details"] == [detail(fields=["children"])]
    agency = back_end(portal, tokens)
    assert (await ask(agency, fields=["children"])).status_code == 200
    assert (await ask(agency, fields=["full_name"])).status_code == 403
    assert (await ask(back_end(portal, tokens, purpose=STRICT), fields=["marital_status"])).status_code == 403


async def test_without_an_agreed_detail_there_is_nothing_to_look_up(world: ProviderWorld, portal: RelyingParty) -> None:
    browser = world.browser()
    attempt = portal.ask(
        authorization_details=details(detail(fields=["children"])),
        prompt="consent",
        resource=f"{world.issuer}/api/lookup",
        scope="openid phone",
    )
    await browser.open(attempt.url)
    await browser.sign_in("Binh")
    page = await browser.send("consent-form", decision="allow", purpose="sign-in", field="sign-in/phone")
    answer = await portal.exchange(attempt, browser.got(page)["code"])
    assert "authorization_details" not in answer.json()
    assert decode_unverified(answer.json()["access_token"]).claims["aud"] == f"{world.issuer}/userinfo"


async def test_without_fields_all_of_the_policy(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal, details(detail()))
    assert set(tokens["authorization_details"][0]["fields"]) == set(FIELDS)


async def test_the_level_of_the_policy_is_asked_for(world: ProviderWorld, portal: RelyingParty) -> None:
    """A detail for a purpose of level 2 steps the sign-in up, and is then granted."""
    tokens = await tokens_of(world, portal, details(detail(STRICT, fields=["marital_status"])))
    assert decode_unverified(tokens["id_token"]).claims["acr"] == "urn:dinhdanh:loa:ial2:aal2"


async def test_a_refresh_keeps_them(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = details(detail(fields=["full_name"]))
    tokens = await tokens_of(world, portal, asked, scope="openid offline_access")
    fresh = (await portal.refresh(tokens["refresh_token"])).json()
    assert fresh["authorization_details"] == tokens["authorization_details"]
    agency = back_end(portal, fresh)
    assert (await ask(agency)).status_code == 200
    narrowed = await portal.refresh(tokens["refresh_token"], authorization_details=asked)
    assert narrowed.json()["error"] == "invalid_authorization_details"


async def test_userinfo_does_not_open_what_is_for_lookups(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt, got = await world.browser().walk(portal, authorization_details=details(detail(fields=["children"])))
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    assert set((await portal.userinfo(token)).json()) == {"sub"}


async def test_pushed_and_in_a_signed_object(world: ProviderWorld) -> None:
    party = await world.register(method="private_key_jwt", dpop=True, authorization_details_types=["consented_lookup"])
    tokens = await tokens_of(world, party, details(detail(fields=["full_name"])))
    assert tokens["authorization_details"]
    party.signs = True
    attempt = party.ask(authorization_details=[detail(fields=["full_name"])])
    browser = world.browser()
    await browser.open(attempt.url)
    got = browser.got(await browser.sign_in("An"))
    assert (await party.exchange(attempt, got["code"])).json()["authorization_details"]


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        "x",
        "{}",
        "[]",
        "[1]",
        '["consented_lookup"]',
        details(detail(), detail()),
        details(*(detail(f"p{n}") for n in range(6))),
        details({"type": "payment_initiation"}),
        details({"purpose": SCHOOL}),
        details({"type": ["consented_lookup"], "purpose": SCHOOL}),
        details({"type": "consented_lookup"}),
        details(detail(actions=["read"])),
        details(detail(locations=["https://other.example"])),
        details(detail(fields=[])),
        details(detail(fields="full_name")),
        details(detail(fields=["full_name", "full_name"])),
        details(detail(fields=["no-such-field"])),
        details(detail(fields=[["full_name"]])),
        details(detail(fields=["marital_status"])),  # beyond the agency's policy
        details(detail("sign-in", fields=["email"])),
        details(detail("without-policy")),
        details(detail("Not A Code")),
        details(detail(None)),  # type: ignore[arg-type]
        details(detail(CASE)),
        details(detail(CASE, procedure=PROCEDURE)),
        details(detail(CASE, dossier=DOSSIER)),
        details(detail(CASE, procedure="9.999", dossier=DOSSIER)),
        details(detail(procedure="a b")),
        details(detail(procedure=5)),
        details(detail(dossier="")),
        details(detail(dossier="x" * 101)),
        details(detail(dossier="a\nb")),
        details(detail(dossier={"a": 1})),
        "[" * 3000,
        details(detail(dossier="x" * 5000)),
    ],
    ids=lambda raw: raw[:60],
)
async def test_details_that_cannot_be_taken(world: ProviderWorld, portal: RelyingParty, raw: str) -> None:
    """RFC 9396 §5: an unknown type or member, and what the agency may not ask for."""
    attempt = portal.ask(authorization_details=raw)
    got = answer_of(await world.http().get(attempt.url))
    assert (got["error"], got["state"]) == ("invalid_authorization_details", attempt.state)
    pushed = await portal.push(attempt)
    assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_authorization_details")


async def test_a_client_that_is_not_registered_for_the_type(world: ProviderWorld) -> None:
    plain = await world.register()
    got = answer_of(await world.http().get(plain.ask(authorization_details=details(detail())).url))
    assert got["error"] == "invalid_authorization_details"


async def test_by_post_they_are_not_moved_into_an_address(world: ProviderWorld, portal: RelyingParty) -> None:
    attempt = portal.ask(authorization_details=details(detail(CASE, procedure=PROCEDURE, dossier=DOSSIER)))
    answer = await portal.http.post("/authorize", content=urlencode(attempt.params), headers=_FORM)
    assert answer.headers["location"].startswith("/authorize?ticket=")
    assert DOSSIER not in answer.headers["location"]


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# --- how far a person's token goes at the lookup API -------------------------------------------------------


@pytest.fixture
async def agency(world: ProviderWorld, portal: RelyingParty) -> AgencyBackend:
    asked = details(detail(fields=["full_name"]), detail(CASE, procedure=PROCEDURE, dossier=DOSSIER, fields=["sex"]))
    return back_end(portal, await tokens_of(world, portal, asked))


@pytest.mark.parametrize(
    "members",
    [
        {"fields": ["children"]},  # consented earlier by this person perhaps, but not on this grant
        {"fields": ["full_name", "children"]},
        {"fields": ["sex"]},
        {"purpose": STRICT, "fields": ["marital_status"]},
        {"purpose": "sign-in", "fields": ["email"]},
        {"purpose": CASE, "fields": ["full_name"]},
        {"purpose": CASE, "fields": ["sex"], "procedure": "9.999"},
        {"purpose": CASE, "fields": ["sex"], "dossier": "another"},
        {"legal_basis": "statutory-duty"},
    ],
    ids=str,
)
async def test_no_further_than_was_allowed(world: ProviderWorld, agency: AgencyBackend, members: Any) -> None:
    before = len(await world.lines("An"))
    asked = {"dossier": DOSSIER, **members} if members.get("purpose") == CASE else members
    answer = await ask(agency, **asked)
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("beyond-authorization")
    lines = await world.lines("An")
    assert len(lines) == before + 1
    assert (lines[0].line.kind, lines[0].line.reason) == ("refusal", "beyond-authorization")


async def test_the_case_is_the_one_the_person_was_told_of(world: ProviderWorld, agency: AgencyBackend) -> None:
    body = agency.question(purpose=CASE, fields=["sex"])
    for name in ("person", "procedure", "dossier"):
        body.pop(name)
    told = await agency.read(await agency.send(RECORDS, body))
    assert (told["procedure"], told["dossier"]) == (PROCEDURE, DOSSIER)
    assert (await world.lines("An"))[0].line.dossier == DOSSIER


@pytest.mark.parametrize("key", ["An", "Binh"])
async def test_nobody_else_can_be_named(world: ProviderWorld, agency: AgencyBackend, key: str) -> None:
    """Whose token it is stands in the token; a number beside it is an attempt at somebody else."""
    before = len(await world.lines("Binh"))
    answer = await agency.records(key, fields=["full_name"])
    assert answer.status_code == 403
    assert len(await world.lines("Binh")) == before


async def test_unbound_stolen_and_revoked_tokens(world: ProviderWorld, agency: AgencyBackend) -> None:
    body = agency.question(fields=["full_name"])
    body.pop("person")
    bearer = await agency.send(RECORDS, body, scheme="Bearer", headers={"DPoP": ""})
    assert bearer.status_code == 401
    other = await world.register(dpop=True)
    stolen = AgencyBackend(other, SCHOOL, PROCEDURE, "consent", agency.token)
    assert (await stolen.send(RECORDS, body)).status_code == 401
    assert (await agency.party.post("/revoke", {"token": agency.token})).status_code == 200
    assert (await agency.send(RECORDS, body)).status_code == 401


async def test_a_client_of_its_own_still_names_whom_it_means(world: ProviderWorld) -> None:
    party = await world.register(method="private_key_jwt", dpop=True, grant_types=["client_credentials"])
    alone = await AgencyBackend(party, SCHOOL, PROCEDURE, "consent").connect()
    answer = await ask(alone)
    assert answer.status_code == 422
    assert "person" in str(answer.json())


async def test_a_withdrawn_consent_ends_it_at_once(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await tokens_of(world, portal, details(detail(fields=["full_name"])), browser=None)
    agency = back_end(portal, tokens)
    assert (await ask(agency)).status_code == 200
    consent = world.parts.get(Consent)
    person_id = await world.person("An")
    rows = await world.fetch(
        "SELECT consent_id FROM consent.consents WHERE person_id = $1 AND purpose_code = $2 AND withdrawn_at IS NULL",
        person_id,
        SCHOOL,
    )
    account = await world.fetch("SELECT account_id FROM identity.accounts WHERE person_id = $1", person_id)
    actor = Actor(kind="citizen", person_id=person_id, account_id=account[0]["account_id"], aal=2, ial=2)
    async with world.database.page() as tx:
        for row in rows:
            await consent.withdraw(tx, actor, row["consent_id"])
    answer = await ask(agency)
    assert answer.status_code in {401, 403}
    await world.run_events()
    world.clock.advance(timedelta(seconds=2))
    assert (await ask(agency)).status_code == 401
