"""Works of consented lookup: a proof per request, a durable journal line and a signature per answer."""

import itertools
from collections.abc import Sequence
from typing import Any

import orjson

from bench.citizens import Citizen
from bench.http_client import Connection, request
from bench.jwts import Signer, token_hash
from bench.load import Walk
from bench.measure import Contender, Work
from bench.stage import Stage
from bench.works_tokens import back_end_request

MATCHES, RECORDS = "/api/lookup/v1/matches", "/api/lookup/v1/records"
GOAL = 1_200.0


def works(stage: Stage) -> list[Work]:
    """By consent and by law."""
    ours = stage.house.server()
    school = {"purpose": "school-enrolment", "legal_basis": "consent", "procedure": "3.000181"}
    benefit = {"purpose": "benefit-check", "legal_basis": "statutory-duty", "procedure": "1.001667"}

    def work(key: str, title: str, path: str, client_id: str, people: Sequence[Citizen], ask: dict[str, Any]) -> Work:
        prepared = Contender("DPoP", ours, lambda: _lookup(stage, path, client_id, people, ask))
        return Work(key, title, prepared, goal_rate=GOAL, goal_text="≥ 1 200 /s, p95 ≤ 25 ms")

    return [
        work(
            "lookup-records",
            "lookup, 2 fields, by consent, DPoP",
            RECORDS,
            "agency-education",
            stage.signed_in,
            {**school, "fields": ["children", "permanent_residence"]},
        ),
        work(
            "lookup-matches",
            "lookup, match of 1 field, by consent, DPoP",
            MATCHES,
            "agency-education",
            stage.signed_in,
            {**school, "match": ["full_name"]},
        ),
        work(
            "lookup-law",
            "lookup, 2 fields, by law, many people, DPoP",
            RECORDS,
            "agency-insurance",
            stage.registered,
            {**benefit, "fields": ["life_status", "birth_date"]},
        ),
    ]


async def _lookup(stage: Stage, path: str, client_id: str, people: Sequence[Citizen], ask: dict[str, Any]) -> Walk:
    port, issuer, key = stage.house.port, stage.house.issuer, stage.agency(client_id)
    token = await access_token(port, issuer, key, client_id)
    bodies = [_body(citizen, ask) for citizen in people]
    head = {"Authorization": f"DPoP {token}", "Content-Type": "application/json"}
    url, ath, numbers = f"{issuer}{path}", token_hash(token), itertools.count()

    async def walk(connection: Connection, turn: int) -> None:
        before, after = bodies[turn % len(bodies)]
        body = before + str(next(numbers)).encode() + after
        await connection.send(request("POST", path, port, {**head, "DPoP": key.proof("POST", url, ath)}, body))

    return walk


async def access_token(port: int, issuer: str, key: Signer, client_id: str) -> str:
    """A back end's token for the lookup API."""
    connection = await Connection(port).open()
    answer = await connection.send(back_end_request(port, key, client_id, issuer, f"{issuer}/api/lookup"))
    connection.close()
    return str(answer.json()["access_token"])


def _body(citizen: Citizen, ask: dict[str, Any]) -> tuple[bytes, bytes]:
    """A request body in two halves, between which its number goes."""
    asked = dict(ask)
    if "match" in asked:
        values = {"full_name": citizen.full_name, "birth_date": citizen.birth_date}
        asked["match"] = {field: values[field] for field in asked["match"]}
    body = orjson.dumps(
        {
            "request_id": "bench-@",
            "person": {"number": citizen.number, "full_name": citizen.full_name},
            "dossier": "H26.17-0001",
            **asked,
        }
    )
    before, _, after = body.partition(b"@")
    return before, after
