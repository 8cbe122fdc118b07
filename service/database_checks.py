"""What must hold of the database before anything is served: enough connections, and a login that cannot cheat."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg

from core.database import RawTx
from core.settings import Settings
from privacy.journal.api import excess_rights
from service.errors import CommandError

CONNECT_SECONDS = 10
EXTRA_PER_PROCESS = 2  # the listener for notifications, the journal's own connection

_OWNS = """
SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
WHERE r.rolname = current_user AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
"""
_SUPER = "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
_ROOM = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""


def check_web_login(url: str, settings: Settings) -> None:
    """Raises CommandError when the login may do what it must not, or the connections do not suffice."""
    wanted = settings.workers * (settings.session_pool + settings.raw_pool + EXTRA_PER_PROCESS)
    _run(url, "DATABASE_URL", wanted)


def check_worker_login(url: str) -> None:
    """The same for the background process, without counting."""
    _run(url, "DATABASE_WORKER_URL", 0)


def _run(url: str, setting: str, wanted: int) -> None:
    with ThreadPoolExecutor(max_workers=1) as beside:
        beside.submit(asyncio.run, _check(url, setting, wanted)).result()


async def _check(url: str, setting: str, wanted: int) -> None:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        # The message may hold the address with its password; the kind of failure says enough.
        raise CommandError(f"the database of {setting} does not let us in ({type(error).__name__})") from None
    try:
        if await connection.fetchval(_SUPER):
            raise CommandError(f"the login of {setting} is an administrator of the server: give it a plain one")
        if await connection.fetchval(_OWNS):
            raise CommandError(f"the login of {setting} owns tables: only the owner of DATABASE_OWNER_URL may")
        if excess := await excess_rights(RawTx(connection)):
            raise CommandError(f"{setting}: {excess[0]}: revoke that right")
        room = await connection.fetchval(_ROOM)
        if wanted > room:
            raise CommandError(
                f"{wanted} connections are wanted (DINHDANH_WORKERS × pools) but the server allows {room}: "
                "lower DINHDANH_WORKERS, DINHDANH_SESSION_POOL or DINHDANH_RAW_POOL, or raise max_connections"
            )
    finally:
        await connection.close()
