"""OpenID Connect for Identity Assurance 1.0: what is asked is told, what is limited is limited, nothing else."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from core.jose import decode_unverified
from identity.api import Identity, SelfDeclared
from oidc.verified_claims import TRUST_FRAMEWORK
from population_db.synthetic.personas import persona
from privacy.journal.api import ActorRef, Line
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.ida_schema import faults
from tests.support.provider_fixture import world as provider
from tests.support.provider_world import ProviderWorld, publish

__all__ = ["provider"]

ANY: dict[str, Any] = {"trust_framework": None}
NAME: dict[str, Any] = {"name": None}
RECORD: dict[str, Any] = {"type": {"value": "electronic_record"}}
CARD: dict[str, Any] = {"type": {"value": "document"}}
BARE = "bare-policy"
ALL_FACTS = "all-facts"


@pytest.fixture(scope="module")
async def world(provider: ProviderWorld) -> ProviderWorld:
    fields = {"full_name", "birth_date", "permanent_residence", "nationality", "birth_place", "card", "religion"}
    await publish(provider, BARE, fields=frozenset({"full_name"}))
    await publish(provider, ALL_FACTS, fields=frozenset({*fields, "personal_number", "phone"}))
    person_id = await provider.person("An")
    said = SelfDeclared(nickname="Chị An")
    async with provider.database.page() as tx:
        await provider.parts.get(Identity).declare(tx, person_id, said, seen=0, by=ActorRef("citizen", "tests"))
    return provider


@pytest.fixture
async def portal(world: ProviderWorld) -> RelyingParty:
    return await world.register()


def asking(verified: Any, **userinfo: Any) -> str:
    return orjson.dumps({"userinfo": {"verified_claims": verified, **userinfo}}).decode()


def a_set(verification: Any = ANY, claims: Any = NAME) -> dict[str, Any]:
    return {"verification": verification, "claims": claims}


async def walked(world: ProviderWorld, portal: RelyingParty, asked: str, key: str = "An", **ask: Any) -> dict[str, Any]:
    attempt, got = await world.browser().walk(portal, key, claims=asked, **ask)
    answer = await portal.exchange(attempt, got["code"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def told(world: ProviderWorld, portal: RelyingParty, asked: Any, key: str = "An", **ask: Any) -> dict[str, Any]:
    """The userinfo answer; what it says in `verified_claims` fits the schema."""
    tokens = await walked(world, portal, asking(asked), key, **ask)
    answer = await portal.userinfo(tokens["access_token"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    if "verified_claims" in found:
        assert faults(found["verified_claims"]) == []
    assert "verified_claims" not in decode_unverified(tokens["id_token"]).claims
    return found


async def last_line(world: ProviderWorld, key: str = "An") -> Line:
    return next(line.line for line in await world.lines(key) if line.line.action == "oidc.userinfo")


# --- what is told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [None, {}, {"essential": False}, {"essential": True}])
async def test_a_claim_and_the_least_of_a_verification(world: ProviderWorld, portal: RelyingParty, one: Any) -> None:
    """EKYC: happy path, with null, with an empty object, essential or not."""
    found = await told(world, portal, a_set(claims={"name": one}))
    assert found["verified_claims"] == {
        "verification": {"trust_framework": TRUST_FRAMEWORK},
        "claims": {"name": persona("An").full_name},
    }
    assert set(found) == {"sub", "verified_claims"}, "asked for inside, told inside only"


async def test_everything_there_is_to_tell(world: ProviderWorld) -> None:
    portal = await world.register(purpose=ALL_FACTS)
    document = {
        "type": None, "document_number": None, "date_of_issuance": None, "date_of_expiry": None,
        "issuer": {"name": None, "country_code": None},
    }  # fmt: skip
    record = {"type": None, "created_at": None, "source": {"name": None, "country": None}}
    verification = {
        "trust_framework": None,
        "assurance_level": None,
        "time": None,
        "verification_process": None,
        "evidence": [{**RECORD, "record": record}, {**CARD, "document_details": document}],
    }
    claims = dict.fromkeys(
        ("name", "birthdate", "address", "nationalities", "place_of_birth", "urn:dinhdanh:claim:religion")
    )
    found = (await told(world, portal, a_set(verification, claims)))["verified_claims"]
    assert set(found["verification"]) == set(verification)
    assert found["verification"]["assurance_level"] == "ial2"
    assert found["verification"]["time"] == "2026-11-02T02:00:00Z", "when the account was opened"
    kinds = [
        (one["type"], one.get("record", {}).get("source", {}).get("name")) for one in found["verification"]["evidence"]
    ]
    assert kinds == [
        ("electronic_record", "civil-status"),
        ("electronic_record", "residence"),
        ("electronic_record", "police-archive"),
        ("document", None),
    ]
    card = found["verification"]["evidence"][-1]["document_details"]
    assert set(card) == set(document)
    assert (card["type"], card["document_number"]) == ("idcard", persona("An").number)
    assert set(found["claims"]) == set(claims)
    assert found["claims"]["nationalities"] == ["VN"]
    line = await last_line(world)
    assert {"full_name", "birth_date", "card", "personal_number", "religion"} <= set(line.fields)
    assert set(line.details["verification"].split()) == set(verification)
    assert "compared" not in line.details


async def test_only_what_was_asked_of_the_evidence(world: ProviderWorld, portal: RelyingParty) -> None:
    for evidence, expected in (
        ([RECORD], {"type": "electronic_record"}),
        ([{**RECORD, "record": None}], {"type": "electronic_record", "record": {"type": "population_register"}}),
        (
            [{**RECORD, "record": {"source": {"country_code": None}}}],
            {"type": "electronic_record", "record": {"type": "population_register", "source": {"country_code": "VNM"}}},
        ),
        ([CARD], {"type": "document"}),
        ([{**CARD, "document_details": {}}], {"type": "document", "document_details": {"type": "idcard"}}),
    ):
        found = await told(world, portal, a_set({**ANY, "evidence": evidence}))
        assert found["verified_claims"]["verification"] == {
            "trust_framework": TRUST_FRAMEWORK,
            "evidence": [expected],
        }


async def test_sets_in_an_array_are_answered_one_by_one(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = [
        a_set({**ANY, "assurance_level": {"values": ["ial1", "ial2"]}}),
        a_set({"trust_framework": {"value": "eidas"}}),
        a_set(claims={"birthdate": None, "name": None}),
    ]
    found = (await told(world, portal, asked))["verified_claims"]
    assert [set(one["claims"]) for one in found] == [{"name"}, {"name", "birthdate"}]
    assert "assurance_level" in found[0]["verification"]
    assert "assurance_level" not in found[1]["verification"]
    assert isinstance((await told(world, portal, [a_set()]))["verified_claims"], list)


async def test_beside_plain_claims_of_the_same_field(world: ProviderWorld, portal: RelyingParty) -> None:
    tokens = await walked(world, portal, asking(a_set(), given_name=None), scope="openid email")
    found = (await portal.userinfo(tokens["access_token"])).json()
    assert set(found) == {"sub", "email", "email_verified", "given_name", "verified_claims"}


async def test_the_level_is_the_account_s(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = a_set({**ANY, "assurance_level": None})
    found = await told(world, portal, asked, "Chau")
    assert found["verified_claims"]["verification"]["assurance_level"] == "ial1"
    found = await told(world, portal, a_set({**ANY, "assurance_level": {"value": "ial2"}}), "Chau")
    assert "verified_claims" not in found


async def test_a_reference_to_the_proofing_betrays_nobody_to_another_sector(world: ProviderWorld) -> None:
    asked = a_set({**ANY, "verification_process": None})
    references, subjects = [], []
    for sector in ("one.example", "one.example", "two.example"):
        found = await told(world, await world.register(sector=sector), asked)
        references.append(found["verified_claims"]["verification"]["verification_process"])
        subjects.append(found["sub"])
    assert references[0] == references[1] != references[2]
    assert not set(references) & set(subjects)
    accounts = await world.fetch("SELECT account_id::text AS ident FROM identity.accounts")
    assert not {row["ident"] for row in accounts} & set(references)


# --- what limits it ---------------------------------------------------------------------------------------

YEARS = 365 * 24 * 3600


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": TRUST_FRAMEWORK}},
        {"trust_framework": {"values": ["eidas", TRUST_FRAMEWORK]}},
        {**ANY, "assurance_level": {"value": "ial2"}},
        {**ANY, "time": {"max_age": 1}},
        {**ANY, "time": {"max_age": 10**15, "essential": True}},
        {**ANY, "evidence": [{"type": {"value": "vouch"}}, RECORD]},
        {**ANY, "evidence": [{**RECORD, "record": {"type": {"value": "population_register"}}}]},
        {**ANY, "evidence": [{**RECORD, "record": {"created_at": {"max_age": 60 * YEARS}}}]},
        {**ANY, "evidence": [{**RECORD, "record": {"source": {"name": {"values": ["civil-status"]}}}}]},
        {**ANY, "evidence": [{**CARD, "document_details": {"type": {"values": ["passport", "idcard"]}}}]},
        {**ANY, "evidence": [{**CARD, "document_details": {"date_of_expiry": {"max_age": 0}}}]},
        {**ANY, "evidence": [{**RECORD, "check_details": [{"check_method": None}]}]},
        {**ANY, "assurance_process": {"policy": None}},
        {**ANY, "something_else": {"of": ["another", "kind"]}},
    ],
)
async def test_a_limit_that_is_met_or_an_element_unknown(
    world: ProviderWorld, portal: RelyingParty, verification: Any
) -> None:
    found = (await told(world, portal, a_set(verification)))["verified_claims"]
    assert found["claims"] == {"name": persona("An").full_name}
    asked = set(verification) - {"assurance_process", "something_else"}
    assert set(found["verification"]) == asked
    for one in found["verification"].get("evidence", ()):
        assert "check_details" not in one


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": "eidas"}},
        {"trust_framework": {"values": ["de_aml", "eidas"], "essential": False}},
        {**ANY, "assurance_level": {"value": "ial3"}},
        {**ANY, "time": {"max_age": 0}},
        {**ANY, "verification_process": {"value": "of another"}},
        {**ANY, "evidence": [{"type": {"value": "vouch"}}]},
        {**ANY, "evidence": [{"type": {"value": "electronic_signature"}, "issuer": None}]},
        {**ANY, "evidence": [{**RECORD, "record": {"type": {"value": "birth_register"}}}]},
        {**ANY, "evidence": [{**RECORD, "record": {"created_at": {"max_age": 1}}}]},
        {**ANY, "evidence": [{**RECORD, "record": {"source": {"name": {"value": "bank"}}}}]},
        {**ANY, "evidence": [{**CARD, "document_details": {"type": {"value": "passport"}}}]},
        {**ANY, "evidence": [{**CARD, "document_details": {"document_number": {"value": "001090000000"}}}]},
        {**ANY, "evidence": [{**CARD, "document_details": {"serial_number": {"value": "1"}}}]},
        {**ANY, "evidence": [{**CARD, "check_details": [{"check_method": {"value": "pipp"}}]}]},
        {**ANY, "assurance_process": {"policy": {"value": "gpg45"}}},
        {**ANY, "something_else": {"deep": [{"within": {"values": ["x"]}}]}},
    ],
)
async def test_a_limit_that_is_not_met_takes_the_whole_set(
    world: ProviderWorld, portal: RelyingParty, verification: Any
) -> None:
    """Identity Assurance §5.7.4: on the verification; no error comes back."""
    world.clock.advance(timedelta(seconds=1))
    found = await told(world, portal, a_set(verification))
    assert set(found) == {"sub"}
    line = await last_line(world)
    assert (line.kind, "full_name" in line.fields) == ("disclosure", True), "the asking is on record all the same"


@pytest.mark.parametrize("name", ["\0", "Zar " * 750, "079084000999"], ids=["NUL", "long", "number"])
async def test_names_that_a_client_makes_up_are_kept_nowhere(
    world: ProviderWorld, portal: RelyingParty, name: str
) -> None:
    """A limit under such a name is a limit; neither the grant nor the journal takes the name."""
    world.clock.advance(timedelta(seconds=1))
    assert set(await told(world, portal, a_set({**ANY, name: {"value": 1}}))) == {"sub"}
    assert (await last_line(world)).details["verification"] == "trust_framework"
    kept = "SELECT claims::text AS kept FROM oidc.grants WHERE client_id = $1"
    (grant,) = await world.fetch(kept, portal.client_id)
    assert "Zar" not in grant["kept"]
    assert "079084000999" not in grant["kept"]


async def test_a_limit_on_a_claim_takes_the_claim(world: ProviderWorld, portal: RelyingParty) -> None:
    claims = {
        "name": {"value": "9a4f6a3e-nobody"},
        "birthdate": {"values": ["1990-09-02", "1990-09-03"]},
        "gender": {"max_age": 5},
        "address": {"value": {"country": "VN"}},
    }
    found = (await told(world, portal, a_set(claims=claims)))["verified_claims"]
    assert found == {
        "verification": {"trust_framework": TRUST_FRAMEWORK},
        "claims": {"birthdate": "1990-09-02"},
    }
    assert set((await last_line(world)).details["compared"].split()) == set(claims)
    # EKYC: one claim with a value that cannot be met.
    found = (await told(world, portal, a_set(claims={"name": {"value": "nobody"}})))["verified_claims"]
    assert found["claims"] == {}
    # Nothing is left that a record could vouch for.
    asked = a_set({**ANY, "evidence": [RECORD]}, {"name": {"value": "nobody"}})
    assert "verified_claims" not in await told(world, portal, asked)


async def test_unknown_claims_are_left_out(world: ProviderWorld, portal: RelyingParty) -> None:
    """EKYC: unknown, unknown and essential, with special characters."""
    claims = {"name": None, "8d7f2c": None, "shoe_size": {"essential": True}, "<b>&\"'ß\\ü": None, "x": {"value": 1}}
    found = (await told(world, portal, a_set(claims=claims)))["verified_claims"]
    assert set(found["claims"]) == {"name"}


async def test_only_facts_of_the_registry(world: ProviderWorld, portal: RelyingParty) -> None:
    """Neither what people say of themselves, nor hints, nor contacts that nobody checked."""
    claims = dict.fromkeys(
        ("name", "nickname", "preferred_username", "updated_at", "given_name", "family_name", "email",
         "email_verified", "phone_number", "phone_number_verified", "sub", "acr", "urn:dinhdanh:claim:phone")
    )  # fmt: skip
    found = (await told(world, portal, a_set(claims=claims)))["verified_claims"]
    assert set(found["claims"]) == {"name"}
    assert (await last_line(world)).fields == ("full_name",)


# --- who may ----------------------------------------------------------------------------------------------


async def test_the_policy_limits_what_is_inside_as_well(world: ProviderWorld) -> None:
    portal = await world.register(purpose=BARE)
    evidence = [{**CARD, "document_details": {"document_number": None}}, RECORD]
    asked = a_set({**ANY, "evidence": evidence}, {"name": None, "birthdate": {"essential": True}})
    attempt = portal.ask(claims=asking(asked))
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("Binh")
    assert 'value="bare-policy/full_name"' in page.text
    assert not any(f"bare-policy/{code}" in page.text for code in ("card", "personal_number", "birth_date"))
    got = browser.got(await browser.allow())
    tokens = (await portal.exchange(attempt, got["code"])).json()
    found = (await portal.userinfo(tokens["access_token"])).json()["verified_claims"]
    assert found == {
        "verification": {"trust_framework": TRUST_FRAMEWORK, "evidence": [{"type": "electronic_record"}]},
        "claims": {"name": persona("Binh").full_name},
    }
    assert (await last_line(world, "Binh")).fields == ("full_name",)
    only = await told(world, portal, a_set({**ANY, "time": None}, {"birthdate": None}), "Binh")
    assert set(only) == {"sub"}, "a set of which no field may be told tells nothing, not even a time"


async def test_what_is_not_ticked_is_left_out(world: ProviderWorld, portal: RelyingParty) -> None:
    evidence = [{**CARD, "document_details": {"date_of_issuance": None}}]
    asked = [a_set({**ANY, "evidence": evidence}), a_set(claims={"name": None, "birthdate": None})]
    attempt = portal.ask(claims=asking(asked), prompt="consent")
    browser = world.browser()
    await browser.open(attempt.url)
    page = await browser.sign_in("Binh")
    for field in ("full_name", "birth_date", "card"):
        assert f'value="sign-in/{field}"' in page.text, "asked inside verified_claims, asked of the person"
    got = browser.got(
        await browser.send("consent-form", decision="allow", purpose="sign-in", field="sign-in/full_name")
    )
    tokens = (await portal.exchange(attempt, got["code"])).json()
    found = (await portal.userinfo(tokens["access_token"])).json()
    assert found["verified_claims"] == [
        {"verification": {"trust_framework": TRUST_FRAMEWORK}, "claims": {"name": persona("Binh").full_name}}
    ]


async def test_an_id_token_never_holds_any(world: ProviderWorld, portal: RelyingParty) -> None:
    asked = orjson.dumps({"id_token": {"verified_claims": a_set(), "name": None}}).decode()
    tokens = await walked(world, portal, asked)
    assert not {"verified_claims", "name"} & set(decode_unverified(tokens["id_token"]).claims)
    assert set((await portal.userinfo(tokens["access_token"])).json()) == {"sub"}


async def test_a_later_answer_holds_to_the_request(world: ProviderWorld, portal: RelyingParty) -> None:
    evidence = [{**RECORD, "record": {"created_at": {"max_age": 60 * YEARS}}}]
    asked = asking([a_set({**ANY, "evidence": evidence}), a_set({**ANY, "time": {"max_age": 40 * 24 * 3600}})])
    tokens = await walked(world, portal, asked, scope="openid offline_access")
    first = (await portal.userinfo(tokens["access_token"])).json()["verified_claims"]
    assert len(first) == 2
    world.clock.advance(timedelta(days=29))
    later = (await portal.refresh(tokens["refresh_token"])).json()
    found = (await portal.userinfo(later["access_token"])).json()["verified_claims"]
    assert found[0] == first[0]
    proofed = await world.fetch("SELECT min(enrolled_at) AS at FROM identity.accounts")
    too_old = world.clock.now() - proofed[0]["at"] > timedelta(days=40)
    assert len(found) == (1 if too_old else 2), "an age is counted up to the answer"


# --- malformed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verified",
    [
        None,
        [],
        "x",
        [a_set(), None],
        [a_set()] * 6,
        {"claims": NAME},
        {"verification": ANY},
        a_set({}),
        a_set("x"),
        a_set({"time": None}),
        a_set({"trust_framework": TRUST_FRAMEWORK}),
        a_set({"trust_framework": {"value": "a", "values": ["b"]}}),
        a_set({"trust_framework": {"values": []}}),
        a_set({**ANY, "time": {"max_age": -1}}),
        a_set({**ANY, "time": {"max_age": True}}),
        a_set({**ANY, "time": {"max_age": "60"}}),
        a_set({**ANY, "assurance_level": {"max_age": 60}}),
        a_set({**ANY, "assurance_process": []}),
        a_set({**ANY, "evidence": {}}),
        a_set({**ANY, "evidence": []}),
        a_set({**ANY, "evidence": [{}]}),
        a_set({**ANY, "evidence": [{"type": None}]}),
        a_set({**ANY, "evidence": [{"type": "document"}]}),
        a_set({**ANY, "evidence": [{"type": {"values": ["document"]}}]}),
        a_set({**ANY, "evidence": [RECORD] * 11}),
        a_set({**ANY, "evidence": [{**RECORD, "record": "x"}]}),
        a_set({**ANY, "evidence": [{**RECORD, "record": {"source": []}}]}),
        a_set({**ANY, "evidence": [{**RECORD, "check_details": []}]}),
        a_set({**ANY, "evidence": [{**RECORD, "check_details": [{"time": None}]}]}),
        a_set(claims=[]),
        a_set(claims={"name": "An"}),
        a_set(claims={"name": {"essential": "yes"}}),
    ],
)
async def test_malformed_requests_are_refused(world: ProviderWorld, portal: RelyingParty, verified: Any) -> None:
    attempt = portal.ask(claims=asking(verified))
    got = answer_of(await world.http().get(attempt.url))
    assert (got["error"], got["state"]) == ("invalid_request", attempt.state)
    assert got["error_description"]
    inside = orjson.dumps({"id_token": {"verified_claims": verified}}).decode()
    assert answer_of(await world.http().get(portal.ask(claims=inside).url))["error"] == "invalid_request"


async def test_metadata_announce_exactly_this(world: ProviderWorld) -> None:
    """Identity Assurance §8."""
    metadata = (await world.http().get("/.well-known/openid-configuration")).json()
    assert metadata["claims_parameter_supported"] is True
    assert metadata["verified_claims_supported"] is True
    assert metadata["trust_frameworks_supported"] == [TRUST_FRAMEWORK]
    assert metadata["evidence_supported"] == ["electronic_record", "document"]
    assert metadata["electronic_records_supported"] == ["population_register"]
    assert metadata["documents_supported"] == ["idcard"]
    assert "documents_check_methods_supported" not in metadata, "no checks are told"
    claims = metadata["claims_in_verified_claims_supported"]
    assert {"name", "birthdate", "address", "nationalities", "place_of_birth"} <= set(claims)
    assert set(claims) <= set(metadata["claims_supported"])
