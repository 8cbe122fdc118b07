"""The database logins of an embedded server and the database they share.

owner   owns the database and everything in it; runs migrations only
web     what the pages and APIs work with
worker  what the background process works with
reader  reads statistics; every transaction of it is read-only

None is a superuser, may create databases or roles, or bypass row security. Tables are granted by migrations.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

import asyncpg

DATABASE = "dinhdanh"
OWNER, WEB, WORKER, READER = "dinhdanh_owner", "dinhdanh_web", "dinhdanh_worker", "dinhdanh_reader"
ROLES = (OWNER, WEB, WORKER, READER)
SCRAM_ITERATIONS = 4096  # PostgreSQL's own; these secrets are 256 random bits, not words to be guessed


async def ensure_logins(superuser_url: str, passwords: Mapping[str, str]) -> None:
    """Make the roles and the database when missing and set passwords that differ. Harmless when repeated."""
    connection = await asyncpg.connect(superuser_url)
    try:
        stored = {
            row["rolname"]: row["rolpassword"] or ""
            for row in await connection.fetch(
                "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY($1)", list(ROLES)
            )
        }
        for role in ROLES:
            if role not in stored:
                await connection.execute(
                    f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
                )
            if not _matches(stored.get(role, ""), passwords[role]):
                await connection.execute(f"ALTER ROLE {role} PASSWORD '{scram_verifier(passwords[role])}'")
        await connection.execute(f"ALTER ROLE {READER} SET default_transaction_read_only = on")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await create_database(connection, DATABASE)
    finally:
        await connection.close()


async def create_database(connection: "asyncpg.Connection[asyncpg.Record]", name: str, template: str = "") -> None:
    """A database owned by the owner login, to which only our logins may connect."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) or not re.fullmatch(r"[a-z0-9_]*", template):
        raise ValueError(f"not a database name: {name!r}, {template!r}")
    of = f" TEMPLATE {template}" if template else ""
    await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}{of}")
    await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    await connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {WEB}, {WORKER}, {READER}")


def scram_verifier(password: str, salt: bytes | None = None, iterations: int = SCRAM_ITERATIONS) -> str:
    """What PostgreSQL stores for a password (RFC 5803, SCRAM-SHA-256); the password itself never leaves."""
    salt = salt if salt is not None else secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_b64(salt)}${_b64(stored_key)}:{_b64(server_key)}"


def _matches(verifier: str, password: str) -> bool:
    match = re.fullmatch(r"SCRAM-SHA-256\$(\d+):([^$]+)\$.+", verifier)
    if match is None:
        return False
    expected = scram_verifier(password, base64.b64decode(match[2]), int(match[1]))
    return hmac.compare_digest(expected, verifier)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
