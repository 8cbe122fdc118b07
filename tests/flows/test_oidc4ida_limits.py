"""OpenID Connect for Identity Assurance 1.0, limits: what is met or not, what no set may hold, malformed requests."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from oidc.verified_claims import TRUST_FRAMEWORK
from population_db.synthetic.personas import persona
from tests.actors.relying_party import RelyingParty, answer_of
from tests.support.ida_fixture import ANY, CARD, NAME, RECORD, a_set, asking, last_line, portal, told, walked, world
from tests.support.provider_world import ProviderWorld

__all__ = ["portal", "world"]


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
