"""ekyc-test-plan-oidccore: OpenID Connect for Identity Assurance; http_query, verified claims in userinfo (11 modules).

What is asked is what the configuration says that `dinhdanh sandbox --conformance ekyc` prints.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from service.sandbox_suite import suite_configuration
from tests.conformance.suite import DISCOVERY, Conformance
from tests.support.ida_schema import faults

NOTHING_ELSE = {"trust_framework": None}


@pytest.fixture
def printed(suite: Conformance) -> dict[str, Any]:
    configuration: dict[str, Any] = suite_configuration(suite.furnished.sandbox, "ekyc", "")["ekyc"]
    return configuration


def plain(printed: Mapping[str, Any]) -> dict[str, Any]:
    """Claims of a person that every module asks for beside the verified ones."""
    return {name: {"essential": False} for name in printed["unverified_claims_names"]}


def a_set(claims: Mapping[str, Any], verification: Mapping[str, Any] = NOTHING_ELSE) -> dict[str, Any]:
    return {"verification": dict(verification), "claims": dict(claims)}


async def told(suite: Conformance, claims: Mapping[str, Any]) -> dict[str, Any]:
    """The whole flow; userinfo, what is in it announced, of the schema, and nothing of it in the id_token."""
    tokens = await suite.tokens(suite.request(claims=orjson.dumps(claims).decode(), prompt="consent"))
    assert "verified_claims" not in tokens["claims"]
    answer = await suite.userinfo(tokens)
    if "verified_claims" in answer:
        assert faults(answer["verified_claims"]) == []
        found = answer["verified_claims"]
        for each in found if isinstance(found, list) else [found]:
            await is_announced(suite, each)
    return answer


async def is_announced(suite: Conformance, one: Mapping[str, Any]) -> None:
    metadata = (await suite.http.get(DISCOVERY)).json()
    assert one["verification"]["trust_framework"] in metadata["trust_frameworks_supported"]
    assert set(one["claims"]) <= set(metadata["claims_in_verified_claims_supported"])
    for evidence in one["verification"].get("evidence", []):
        assert evidence["type"] in metadata["evidence_supported"]
        if evidence["type"] == "document":
            assert evidence["document_details"]["type"] in metadata["documents_supported"]
        if "check_details" in evidence:
            methods = {each["check_method"] for each in evidence["check_details"]}
            assert methods <= set(metadata["documents_check_methods_supported"])


async def first_and(
    suite: Conformance, printed: Mapping[str, Any], one: Any = None, **unknown: Any
) -> tuple[dict[str, Any], str]:
    """Asks for the first of the configured claims and for others that nobody knows; the set, and that claim's name."""
    name = printed["verified_claims_names"][0]
    answer = await told(suite, {"userinfo": {**plain(printed), "verified_claims": a_set({name: one, **unknown})}})
    assert answer["name"] == suite.persona.name
    found: dict[str, Any] = answer["verified_claims"]
    return found, name


@pytest.mark.parametrize("one", [None, {}, {"essential": False}], ids=["null", "emptyobject", "essentialfalse"])
async def test_ekyc_server_happypath(suite: Conformance, printed: dict[str, Any], one: Any) -> None:
    """ekyc-server-happypath, …-emptyobject, …-essentialfalse."""
    names = printed["verified_claims_names"]
    asked = {"userinfo": {**plain(printed), "verified_claims": a_set(dict.fromkeys(names, one))}}
    found = (await told(suite, asked))["verified_claims"]
    assert set(found["verification"]) == {"trust_framework"}, "nothing that was not asked for"
    assert found["claims"] == {"name": suite.persona.name, "birthdate": suite.persona.birth_date}


async def test_ekyc_server_happypath_metadata(suite: Conformance) -> None:
    """What the happy path looks at before it starts (Identity Assurance §8)."""
    metadata = (await suite.http.get(DISCOVERY)).json()
    assert metadata["claims_parameter_supported"] is True
    assert metadata["trust_frameworks_supported"]
    assert metadata["claims_in_verified_claims_supported"]
    for evidence, needed in (
        ("document", "documents_supported"),
        ("electronic_record", "electronic_records_supported"),
    ):
        assert evidence in metadata["evidence_supported"]
        assert metadata[needed]
        assert all(isinstance(each, str) for each in metadata[needed])
    assert all(isinstance(each, str) for each in metadata.get("documents_check_methods_supported", []))


