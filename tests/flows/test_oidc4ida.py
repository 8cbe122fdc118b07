"""OpenID Connect for Identity Assurance 1.0: what is asked is told where policy and person allow it, no more."""

from typing import Any

import orjson
import pytest

from core.jose import decode_unverified
from oidc.verified_claims import TRUST_FRAMEWORK
from population_db.synthetic.personas import persona
from tests.actors.relying_party import RelyingParty
from tests.support.ida_fixture import (
    ALL_FACTS,
    ANY,
    BARE,
    CARD,
    RECORD,
    a_set,
    asking,
    last_line,
    portal,
    told,
    walked,
    world,
)
from tests.support.provider_world import ProviderWorld

__all__ = ["portal", "world"]


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


# --- what is announced -----------------------------------------------------------------------------------


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
