"""schemathesis over every JSON endpoint of the OpenAPI document, on a real server: whatever comes, no 5xx.

Each operation is called without authentication and with a client's own, so that what lies behind it is reached too.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from tests.actors.relying_party import RelyingParty, basic
from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld
from tests.support.real_server import served

__all__ = ["world"]

EXAMPLES = 25
PAGES = ("/health", "/metrics")
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
async def address(world: ProviderWorld) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with served(world.app, listening):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(scope="module")
async def party(world: ProviderWorld) -> RelyingParty:
    return await world.register()


def refuses_well(response: Any) -> None:
    """A refusal is JSON that a program can read, and never an accident of ours."""
    assert response.status_code < 500, (response.request.url, response.request.body, response.text)
    if response.status_code >= 400 and response.content:
        assert response.headers["content-type"][0].startswith(("application/json", "application/problem+json"))
        assert "Traceback" not in response.text


async def test_no_request_makes_an_accident(world: ProviderWorld, address: str, party: RelyingParty) -> None:
    document = (await world.http().get("/api/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(document)
    ways = [{}, {"Authorization": basic(party.client_id, party.secret or "")}]

    def explore(operation: Any) -> None:
        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=SLOW)
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            for headers in ways:
                refuses_well(case.call(base_url=address, headers=headers))

        holds()

    explored = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path.startswith(PAGES):
            continue
        await asyncio.to_thread(explore, operation)
        explored.append(f"{operation.method.upper()} {operation.path}")
    assert {"POST /token", "POST /par", "POST /register", "POST /api/lookup/v1/records"} <= set(explored), explored
