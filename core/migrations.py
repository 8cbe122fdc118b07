"""Helpers of the migration files: schemas, grants, forward only.

Four logins, each with its own password (see docs/operations.md): the owner migrates, web serves, worker
does the background work, reader verifies and counts. Nobody but the owner owns a table.
"""

from typing import Any

from sqlalchemy import text

ROLES = ("dinhdanh_owner", "dinhdanh_web", "dinhdanh_worker", "dinhdanh_reader")


def create_schema(op: Any, name: str) -> None:
    """Makes a package's schema and lets the logins in (not: write to any table)."""
    op.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"')
    op.execute(f'REVOKE ALL ON SCHEMA "{name}" FROM PUBLIC')
    op.execute(f'GRANT USAGE ON SCHEMA "{name}" TO dinhdanh_web, dinhdanh_worker, dinhdanh_reader')


def grant(op: Any, table: str, *, web: str = "", worker: str = "", reader: str = "SELECT") -> None:
    """Grants on one table, e.g. `grant(op, "identity.accounts", web="SELECT, INSERT, UPDATE")`."""
    for role, rights in (("web", web), ("worker", worker), ("reader", reader)):
        if rights:
            op.execute(f"GRANT {rights} ON {table} TO dinhdanh_{role}")


def require_roles(connection: Any) -> None:
    """Raises RuntimeError with the statement to run when a login is missing."""
    present = {name for (name,) in connection.execute(text("SELECT rolname FROM pg_roles"))}
    missing = [role for role in ROLES if role not in present]
    if missing:
        made = "; ".join(f"CREATE ROLE {role} LOGIN PASSWORD '…'" for role in missing)
        raise RuntimeError(f"the database server lacks logins; as its administrator run: {made}")


def forward_only() -> None:
    """What every `downgrade` does."""
    raise RuntimeError("migrations only go forward: write a new one that mends the old")
