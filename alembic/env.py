"""Alembic's environment: one transaction per migration, as the owner, under a lock timeout.

The address comes from `service.migrate` (attribute `owner_url`) or, when alembic is run by hand, from the
environment variable DATABASE_OWNER_URL.
"""

import asyncio
import os

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.migrations import require_roles

LOCK_TIMEOUT_MS = 5_000  # a migration that waits for a table must not make every request wait behind it
ADVISORY_LOCK = 0x44696E6844616E68  # two processes that migrate at once: the second waits, then finds all done
VERSION_SCHEMA = "public"


def run(connection: sa.Connection) -> None:
    require_roles(connection)
    connection.execute(sa.text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
    connection.execute(sa.text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=None,
        version_table_schema=VERSION_SCHEMA,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    # Readiness compares the revision with the code's; the processes that do so are not the owner.
    readers = "dinhdanh_web, dinhdanh_worker, dinhdanh_reader"
    connection.execute(sa.text(f"GRANT SELECT ON {VERSION_SCHEMA}.alembic_version TO {readers}"))
    connection.commit()


async def run_online() -> None:
    url = context.config.attributes.get("owner_url") or os.environ["DATABASE_OWNER_URL"]
    url = url.replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("migrations run against a database, not into a file")
asyncio.run(run_online())
