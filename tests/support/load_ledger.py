"""The account after a storm: what was answered on the wire against what stands in the database."""

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from core.ids import hash_reference
from core.jose import decode_unverified
from tests.actors.load_watch import Exchange, Watch

LOOKUP, USERINFO, TOKEN, CONSENT = "/api/lookup/", "/userinfo", "/token", "/consent"
LATE_AFTER = timedelta(seconds=1.5)
"""A line has its place within a second; half a second is the machine's."""


@dataclass
class Ledger:
    """The database's side. lookup_lines, userinfo_lines: how often each line (each person) stands there."""

    lookup_lines: Counter[UUID] = field(default_factory=Counter)
    leaf_hashes: dict[UUID, str] = field(default_factory=dict)
    userinfo_lines: int = 0
    consents: int = 0
    consent_lines: int = 0
    answers: dict[bytes, str] = field(default_factory=dict)
    consents_by_answer: Counter[bytes] = field(default_factory=Counter)
    used_codes: set[bytes] = field(default_factory=set)
    unspent_refresh_tokens: Counter[UUID] = field(default_factory=Counter)
    pending: int = 0

    @classmethod
    async def read(cls, url: str) -> "Ledger":
        """url: the owner's login."""
        found, connection = cls(), await asyncpg.connect(url)
        try:
            for row in await connection.fetch(
                "SELECT line_id, action FROM privacy.journal_lines WHERE kind = 'disclosure'"
                " AND (action LIKE 'lookup.%' OR action = 'oidc.userinfo')"
            ):
                if row["action"] == "oidc.userinfo":
                    found.userinfo_lines += 1
                else:
                    found.lookup_lines[row["line_id"]] += 1
            for row in await connection.fetch("SELECT line_id, leaf_hash FROM privacy.journal_leaves"):
                found.leaf_hashes[row["line_id"]] = row["leaf_hash"].hex()
            found.consents = await connection.fetchval("SELECT count(*) FROM consent.consents")
            found.consent_lines = await connection.fetchval(
                "SELECT count(*) FROM privacy.journal_lines WHERE action = 'consent.given' AND kind = 'act'"
            )
            for row in await connection.fetch("SELECT answer_key, decision FROM consent.answers"):
                found.answers[row["answer_key"]] = row["decision"]
            for row in await connection.fetch("SELECT answer_key FROM consent.consents"):
                found.consents_by_answer[row["answer_key"]] += 1
            for row in await connection.fetch("SELECT code_hash FROM oidc.grants WHERE code_used_at IS NOT NULL"):
                found.used_codes.add(row["code_hash"])
            for row in await connection.fetch(
                "SELECT t.gid FROM oidc.refresh_tokens t JOIN oidc.clients c USING (client_id)"
                " WHERE c.auth_method = 'none' AND t.rotated_at IS NULL"
            ):
                found.unspent_refresh_tokens[row["gid"]] += 1
            found.pending = await connection.fetchval("SELECT count(*) FROM privacy.journal_pending")
        finally:
            await connection.close()
        return found


async def late_lines(url: str) -> int:
    """How many lines wait longer for their place than they may."""
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError):
        return 1
    try:
        oldest = datetime.now(UTC) - LATE_AFTER
        counted: int = await connection.fetchval(
            "SELECT count(*) FROM privacy.journal_pending WHERE recorded_at < $1", oldest
        )
        return counted
    finally:
        await connection.close()


def lookup_answers(watch: Watch) -> list[tuple[UUID, str]]:
    """Journal line and leaf hash that each signed answer names."""
    named = []
    for one in watch.of(LOOKUP, status=200):
        journal = decode_unverified(one.body).claims["journal"]
        named.append((UUID(journal["line_id"]), str(journal["leaf_hash"])))
    return named


def userinfo_answers(watch: Watch) -> list[Exchange]:
    """Answers that told more than the pseudonym."""
    return [one for one in watch.of(USERINFO, status=200) if len(json.loads(one.body)) > 1]


def unsure(watch: Watch, path: str) -> list[Exchange]:
    """Requests whose asker does not know how they ended: a line may stand without an answer."""
    return [one for one in watch.of(path) if one.status in {None, 503}]


def agreed(watch: Watch) -> list[bytes]:
    """The key of every consent that was given and answered: the page went on to the portal."""
    keys = []
    for one in watch.of(CONSENT, status=303):
        if one.method == "POST" and one.headers["location"].startswith("/authorize/resume"):
            asked = bytes.fromhex(one.form["question"])
            keys.append(hashlib.sha256(b"consent answer\x00" + one.query["i"].encode() + asked).digest())
    return keys


def redemptions(watch: Watch) -> dict[str, list[int | None]]:
    """Per authorization code the status of each time it was shown."""
    shown: defaultdict[str, list[int | None]] = defaultdict(list)
    for one in watch.of(TOKEN):
        if one.form.get("grant_type") == "authorization_code":
            shown[one.form["code"]].append(one.status)
    return dict(shown)


def code_hash(code: str) -> bytes:
    return hash_reference(code)


def successors(watch: Watch) -> dict[str, set[str]]:
    """Per refresh token of the public client the tokens that were given for it."""
    given: defaultdict[str, set[str]] = defaultdict(set)
    for one in watch.of(TOKEN, status=200):
        told: dict[str, Any] = json.loads(one.body)
        if one.form.get("grant_type") == "refresh_token" and "refresh_token" in told:
            given[one.form["refresh_token"]].add(told["refresh_token"])
    return dict(given)
