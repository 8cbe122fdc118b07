"""Where the migrations are, and which one is the newest: told by the files alone, since who serves needs no Alembic."""

import re
from functools import cache
from pathlib import Path

_NAMED = re.compile(r'^(revision|down_revision) = "([^"]+)"$', re.MULTILINE)


def migrations_folder() -> Path:
    """`alembic/` beside the packages in a checkout, inside this package when installed from a wheel."""
    here = Path(__file__).resolve().parent
    beside = here.parent / "alembic"
    return beside if (beside / "env.py").is_file() else here / "_alembic"


@cache
def newest_revision() -> str:
    """The revision this code was written for: the one that no other goes on from."""
    named = [dict(_NAMED.findall(file.read_text("utf-8"))) for file in (migrations_folder() / "versions").glob("*.py")]
    heads: set[str] = {each["revision"] for each in named} - {each.get("down_revision") for each in named}
    if len(heads) != 1:
        raise RuntimeError("the migrations have no single newest one")
    return heads.pop()
