"""A database with clients in it that an older release wrote migrates, and they mean the same or less."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from service.embedded import EmbeddedUrls
from service.embedded_logins import create_database
from service.migrate import migrate
from tests.support.servers import ServerAddresses

BEFORE = "0012_identity_self_declared"
NOW = datetime(2026, 11, 2, tzinfo=UTC)
CLIENT = """
INSERT INTO oidc.clients (client_id, agency_id, agency_code, profile, state, name_vi, name_en, auth_method, secret_hash,
    origin, redirect_uris, post_logout_redirect_uris, grant_types, scopes, audiences, sector, purpose, id_token_alg,
    access_token_alg, dpop_bound, mtls_bound, requires_par, default_acr_values, options, details,
    created_at, changed_at)
VALUES ($1, $2, 'H26', 'standard', $1, 'Tên', 'Name', 'client_secret_basic', $3, 'agency', '{}', '{}', '{}', '{}', '{}',
    's', 'p', 'ES256', 'ES256', false, false, false, '{}', '{}', '{}', $4, $4)
"""
STATES = ("active", "deleted", "pending", "suspended")


@pytest.fixture
async def urls(servers: ServerAddresses, worker_number: int) -> AsyncIterator[EmbeddedUrls]:
    """Of an empty database, in which nothing was migrated."""
    name = f"older_{worker_number}"
    connection = await asyncpg.connect(servers.superuser_url)
    try:
        await create_database(connection, name)
    finally:
        await connection.close()
    yield servers.urls_for(name, 0)
    await servers.drop(name)


async def test_states_stay_and_the_reader_sees_no_secret(urls: EmbeddedUrls) -> None:
    migrate(urls.database_owner_url, BEFORE)
    owner = await asyncpg.connect(urls.database_owner_url)
    reader = await asyncpg.connect(urls.database_reader_url)
    try:
        for state in STATES:
            await owner.execute(CLIENT, state, uuid.uuid4(), bytes(32), NOW)
        assert len(await reader.fetch("SELECT secret_hash FROM oidc.clients")) == len(STATES)
        migrate(urls.database_owner_url)
        rows = await owner.fetch("SELECT client_id, state, suspended_by FROM oidc.clients ORDER BY client_id")
        # Who suspended is not known: only the operator reinstates.
        assert [tuple(row) for row in rows] == [(state, state, None) for state in STATES]
        assert await reader.fetchval("SELECT count(*) FROM oidc.clients") == len(STATES)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch("SELECT secret_hash FROM oidc.clients")
    finally:
        await owner.close()
        await reader.close()
