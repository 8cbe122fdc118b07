"""What the web login may do to clients: exactly what management changes; four eyes hold in the database too."""

import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from core.database import Database, RawTx

NOW = datetime(2026, 11, 2, tzinfo=UTC)
CLIENT = """
INSERT INTO oidc.clients (client_id, agency_id, agency_code, profile, state, name_vi, name_en, auth_method, origin,
    redirect_uris, post_logout_redirect_uris, grant_types, scopes, audiences, sector, purpose, id_token_alg,
    access_token_alg, dpop_bound, mtls_bound, requires_par, default_acr_values, options, details,
    created_at, changed_at)
VALUES ('c-rights', $1, 'H26', 'standard', $2, 'Tên', 'Name', 'none', 'agency', '{}', '{}', '{}', '{}', '{}', 's', 'p',
    'ES256', 'ES256', false, false, false, '{}', '{}', '{}', $3, $3)
"""
REVIEW = """
INSERT INTO oidc.client_reviews (review_id, client_id, agency_id, kind, based_on, proposed_by, proposed_title,
    proposed_at)
VALUES ($1, 'c-rights', $2, 'registration', $3, 'person:a', 'A', $3)
"""
DECIDE = "UPDATE oidc.client_reviews SET decided_by = $1, decided_title = 'x', decided_at = $2, decision = $3"


async def insert(tx: RawTx, state: str = "pending") -> None:
    await tx.conn.execute(CLIENT, uuid.uuid4(), state, NOW)


@pytest.mark.parametrize(
    "column",
    ["client_id", "agency_id", "agency_code", "profile", "sector", "audiences", "purpose", "created_at", "origin"],
)
async def test_what_management_never_changes(database: Database, column: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.raw() as tx:
            await tx.conn.execute(f"UPDATE oidc.clients SET {column} = {column}")


@pytest.mark.parametrize("table", ["clients", "initial_access_tokens", "client_reviews", "software_publishers"])
async def test_nothing_of_it_is_removed(database: Database, worker_database: Database, table: str) -> None:
    for login in (database, worker_database):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with login.raw() as tx:
                await tx.conn.execute(f"DELETE FROM oidc.{table}")


@pytest.mark.parametrize("table", ["initial_access_tokens", "client_reviews", "software_publishers"])
async def test_the_worker_has_no_business_with_it(worker_database: Database, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with worker_database.raw() as tx:
            await tx.conn.fetch(f"SELECT * FROM oidc.{table}")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("clients", "secret_hash"),
        ("clients", "former_secret_hash"),
        ("clients", "registration_token_hash"),
        ("grants", "code_hash"),
        ("grants", "code_challenge"),
        ("grants", "nonce"),
        ("refresh_tokens", "token_hash"),
        ("refresh_tokens", "successor_salt"),
        ("signing_keys", "sealed"),
        ("initial_access_tokens", "token_hash"),
    ],
)
async def test_the_reader_counts_and_sees_no_secret(reader_database: Database, table: str, column: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with reader_database.raw_read() as tx:
            await tx.conn.fetch(f"SELECT {column} FROM oidc.{table}")


async def test_the_reader_counts(reader_database: Database) -> None:
    async with reader_database.raw_read() as tx:
        for table in ("clients", "grants", "refresh_tokens", "signing_keys"):
            assert await tx.conn.fetchval(f"SELECT count(*) FROM oidc.{table}") == 0


async def test_terms_of_a_token_stay(database: Database) -> None:
    for column in ("profiles", "expires_at", "agency_id", "seconded_by", "token_hash"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.raw() as tx:
                await tx.conn.execute(f"UPDATE oidc.initial_access_tokens SET {column} = {column}")


async def test_nobody_approves_what_he_proposed(tx: RawTx) -> None:
    await insert(tx)
    await tx.conn.execute(REVIEW, uuid.uuid4(), uuid.uuid4(), NOW)
    with pytest.raises(asyncpg.CheckViolationError, match="two_people"):
        await tx.conn.execute(DECIDE, "person:a", NOW, "approved")


async def test_a_review_is_decided_once(tx: RawTx) -> None:
    await insert(tx)
    await tx.conn.execute(REVIEW, uuid.uuid4(), uuid.uuid4(), NOW)
    await tx.conn.execute(DECIDE, "person:a", NOW, "refused")
    with pytest.raises(asyncpg.CheckViolationError, match="decided once"):
        await tx.conn.execute(DECIDE, "person:b", NOW, "approved")


async def test_one_review_at_a_time(tx: RawTx) -> None:
    await insert(tx)
    await tx.conn.execute(REVIEW, uuid.uuid4(), uuid.uuid4(), NOW)
    with pytest.raises(asyncpg.UniqueViolationError):
        await tx.conn.execute(REVIEW, uuid.uuid4(), uuid.uuid4(), NOW)


@pytest.mark.parametrize(("before", "after"), [("deleted", "active"), ("deleted", "pending"), ("active", "pending")])
async def test_states_do_not_go_back(tx: RawTx, before: str, after: str) -> None:
    await insert(tx, before)
    with pytest.raises(asyncpg.CheckViolationError):
        await tx.conn.execute(
            "UPDATE oidc.clients SET state = $1, changed_at = $2 WHERE client_id = 'c-rights'",
            after,
            NOW + timedelta(seconds=1),
        )
