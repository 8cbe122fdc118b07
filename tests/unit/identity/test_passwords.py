"""Hashing: parameters, admission, no answer but right or wrong."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2.exceptions import InvalidHashError

from core.errors import Unavailable
from identity.passwords import NICENESS, PasswordHashing


@pytest.fixture
def hashing() -> Iterator[PasswordHashing]:
    made = PasswordHashing(memory_kib=19_456, time_cost=2, threads=1, queue=1)
    yield made
    made.close()


async def test_argon2id_with_the_parameters_of_the_settings(hashing: PasswordHashing) -> None:
    stored = await hashing.hash("mật khẩu rất dài")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await hashing.verify(stored, "mật khẩu rất dài")
    assert not await hashing.verify(stored, "mật khẩu rất dai")
    assert not hashing.needs_rehash(stored)
    assert stored != await hashing.hash("mật khẩu rất dài")


async def test_the_decoy_costs_what_a_hash_costs_and_fits_nothing(hashing: PasswordHashing) -> None:
    assert hashing.decoy.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not await hashing.verify(hashing.decoy, "")


async def test_a_broken_hash_is_an_error_and_not_a_wrong_password(hashing: PasswordHashing) -> None:
    with pytest.raises(InvalidHashError):
        await hashing.verify("sha1$abc", "mật khẩu rất dài")


async def test_admission_ends_where_the_queue_ends(hashing: PasswordHashing) -> None:
    with hashing.admission(), hashing.admission():
        with pytest.raises(Unavailable) as caught, hashing.admission():
            pass
        assert caught.value.retry_after >= 1
    assert hashing.admitted == 0
    with hashing.admission():
        assert hashing.admitted == 1


async def test_the_event_loop_goes_on_while_hashing(hashing: PasswordHashing) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    counting = asyncio.create_task(count())
    await hashing.hash("mật khẩu rất dài")
    counting.cancel()
    assert turns > 3


async def test_hashing_steps_back_behind_the_requests(hashing: PasswordHashing) -> None:
    """Linux: each thread has a priority of its own."""
    before = _threads()
    await hashing.hash("mật khẩu")
    (added,) = _threads() - before
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, added) == usual + NICENESS


def _threads() -> set[int]:
    return {int(task.name) for task in Path("/proc/self/task").iterdir()}
