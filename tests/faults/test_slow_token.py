"""A hardware token that takes its time: nothing that asks it for every data key is cut off meanwhile."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.database import Database
from core.settings import Settings
from privacy.vault.api import KeyEncryptionKeys
from service import journal_check, prepare, rewrap
from service.compose import composed
from service.key_files import key_files
from tests.support.furnished import Furnished, furnished

__all__ = ["furnished"]

IDLE_MS = 100
ASKED_SECONDS = 0.5


@pytest.fixture(autouse=True)
def _slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any data key takes longer than a transaction may do nothing, unless it was asked to be patient."""
    connect, unwrap = Database.connect, KeyEncryptionKeys.unwrap
    slept: set[KeyEncryptionKeys] = set()

    async def hasty(url: str, **how: Any) -> Database:
        return await connect(url, **{"idle_timeout_ms": IDLE_MS, **how})

    def slowly(keks: KeyEncryptionKeys, kek_id: str, place: bytes, wrapped: bytes) -> bytes:
        if keks not in slept:
            slept.add(keks)
            time.sleep(ASKED_SECONDS)
        return unwrap(keks, kek_id, place, wrapped)

    monkeypatch.setattr(Database, "connect", hasty)
    monkeypatch.setattr(KeyEncryptionKeys, "unwrap", slowly)


async def _starts(settings: Settings) -> None:
    async with composed(settings, login="worker"):
        pass


async def _verifies(settings: Settings) -> None:
    await asyncio.to_thread(journal_check.check_journal, settings, 0)


async def _prepares(settings: Settings) -> None:
    await asyncio.to_thread(prepare.prepare_database, settings)


async def _rewraps(settings: Settings) -> None:
    KeyEncryptionKeys.add(key_files(settings).kek)
    done, _ = await asyncio.to_thread(rewrap.rewrap_data_keys, settings)
    assert done > 1_000


@pytest.mark.parametrize("asks", [_starts, _verifies, _prepares, _rewraps])
async def test_it_is_waited_for(furnished: Furnished, asks: Callable[[Settings], Any]) -> None:
    await asks(furnished.settings)
