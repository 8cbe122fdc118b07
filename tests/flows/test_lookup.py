"""An agency's back end asks the lookup API, over HTTP, on the whole application."""

from datetime import timedelta
from typing import Any

import pytest

from tests.actors.agency import MATCHES, RECORDS, AgencyBackend
from tests.actors.relying_party import DROP
from tests.support.challenges import errors_of
from tests.support.disclosure_world import record_of
from tests.support.provider_world import ProviderWorld, publish

PENSION, PROCEDURE = "benefit-check", "1.001667"
FIELDS = frozenset({"full_name", "birth_date", "sex", "life_status", "permanent_residence", "email"})


@pytest.fixture(scope="module")
async def world(plain_world: ProviderWorld) -> ProviderWorld:
    await publish(
        plain_world,
        PENSION,
        fields=FIELDS,
        legal_bases=frozenset({"statutory-duty", "consent"}),
        procedures=frozenset({PROCEDURE}),
        keep_days=30,
        consent_days=90,
        needs_dossier=True,
        needs_procedure=True,
    )
    return plain_world


async def backend(world: ProviderWorld, *, dpop: bool = True, **changes: Any) -> AgencyBackend:
    party = await world.register(
        method="private_key_jwt", dpop=dpop, grant_types=["client_credentials"], scope="lookup"
    )
    return await AgencyBackend(party, **{"purpose": PENSION, "procedure": PROCEDURE, **changes}).connect()


async def test_a_record_comes_signed_with_sources_and_its_journal_line(world: ProviderWorld) -> None:
    agency = await backend(world)
    before = len(await world.lines("An"))
    answer = await agency.records(fields=["birth_date", "permanent_residence"], replaces="CT07")
    claims = await agency.read(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert claims["answer"]["kind"] == "record"
    birth = claims["answer"]["fields"]["birth_date"]
    assert birth["value"] == record_of("An")["birth_date"]
    assert birth["source"] == "civil-status"
    assert birth["as_of"]
    assert set(claims["answer"]["fields"]) == {"birth_date", "permanent_residence"}
    lines = await world.lines("An")
    assert len(lines) == before + 1
    line = lines[0]
    assert str(line.line_id) == claims["journal"]["line_id"]
    assert line.leaf_hash is not None
    assert line.leaf_hash.hex() == claims["journal"]["leaf_hash"]
    assert (line.line.kind, line.line.action) == ("disclosure", "lookup.records")
    assert line.line.fields == ("birth_date", "permanent_residence")
    assert (line.line.procedure, line.line.dossier) == (PROCEDURE, "HS-2026-0001")
    assert line.line.details["replaces"] == "CT07"
    assert line.line.details["official"] == "cb-17"
    assert claims["replaces"] == "CT07"


async def test_matches_tell_per_field(world: ProviderWorld) -> None:
    agency = await backend(world)
    answer = await agency.matches(match={"sex": "male", "life_status": "alive", "email": "nobody@example.vn"})
    fields = (await agency.read(answer))["answer"]["fields"]
    assert fields["sex"]["result"] == "no-match"
    assert fields["life_status"]["result"] == "match"
    assert all("value" not in one for one in fields.values())


async def test_a_repeated_lookup_is_decided_and_journalled_anew(world: ProviderWorld) -> None:
    agency = await backend(world)
    before = len(await world.lines("Binh"))
    body = agency.question("Binh", fields=["sex"])
    first = await agency.read(await agency.send(RECORDS, body))
    second = await agency.read(await agency.send(RECORDS, body))
    assert first["journal"] != second["journal"]
    assert first["jti"] != second["jti"]
    assert len(await world.lines("Binh")) == before + 2


async def test_the_dead_are_told_to_who_asks_for_the_life_status_in_duty(world: ProviderWorld) -> None:
    agency = await backend(world)
    answer = await agency.records("Phuc", fields=["life_status"])
    assert (await agency.read(answer))["answer"]["fields"]["life_status"]["value"] == "dead"
    assert (await agency.records("Phuc", fields=["full_name"])).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"purpose": "no-such-purpose"}, 403, "purpose-not-allowed"),
        ({"legal_basis": "emergency"}, 403, "legal-basis-not-allowed"),
        ({"procedure": "9.999999"}, 403, "procedure-not-allowed"),
        ({"procedure": DROP}, 403, "procedure-missing"),
        ({"dossier": DROP}, 403, "dossier-missing"),
        ({"fields": ["full_name", "religion"]}, 403, "field-not-allowed"),
        ({"person": {"full_name": DROP}}, 422, "person-incomplete"),
        ({"person": {"full_name": DROP, "birth_date": "1990"}}, 422, "person-incomplete"),
        ({"person": {"full_name": "Nguyễn Thị Ân"}}, 404, "person-not-matched"),
        ({"person": {"number": "001190999999"}}, 404, "person-not-matched"),
    ],
)
async def test_refusals_say_why_and_are_journalled(
    world: ProviderWorld, changes: dict[str, Any], status: int, code: str
) -> None:
    agency = await backend(world)
    before = await _count(world)
    fields = changes.pop("fields", ["full_name"])
    answer = await agency.records(fields=fields, **changes)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:dinhdanh:problem:{code}"
    assert "036190990001" not in answer.text
    assert "Nguyễn" not in answer.text
    after = await _count(world)
    assert after["refusal"] == before["refusal"] + 1
    assert after["disclosure"] == before["disclosure"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 422),
        (b"{", 400),
        (b'{"request_id":"1","request_id":"2"}', 400),
        (b'{"request_id":"\\ud800"}', 400),
        (b'{"request_id": NaN}', 400),
        (b"[" * 9000, 400),
        (b'{"request_id":"' + b"x" * 17_000 + b'"}', 413),
        ("\ufeff{}".encode("utf-16"), 400),
    ],
)
async def test_bodies_that_are_no_question(world: ProviderWorld, body: bytes, status: int) -> None:
    agency = await backend(world)
    before = await _count(world)
    answer = await agency.send(RECORDS, body)
    assert answer.status_code == status
    assert await _count(world) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": 1},
        {"person": {"number": "12345"}},
        {"person": {"number": 36190990001}},
        {"person": {"number": "036190990001", "full_name": "A\x00n"}},
        {"person": {"birth_date": "1990-13-01"}},
        {"person": {"nickname": "An"}},
        {"request_id": "r 1"},
        {"dossier": "HS\n1"},
        {"official": {"unit": "x"}},
        {"match": {"full_name": ["x"]}},
        {"match": {"no_such_field": "x"}},
        {"match": {}},
        {"match": {"card": "x"}},
    ],
)
async def test_members_that_do_not_fit_are_named_and_never_repeated(
    world: ProviderWorld, changes: dict[str, Any]
) -> None:
    agency = await backend(world)
    answer = await agency.matches(**{"match": {"sex": "female"}, **changes})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]
    assert "036190990001" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": DROP},
        {"Content-Encoding": "gzip"},
    ],
)
async def test_other_content_types_are_refused(world: ProviderWorld, headers: dict[str, Any]) -> None:
    agency = await backend(world)
    answer = await agency.send(RECORDS, agency.question(fields=["sex"]), headers=headers)
    assert answer.status_code == 415


