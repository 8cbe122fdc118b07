from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Database
from privacy.vault.api import Vault
from tests.support.privacy import JournalRoom, make_vault


@pytest.fixture(scope="module")
async def vault(owner_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    folder: Path = tmp_path_factory.mktemp("keys")
    return await make_vault(owner_database, folder)


@pytest.fixture
async def room(
    database: Database,
    worker_database: Database,
    reader_database: Database,
    owner_database: Database,
    vault: Vault,
) -> AsyncIterator[JournalRoom]:
    """A journal that is empty, and empty again afterwards."""
    opened = JournalRoom(database, worker_database, reader_database, owner_database, vault)
    yield opened
    await opened.journal.close()
    await opened.empty()
