"""What must hold of the database before anything is served: enough connections, a login that cannot cheat, and
outside the sandbox no sandbox's people."""

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

SANDBOX_MARK = "portal-enrolment"
"""A client that every sandbox has; outside of it client_ids are random."""
_CLIENTS = "SELECT to_regclass('oidc.clients') IS NOT NULL"
_MARKED = "SELECT EXISTS (SELECT FROM oidc.clients WHERE client_id = $1)"


def check_web_login(url: str, settings: Settings) -> None:
    """Raises CommandError when the login may do what it must not, or the connections do not suffice."""
    wanted = settings.workers * (settings.session_pool + settings.raw_pool + EXTRA_PER_PROCESS)
    _run(url, "DATABASE_URL", wanted, sandbox=settings.sandbox)


def check_worker_login(url: str, settings: Settings) -> None:
    """The same for the background process, without counting."""
    _run(url, "DATABASE_WORKER_URL", 0, sandbox=settings.sandbox)


def _run(url: str, setting: str, wanted: int, *, sandbox: bool) -> None:
    with ThreadPoolExecutor(max_workers=1) as beside:
        beside.submit(asyncio.run, _check(url, setting, wanted, sandbox=sandbox)).result()


async def _check(url: str, setting: str, wanted: int, *, sandbox: bool) -> None:
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
        if not sandbox and await _is_a_sandboxs(connection):
            raise CommandError(
                f"the database of {setting} was furnished as a sandbox, whose passwords are printed: "
                "production needs one of its own"
            )
        room = await connection.fetchval(_ROOM)
        if wanted > room:
            raise CommandError(
                f"{wanted} connections are wanted (DINHDANH_WORKERS × pools) but the server allows {room}: "
                "lower DINHDANH_WORKERS, DINHDANH_SESSION_POOL or DINHDANH_RAW_POOL, or raise max_connections"
            )
    finally:
        await connection.close()


async def _is_a_sandboxs(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval(_CLIENTS) and await connection.fetchval(_MARKED, SANDBOX_MARK))
