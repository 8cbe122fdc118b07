"""Bring a database to the newest revision, as its owner."""

from concurrent.futures import ThreadPoolExecutor

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from service.errors import CommandError
from service.revision import migrations_folder

NOT_LET_IN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.CannotConnectNowError,
)
LOCK_NOT_AVAILABLE = "55P03"  # SQLSTATE of PostgreSQL
OWNER_URL = "owner_url"  # the attribute by which alembic/env.py receives the address


def migrate(owner_url: str, to: str = "head") -> None:
    """Run every missing migration. Raises CommandError when the database or a lock is not to be had.

    to: the last revision to run, for tests of what an older release left behind.

    Runs in a thread of its own, because Alembic's environment starts an event loop.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        try:
            beside.submit(command.upgrade, _configuration(owner_url), to).result()
        except RuntimeError as told:  # core.migrations.require_roles: which logins to make, and how
            raise CommandError(str(told)) from None
        except NOT_LET_IN as error:
            # Not the message: it may quote the address with its password.
            kind = type(error).__name__
            raise CommandError(f"the database of DATABASE_OWNER_URL does not let us in ({kind})") from None
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise CommandError("a table is in use and did not come free: migrate again later") from None
            raise


def _configuration(owner_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes[OWNER_URL] = owner_url
    return config