async def test_ekyc_server_unknown_claim_omitted(suite: Conformance, printed: dict[str, Any]) -> None:
    found, name = await first_and(suite, printed, **{str(uuid.uuid4()): None})
    assert set(found["claims"]) == {name}


async def test_ekyc_server_unknown_essential_claim_omitted(suite: Conformance, printed: dict[str, Any]) -> None:
    found, name = await first_and(suite, printed, **{str(uuid.uuid4()): {"essential": True}})
    assert set(found["claims"]) == {name}


async def test_ekyc_server_unknown_claim_specialchars_omitted(suite: Conformance, printed: dict[str, Any]) -> None:
    found, name = await first_and(suite, printed, **{"claim%2/z&;.é": None})
    assert set(found["claims"]) == {name}


async def test_ekyc_server_one_claim_with_random_value_omitted(suite: Conformance, printed: dict[str, Any]) -> None:
    """The set must be there, without the claim that is not of this value: the suite finds fault with its absence."""
    found, name = await first_and(suite, printed, {"value": str(uuid.uuid4())})
    assert name not in found["claims"]


async def test_ekyc_server_request_only_in_idtoken(suite: Conformance, printed: dict[str, Any]) -> None:
    """Not of this variant, since an id_token of ours holds no verified claims: none in userinfo either."""
    name = printed["verified_claims_names"][0]
    answer = await told(suite, {"id_token": {"verified_claims": a_set({name: None})}, "userinfo": plain(printed)})
    assert "verified_claims" not in answer


async def test_ekyc_server_request_only_in_userinfo(suite: Conformance, printed: dict[str, Any]) -> None:
    found, name = await first_and(suite, printed)
    assert found["claims"] == {name: suite.persona.name}  # `told` has looked at the id_token


async def test_ekyc_server_testuserprovidedrequest(suite: Conformance, printed: dict[str, Any]) -> None:
    """Every request of the configuration is answered with what it asks for."""
    assert printed["verified_claims_request_list"], "the suite's module fails without one"
    for asked in printed["verified_claims_request_list"]:
        wanted = asked["userinfo"]["verified_claims"]
        found = (await told(suite, asked))["verified_claims"]
        assert set(found["claims"]) == set(wanted["claims"])
        assert set(found["verification"]) == set(wanted["verification"])
        limit = wanted["verification"]["trust_framework"]["value"]
        assert found["verification"]["trust_framework"] == limit
        for entry in wanted["verification"].get("evidence", []):
            types = {each["type"] for each in found["verification"]["evidence"]}
            assert entry["type"]["value"] in types


async def test_ekyc_server_testbasedonuserinfo_defaults(suite: Conformance, printed: dict[str, Any]) -> None:
    """Asked for by what the configuration says of the person: that comes back, and of the rest nothing."""
    expected = printed["userinfo"]["verified_claims"]
    answer = await told(suite, {"userinfo": {**plain(printed), "verified_claims": [_asks(one) for one in expected]}})
    assert answer["verified_claims"] in (expected[:1], expected[0])


async def test_ekyc_server_test_userinfo_notfoundinop(suite: Conformance, printed: dict[str, Any]) -> None:
    """Only what we do not announce: the request is no error, and nothing is told."""
    metadata = (await suite.http.get(DISCOVERY)).json()
    unknown = [
        one
        for one in printed["userinfo"]["verified_claims"]
        if one["verification"]["trust_framework"] not in metadata["trust_frameworks_supported"]
    ]
    assert unknown, "the suite skips its module without one"
    answer = await told(suite, {"userinfo": {**plain(printed), "verified_claims": [_asks(one) for one in unknown]}})
    assert "verified_claims" not in answer


def _asks(one: Mapping[str, Any]) -> dict[str, Any]:
    verification = {name: {"value": value} for name, value in one["verification"].items()}
    return a_set(dict.fromkeys(one["claims"]), verification)
