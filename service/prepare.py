"""Make a database ready for this code: migrations, then the vault's data keys. As the owner."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from core.database import Database
from core.settings import Settings, secret_value
from privacy.vault.api import KeyEncryptionKeys, Vault
from service.key_files import open_keks
from service.migrate import migrate


def prepare_database(settings: Settings) -> None:
    """Safe to run again and again; forward only. Raises what the database says, VaultError, SettingsError."""
    url = secret_value(settings.database_owner_url, "DATABASE_OWNER_URL")
    migrate(url)
    keks = open_keks(settings)
    with ThreadPoolExecutor(max_workers=1) as beside:
        beside.submit(asyncio.run, _make_keys(url, keks)).result()


async def _make_keys(url: str, keks: KeyEncryptionKeys) -> None:
    database = await Database.connect(url, sessions=1, raw=1, application_name="dinhdanh-migrate", idle_timeout_ms=0)
    try:
        async with database.raw() as tx:
            await Vault.create_missing_keys(tx, keks)
    finally:
        await database.close()
