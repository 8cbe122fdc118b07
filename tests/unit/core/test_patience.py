"""Patience with our own servers (core/patience.py)."""

import asyncio
import time

import pytest
import uvloop

from core.patience import Patience

SHORT = 0.2


async def test_what_does_not_come_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        async with Patience(SHORT):
            await asyncio.Event().wait()


async def test_what_comes_is_told() -> None:
    async with Patience(60):
        assert await asyncio.sleep(0, "answer") == "answer"


async def test_nothing_of_it_is_left_behind() -> None:
    """Neither a time-out nor a timer comes later, whether the work was done, failed or gave up."""
    with pytest.raises(LookupError):
        async with Patience(SHORT):
            raise LookupError
    async with Patience(SHORT):
        pass
    with pytest.raises(TimeoutError):
        async with Patience(SHORT):
            await asyncio.Event().wait()
    await asyncio.sleep(2 * SHORT)


async def test_a_caller_who_leaves_is_no_time_out() -> None:
    begun = asyncio.Event()

    async def waits() -> None:
        async with Patience(60):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_standstill_of_this_process_is_not_the_servers_fault(run: object) -> None:
    """The process stops for longer than the patience; what was on its way is there a moment after."""

    async def stands_still() -> str:
        async with Patience(2.0):
            await asyncio.sleep(0)
            time.sleep(2.5)  # noqa: ASYNC251 - the standstill itself
            return await asyncio.sleep(0.1, "answer")

    assert run(stands_still()) == "answer"  # type: ignore[operator]
