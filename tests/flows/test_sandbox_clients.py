"""The clients and officials of the sandbox: what is furnished, and what an older sandbox gets when it starts again."""

import asyncio
import json

import asyncpg
import pytest

from core.settings import secret_value
from service.errors import CommandError
from service.sandbox import GUIDE, seed
from service.sandbox_clients import plans
from service.sandbox_conformance import DEFAULT_REDIRECT
from tests.support.furnished import Furnished


async def test_without_a_tls_front_everything_but_mutual_tls(furnished: Furnished) -> None:
    guide = furnished.sandbox
    planned = {plan.client_id for plan in plans(guide.portal, DEFAULT_REDIRECT) if not plan.has_certificate}
    assert {client.client_id for client in guide.clients} == planned
    assert guide.conformance_redirect == DEFAULT_REDIRECT
    assert not any(client.certificate for client in guide.clients)


async def test_a_guide_reads_what_it_wrote(furnished: Furnished) -> None:
    told = furnished.sandbox.as_json()
    assert type(furnished.sandbox).from_json(json.loads(json.dumps(told))) == furnished.sandbox


async def test_an_older_sandbox_gets_the_clients_that_came_since(furnished: Furnished) -> None:
    file = furnished.settings.secrets_dir / GUIDE
    before = json.loads(file.read_text())
    newest = "conformance-device-1"
    older = {**before, "clients": [each for each in before["clients"] if each["client_id"] != newest]}
    del older["conformance_redirect"]  # as the first version wrote it
    file.write_text(json.dumps(older))
    connection = await asyncpg.connect(secret_value(furnished.settings.database_owner_url, "DATABASE_OWNER_URL"))
    await connection.execute("DELETE FROM oidc.clients WHERE client_id = $1", newest)
    await connection.close()

    again = await asyncio.to_thread(seed, furnished.settings)
    kept = {client.client_id: client for client in furnished.sandbox.clients}
    found = {client.client_id: client for client in again.clients}
    assert found.keys() == kept.keys()
    assert all(found[name] == client for name, client in kept.items() if name != newest)  # their secrets stay
    assert found[newest].client_secret != kept[newest].client_secret
    assert json.loads(file.read_text())["conformance_redirect"] == DEFAULT_REDIRECT


async def test_an_older_sandbox_gets_the_officials_that_came_since(furnished: Furnished) -> None:
    """With their unit; who was appointed before is not appointed twice."""
    file = furnished.settings.secrets_dir / GUIDE
    before = json.loads(file.read_text())
    came_since = {"Giang", "Van"}
    older = {**before, "officials": [each for each in before["officials"] if each["persona"] not in came_since]}
    file.write_text(json.dumps(older))
    connection = await asyncpg.connect(secret_value(furnished.settings.database_owner_url, "DATABASE_OWNER_URL"))
    await connection.execute("DELETE FROM identity.appointments WHERE unit_code = 'H26.17.01'")
    await connection.execute("DELETE FROM identity.units WHERE unit_code = 'H26.17.01'")
    kept = await connection.fetch("SELECT appointment_id FROM identity.appointments")

    again = await asyncio.to_thread(seed, furnished.settings)
    assert {official.persona: official for official in again.officials} == {
        official.persona: official for official in furnished.sandbox.officials
    }
    rows = await connection.fetch("SELECT appointment_id, unit_code FROM identity.appointments")
    await connection.close()
    added = [row["unit_code"] for row in rows if (row["appointment_id"],) not in {tuple(each) for each in kept}]
    assert added == ["H26.17.01"] * len(came_since)
    assert await asyncio.to_thread(seed, furnished.settings) == again


async def test_another_suite_needs_another_sandbox(furnished: Furnished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINHDANH_CONFORMANCE_REDIRECT", "https://suite.example/test/a/other/callback")
    with pytest.raises(CommandError, match="furnished for a conformance suite at"):
        await asyncio.to_thread(seed, furnished.settings)
