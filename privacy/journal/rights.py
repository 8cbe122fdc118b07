"""May this login only add to the journal? Asked at the start of every server."""

from sqlalchemy import text

from core.database import Query, Tx

APPEND_ONLY = ("journal_lines", "journal_leaves", "journal_checkpoints")

# One row per partition too: a right on a partition is a right on its lines.
_RIGHTS = Query(
    text(
        "SELECT c.relname AS name, pg_has_role(c.relowner, 'USAGE') AS owns,"
        " has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE') AS may_update,"
        " has_table_privilege(c.oid, 'DELETE') AS may_delete,"
        " has_table_privilege(c.oid, 'TRUNCATE') AS may_truncate"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'privacy' AND c.relkind IN ('r', 'p')"
        " AND (c.relname LIKE 'journal\\_lines%' OR c.relname IN ('journal_leaves', 'journal_checkpoints'))"
        " ORDER BY c.relname"
    )
)
_WRITABLE = Query(
    text(
        "SELECT has_table_privilege('privacy.journal_lines', 'INSERT')"
        " AND has_table_privilege('privacy.journal_pending', 'INSERT')"
        " AND NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable"
    )
)


async def excess_rights(tx: Tx) -> list[str]:
    """What this login could do to journal rows beyond reading and adding, in words; empty when all is well."""
    faults = []
    for row in await tx.rows(_RIGHTS):
        for right, word in (
            ("owns", "owns"),
            ("may_update", "may UPDATE"),
            ("may_delete", "may DELETE from"),
            ("may_truncate", "may TRUNCATE"),
        ):
            if row[right]:
                faults.append(f"the login {word} privacy.{row['name']}")
    return faults


async def writable(tx: Tx) -> bool:
    """Whether a line could be written now: the rights are there and the server takes writes."""
    row = await tx.row(_WRITABLE)
    return row is not None and bool(row["writable"])
