"""The lookup API's hand-written part of the OpenAPI document says what the code does."""

import re

from consent.disclosure import PUBLIC_TEXTS
from consent.lookup_schemas import MatchesIn, RecordsIn
from tests.support.furnished import Furnished


async def test_both_questions_are_described(furnished: Furnished) -> None:
    async with furnished.http() as http:
        document = (await http.get("/api/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for path, kind in (("matches", MatchesIn), ("records", RecordsIn)):
        operation = document["paths"][f"/api/lookup/v1/{path}"]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = schemas[body.rpartition("/")[2]]
        assert set(schema["properties"]) == set(kind.model_fields)
        assert schema["additionalProperties"] is False
        assert "application/lookup-answer+jwt" in operation["responses"]["200"]["content"]
    schemes = document["components"]["securitySchemes"]
    assert (schemes["dpop"]["scheme"], schemes["mtls"]["type"]) == ("DPoP", "mutualTLS")


async def test_every_reference_is_there_and_every_code_is_ours(furnished: Furnished) -> None:
    async with furnished.http() as http:
        answer = await http.get("/api/openapi.json")
    document = answer.json()
    for name in set(re.findall(r'"#/components/schemas/([A-Za-z]+)"', answer.text)):
        assert name in document["components"]["schemas"]
    told = document["paths"]["/api/lookup/v1/records"]["post"]["responses"]["403"]["description"].split(", ")
    assert set(told) <= set(PUBLIC_TEXTS)
    assert {"consent-missing", "purpose-not-allowed", "dossier-missing", "field-not-allowed"} <= set(told)
