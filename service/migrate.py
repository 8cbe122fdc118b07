"""Bring a database to the newest revision, as its owner."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic import command

OWNER_URL = "owner_url"  # the attribute by which alembic/env.py receives the address


def migrations_folder() -> Path:
    """`alembic/` beside the packages in a checkout, inside this package when installed from a wheel."""
    here = Path(__file__).resolve().parent
    beside = here.parent / "alembic"
    return beside if (beside / "env.py").is_file() else here / "_alembic"


@cache
def newest_revision() -> str:
    """The revision this code was written for."""
    head = ScriptDirectory.from_config(_configuration("")).get_current_head()
    if head is None:
        raise RuntimeError("no migration is here")
    return head


def migrate(owner_url: str) -> None:
    """Run every missing migration. Raises what the database says, e.g. when a lock is not had in time.

    Runs in a thread of its own, because Alembic's environment may start an event loop.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        beside.submit(command.upgrade, _configuration(owner_url), "head").result()


def _configuration(owner_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes[OWNER_URL] = owner_url
    return config
