"""FAPI 1.0 Baseline §6.2.1 (11), on which FAPI-CIBA rests: the client's name for an exchange comes back."""

import re

import pytest

from tests.support.provider_fixture import world
from tests.support.provider_world import ProviderWorld

__all__ = ["world"]

HEADER = "x-fapi-interaction-id"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
SENT = "C770AEF3-6784-41F7-8E0E-FF5F97BDDB3A"


async def test_it_comes_back(world: ProviderWorld) -> None:
    portal = await world.register()
    attempt, got = await world.browser().walk(portal)
    token = (await portal.exchange(attempt, got["code"])).json()["access_token"]
    for method in ("GET", "POST"):
        headers = {"Authorization": f"Bearer {token}", HEADER: SENT}
        answer = await portal.http.request(method, "/userinfo", headers=headers)
        assert (answer.status_code, answer.headers[HEADER]) == (200, SENT)


@pytest.mark.parametrize("sent", [None, "", "4711", SENT + "x", f"{SENT}, {SENT}", "{" + SENT + "}", "\xc3\xa9" * 18])
async def test_where_there_is_none_we_make_one(world: ProviderWorld, sent: str | None) -> None:
    """A refusal bears it too; what is no UUID is not handed back."""
    headers = {} if sent is None else {HEADER.encode(): sent.encode("latin-1")}
    async with world.http() as http:
        first, second = [await http.get("/userinfo", headers=headers) for _ in range(2)]
    assert first.status_code == 401
    assert UUID.fullmatch(first.headers[HEADER])
    assert first.headers[HEADER] != second.headers[HEADER]


async def test_it_belongs_to_the_protected_resource_alone(world: ProviderWorld) -> None:
    async with world.http() as http:
        for path in ("/jwks", "/token", "/signin"):
            assert HEADER not in (await http.get(path, headers={HEADER: SENT})).headers
