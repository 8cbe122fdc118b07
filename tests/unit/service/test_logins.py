"""The four logins of an embedded server, and what a login must not be able to do."""

import base64
import hashlib
import hmac
import json
from uuid import UUID

import asyncpg
import pytest

from core.settings import Settings
from service.database_checks import SANDBOX_MARK, check_web_login, check_worker_login
from service.embedded import EmbeddedUrls
from service.embedded_logins import scram_verifier
from service.errors import CommandError
from service.migrate import migrate
from service.revision import newest_revision
from tests.support.holders import ask, tell
from tests.support.servers import ServerAddresses

SANDBOX_CLIENT = {
    "client_id": SANDBOX_MARK,
    "agency_id": str(UUID(int=1)),
    **dict.fromkeys(("agency_code", "name_vi", "name_en", "sector", "purpose"), "x"),
    **{"profile": "standard", "state": "active", "auth_method": "none", "origin": "operator"},
    **{key: [] for key in ("redirect_uris", "post_logout_redirect_uris", "grant_types", "scopes", "audiences")},
    **{"default_acr_values": [], "id_token_alg": "ES256", "access_token_alg": "ES256"},
    **dict.fromkeys(("dpop_bound", "mtls_bound", "requires_par"), False),
    **{key: {} for key in ("options", "details")},
    **dict.fromkeys(("created_at", "changed_at"), "2026-11-02T02:00:00Z"),
}
ALL = ("database_url", "database_owner_url", "database_worker_url", "database_reader_url")


@pytest.mark.parametrize("which", ALL)
async def test_no_login_is_powerful(database_urls: EmbeddedUrls, which: str) -> None:
    powers = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
    url = database_urls.by_name()[which]
    assert await ask(url, f"SELECT {powers} FROM pg_roles WHERE rolname = current_user") is False


async def test_the_owner_owns_and_the_reader_only_reads(database_urls: EmbeddedUrls) -> None:
    assert await ask(
        database_urls.database_owner_url,
        "SELECT pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = current_database()",
    )
    assert await ask(database_urls.database_reader_url, "SHOW transaction_read_only") == "on"
    for url in (database_urls.database_url, database_urls.database_worker_url):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tell(url, "CREATE TABLE mine (n int)")


async def test_a_wrong_password_and_no_password_do_not_get_in(database_urls: EmbeddedUrls) -> None:
    scheme, rest = database_urls.database_url.split("//")
    _, where = rest.split("@")
    for who in ("dinhdanh_web:wrong", "dinhdanh_web", "postgres"):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
            await ask(f"{scheme}//{who}@{where}", "SELECT 1")


def test_the_verifier_is_that_of_the_rfc() -> None:
    """RFC 7677, section 3: user `user`, password `pencil`, with the salt given there."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    verifier = scram_verifier("pencil", salt, 4096)
    # ServerKey of that exchange: its HMAC over the AuthMessage is the v= of the server's final message.
    stored, server = verifier.split("$")[2].split(":")
    assert verifier.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    auth_message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signature = hmac.digest(base64.b64decode(server), auth_message, "sha256")
    assert base64.b64encode(signature).decode() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    # The client's proof opens to a key whose hash is the stored key.
    client_signature = hmac.digest(base64.b64decode(stored), auth_message, "sha256")
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(a ^ b for a, b in zip(proof, client_signature, strict=True))
    assert hashlib.sha256(client_key).digest() == base64.b64decode(stored)


async def test_migrating_again_changes_nothing(database_urls: EmbeddedUrls) -> None:
    migrate(database_urls.database_owner_url)
    head = await ask(database_urls.database_url, "SELECT version_num FROM public.alembic_version")
    assert head == newest_revision()


def test_a_database_that_is_not_there_is_a_sentence_without_the_password() -> None:
    url = "postgresql://dinhdanh_owner:canary@127.0.0.1:1/dinhdanh"
    with pytest.raises(CommandError, match="DATABASE_OWNER_URL does not let us in") as told:
        migrate(url)
    assert "canary" not in str(told.value)


def test_the_web_and_worker_logins_are_accepted(database_urls: EmbeddedUrls, settings: Settings) -> None:
    check_web_login(database_urls.database_url, settings)
    check_worker_login(database_urls.database_worker_url, settings)


def test_the_owner_and_an_administrator_are_refused(
    servers: ServerAddresses, database_urls: EmbeddedUrls, settings: Settings
) -> None:
    with pytest.raises(CommandError, match="DATABASE_URL owns tables"):
        check_web_login(database_urls.database_owner_url, settings)
    with pytest.raises(CommandError, match="DATABASE_WORKER_URL is an administrator"):
        check_worker_login(servers.superuser_url, settings)


async def test_a_login_that_may_change_journal_lines_is_refused(
    database_urls: EmbeddedUrls, settings: Settings
) -> None:
    await tell(database_urls.database_owner_url, "GRANT UPDATE ON privacy.journal_lines TO dinhdanh_web")
    try:
        with pytest.raises(CommandError, match=r"DATABASE_URL: the login may UPDATE privacy\.journal_lines: revoke"):
            check_web_login(database_urls.database_url, settings)
    finally:
        await tell(database_urls.database_owner_url, "REVOKE UPDATE ON privacy.journal_lines FROM dinhdanh_web")


def test_more_connections_than_the_server_has_are_refused(database_urls: EmbeddedUrls, settings: Settings) -> None:
    greedy = settings.model_copy(update={"workers": 64, "raw_pool": 100})
    with pytest.raises(CommandError, match="max_connections"):
        check_web_login(database_urls.database_url, greedy)


async def test_production_refuses_a_sandboxs_database(database_urls: EmbeddedUrls, settings: Settings) -> None:
    """Its people's passwords are printed for everybody. What a sandbox is known by, any sandbox has."""
    live = settings.model_copy(update={"mode": "production"})
    check_web_login(database_urls.database_url, live)
    row = json.dumps(SANDBOX_CLIENT)
    insert = f"INSERT INTO oidc.clients SELECT * FROM jsonb_populate_record(NULL::oidc.clients, '{row}')"
    await tell(database_urls.database_owner_url, insert)
    try:
        check_web_login(database_urls.database_url, settings)
        with pytest.raises(CommandError, match="DATABASE_URL was furnished as a sandbox"):
            check_web_login(database_urls.database_url, live)
        with pytest.raises(CommandError, match="DATABASE_WORKER_URL was furnished as a sandbox"):
            check_worker_login(database_urls.database_worker_url, live)
    finally:
        await tell(database_urls.database_owner_url, f"DELETE FROM oidc.clients WHERE client_id = '{SANDBOX_MARK}'")
