"""What the registry holds about a batch: asked before it is sealed, and again when somebody was faster."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import asyncpg
import orjson

from population_db.import_batch import Look, Plan, ReadBatch
from population_db.import_decide import Known, StoredGroup
from population_db.sealing import IndexEntry, decode, index_entries, index_values, open_group
from privacy.vault.api import Vault

Connection: TypeAlias = "asyncpg.Connection[Any]"

_KNOWN = """
    SELECT n.mac, n.person_id, n.status AS number_status, p.status, p.version, p.run_id, p.run_line
    FROM population_db.number_index n JOIN population_db.persons p USING (person_id)
    WHERE n.mac = ANY($1::bytea[]) AND n.key_version = $2"""
_SEEN = "SELECT mac, line FROM population_db.import_seen WHERE run_id = $1 AND mac = ANY($2::bytea[])"
_GROUPS = """
    SELECT person_id, group_code, version, content_mac, source, as_of
    FROM population_db.person_groups WHERE person_id = ANY($1::uuid[]) AND superseded_at IS NULL"""
_NUMBERS = "SELECT person_id, status FROM population_db.person_numbers WHERE person_id = ANY($1::uuid[])"
_MEMBERS = """
    SELECT person_id, household_id FROM population_db.household_members
    WHERE person_id = ANY($1::uuid[]) AND valid_to IS NULL"""
_CONTENTS = """
    SELECT person_id, group_code, version, sealed FROM population_db.person_groups
    WHERE person_id = ANY($1::uuid[]) AND group_code IN ('civil', 'residence') AND superseded_at IS NULL"""


_SETTINGS = {
    "application_name": "dinhdanh import",
    # Everything here is asked by key. Tables that have just begun to fill have no statistics yet, and a plan
    # kept from then would read them whole for every batch.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


async def connect(database_url: str) -> Connection:
    """A connection of an import: no pool, no statement timeout, one long piece of work."""
    conn: Connection = await asyncpg.connect(database_url, server_settings=_SETTINGS)
    await conn.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
    )
    return conn


async def look(conn: Connection, batch: ReadBatch, run_id: uuid.UUID) -> Look:
    """One question when everybody is new, five more when somebody is known."""
    found = Look()
    for row in await conn.fetch(_KNOWN, list(batch.macs), batch.key_version):
        found.known[batch.macs[row["mac"]]] = Known(
            row["person_id"], row["number_status"], row["status"], row["version"], row["run_id"], row["run_line"]
        )
    if not found.known:
        return found
    for row in await conn.fetch(_SEEN, run_id, list(batch.macs)):
        found.seen[batch.macs[row["mac"]]] = row["line"]
    ids = list({known.person_id for known in found.known.values()})
    for row in await conn.fetch(_GROUPS, ids):
        stored = StoredGroup(row["version"], row["content_mac"], row["source"], row["as_of"])
        found.groups.setdefault(row["person_id"], {})[row["group_code"]] = stored
    for row in await conn.fetch(_NUMBERS, ids):
        found.numbers.setdefault(row["person_id"], []).append(row["status"])
    for row in await conn.fetch(_MEMBERS, ids):
        found.households[row["person_id"]] = row["household_id"]
    return found


async def index_changes(
    conn: Connection, vault: Vault, plans: Iterable[Plan]
) -> dict[uuid.UUID, tuple[list[IndexEntry], list[IndexEntry]]]:
    """Search rows to take away and to add, for changed persons whose name, birth or residence may differ."""
    changed = {plan.person_id: plan for plan in plans}
    before: dict[uuid.UUID, dict[str, dict[str, Any]]] = {person_id: {} for person_id in changed}
    for row in await conn.fetch(_CONTENTS, list(changed)):
        person_id, group = row["person_id"], row["group_code"]
        before[person_id][group] = open_group(vault, person_id, group, row["version"], row["sealed"])
    changes = {}
    for person_id, plan in changed.items():
        after = before[person_id] | {write.group: decode(write.encoded) for write in plan.groups}
        old, new = _values(before[person_id]), _values(after)
        changes[person_id] = (index_entries(vault, old - new), index_entries(vault, new - old))
    return changes


def _values(contents: Mapping[str, Mapping[str, Any]]) -> set[tuple[str, str]]:
    if "civil" not in contents:
        return set()
    return set(index_values(contents["civil"], contents.get("residence", {})))