async def test_tokens_that_do_not_hold(world: ProviderWorld) -> None:
    agency, plain = await backend(world), await backend(world, dpop=False)
    question = agency.question(fields=["sex"])
    cases: list[tuple[AgencyBackend, dict[str, Any], str]] = [
        (agency, {"headers": {"Authorization": DROP}}, "DPoP"),
        (agency, {"headers": {"Authorization": f"Bearer {agency.token}"}}, "DPoP"),  # bound, sent as Bearer
        (agency, {"headers": {"DPoP": DROP}}, "DPoP"),
        (agency, {"proof": {"htm": "GET"}}, "DPoP"),
        (agency, {"proof": {"htu": f"{world.issuer}{MATCHES}"}}, "DPoP"),
        (agency, {"proof": {"ath": "x"}}, "DPoP"),
        (agency, {"proof": {"iat": 1}}, "DPoP"),
        (agency, {"headers": {"Authorization": f"DPoP {agency.token[:-4]}AAAA"}}, "DPoP"),
        (plain, {"scheme": "DPoP"}, "DPoP"),
        (plain, {"headers": {"Authorization": f"Bearer {agency.token}"}}, "DPoP"),
        (plain, {"headers": {"Authorization": "Bearer x.y.z"}}, "Bearer"),
    ]
    before = await _count(world)
    for who, bent, scheme in cases:
        answer = await who.send(RECORDS, question, **bent)
        assert answer.status_code == 401, (bent, answer.text)
        assert [told[0] for told in errors_of(answer.headers["www-authenticate"])] == [scheme], bent
    assert await _count(world) == before
    assert (await agency.send(RECORDS, question)).status_code == 200


async def test_a_token_that_is_bound_to_no_key_is_refused(world: ProviderWorld) -> None:
    """Whatever its client registered: a stolen bearer token looks up nobody."""
    plain = await backend(world, dpop=False)
    answer = await plain.send(RECORDS, plain.question(fields=["sex"]))
    assert answer.status_code == 401
    assert "bound to a key" in answer.headers["www-authenticate"]


async def test_a_proof_is_good_for_one_request(world: ProviderWorld) -> None:
    agency = await backend(world)
    proof = agency.party.proof("POST", RECORDS, token=agency.token)
    question = agency.question(fields=["sex"])
    assert (await agency.send(RECORDS, question, headers={"DPoP": proof})).status_code == 200
    again = await agency.send(RECORDS, question, headers={"DPoP": proof})
    assert again.status_code == 401
    assert "invalid_dpop_proof" in again.headers["www-authenticate"]


async def test_an_expired_token_is_refused(world: ProviderWorld) -> None:
    agency = await backend(world)
    world.clock.advance(timedelta(minutes=10))
    answer = await agency.records()
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_token_for_a_person_opens_no_lookup(world: ProviderWorld) -> None:
    """A portal's token about a signed-in citizen has another audience."""
    party = await world.register()
    browser = world.browser()
    attempt, got = await browser.walk(party, "An", scope="openid profile")
    tokens = (await party.exchange(attempt, got["code"])).json()
    agency = AgencyBackend(party, PENSION, PROCEDURE, token=tokens["access_token"])
    answer = await agency.records("Binh")
    assert answer.status_code == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post(world: ProviderWorld, method: str) -> None:
    async with world.http() as http:
        assert (await http.request(method, RECORDS)).status_code == 405


async def test_a_query_string_is_refused(world: ProviderWorld) -> None:
    agency = await backend(world)
    answer = await agency.party.http.post(
        f"{RECORDS}?access_token={agency.token}",
        content=b"{}",
        headers={
            "Content-Type": "application/json",
            "Authorization": f"DPoP {agency.token}",
            "DPoP": agency.party.proof("POST", RECORDS, token=agency.token),
        },
    )
    assert answer.status_code == 400


async def _count(world: ProviderWorld) -> dict[str, int]:
    rows = await world.fetch("SELECT kind, count(*) AS n FROM privacy.journal_lines GROUP BY kind")
    return {"refusal": 0, "disclosure": 0, **{row["kind"]: row["n"] for row in rows}}
