"""Wrap the vault's data keys anew under the newest key-encryption key. As the owner; safe to run again."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from core.database import Database
from core.settings import Settings, secret_value
from privacy.vault.api import KeyEncryptionKeys, rewrap
from service.key_files import open_keks


def rewrap_data_keys(settings: Settings) -> tuple[int, str]:
    """How many were under another one, and the id of the active one. Raises VaultError."""
    keks = open_keks(settings)
    url = secret_value(settings.database_owner_url, "DATABASE_OWNER_URL")
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, _rewrap(url, keks)).result(), keks.active


async def _rewrap(url: str, keks: KeyEncryptionKeys) -> int:
    database = await Database.connect(url, sessions=1, raw=1, application_name="dinhdanh-rewrap", idle_timeout_ms=0)
    try:
        async with database.raw() as tx:
            return await rewrap(tx, keks)
    finally:
        await database.close()
