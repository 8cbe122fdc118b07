"""Interactions taken for another, and logins that try what they must not."""

import asyncpg
import pytest

from core.settings import secret_value
from tests.support.furnished import Furnished


async def test_a_walk_of_another_kind_has_expired(furnished: Furnished) -> None:
    async with furnished.browser() as browser:
        answer = await browser.http.get("/signin")
        ticket = answer.headers["location"].split("i=")[1]
        page = await browser.http.get("/authorize/resume", params={"i": ticket})
        assert page.status_code == 400
        assert "interaction-expired" in page.text


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE oidc.grants SET revoked_at = NULL",
        "UPDATE oidc.grants SET purposes = '{}'",
        "UPDATE oidc.grants SET consent_ids = '{}'",
        "UPDATE oidc.clients SET sector = 'another'",
        "UPDATE oidc.clients SET profile = 'standard'",
        "UPDATE oidc.clients SET agency_code = 'H26.01'",
        "UPDATE oidc.clients SET audiences = '{everything}'",
        "UPDATE oidc.refresh_tokens SET token_hash = ''",
        "DELETE FROM oidc.grants",
    ],
)
async def test_the_web_login_rewrites_no_grant_or_client(furnished: Furnished, statement: str) -> None:
    """Refused for lack of the right; what it may touch it may only end, which a trigger holds."""
    connection = await asyncpg.connect(secret_value(furnished.settings.database_url, "DATABASE_URL"))
    try:
        if statement.endswith("revoked_at = NULL"):
            await connection.execute("BEGIN")
            await _a_revoked_grant(connection)
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(statement)
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def _a_revoked_grant(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.execute(
        """
        INSERT INTO oidc.grants (person_id, gid, account_id, client_id, agency_id, scopes, purposes, consent_ids,
            acr, aal, ial, amr, auth_time, sid, redirect_uri, code_hash, code_challenge, code_expires_at, granted_at,
            revoked_at, revoked_reason, kind, resources, authorization_details, claims)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), client_id, agency_id, '{openid}', '{}', '{}',
            'urn:dinhdanh:loa:ial1:aal1', 1, 1, '{pwd}', created_at, 'sid', 'https://rp.example/cb',
            decode(repeat('00', 32), 'hex'), repeat('A', 43), created_at + interval '30 seconds',
            created_at, created_at, 'test', 'code', '{}', '[]', '{}'
        FROM oidc.clients LIMIT 1
        """
    )
