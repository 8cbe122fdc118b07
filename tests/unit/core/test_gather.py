"""Gathered work: who asks at once shares a batch, and nobody pays for another one's end."""

import asyncio
from collections.abc import Sequence

import pytest

from core.gather import LANES, LONG_SECONDS, MOST, Gathered


class Loads:
    """Doubles numbers; each batch waits to be let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()

    async def __call__(self, asks: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(asks))
        await self.go.wait()
        if -1 in asks:
            raise LookupError("a bad one")
        return [2 * ask for ask in asks]


async def test_those_who_ask_at_once_share_a_batch_and_the_next_gathers_meanwhile() -> None:
    loads = Loads()
    gathered = Gathered(loads)
    first = [asyncio.create_task(gathered.ask(number)) for number in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = [asyncio.create_task(gathered.ask(number)) for number in range(3, 6)]
    await asyncio.sleep(0)
    loads.go.set()
    assert await asyncio.gather(*first, *second) == [0, 2, 4, 6, 8, 10]
    assert loads.batches == [[0, 1, 2], [3, 4, 5]]


async def test_an_answer_comes_from_a_batch_that_started_after_the_ask() -> None:
    version = 0
    go = asyncio.Event()

    async def load(asks: Sequence[None]) -> Sequence[int]:
        seen = version
        await go.wait()
        return [seen] * len(asks)

    gathered = Gathered(load)
    before = asyncio.create_task(gathered.ask(None))
    await asyncio.sleep(0.001)
    version = 1
    after = asyncio.create_task(gathered.ask(None))
    await asyncio.sleep(0.001)
    go.set()
    assert (await before, await after) == (0, 1)


async def test_a_failure_reaches_all_of_its_batch_and_no_other() -> None:
    loads = Loads()
    loads.go.set()
    gathered = Gathered(loads)
    answers = await asyncio.gather(gathered.ask(1), gathered.ask(-1), return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError, LookupError]
    assert await gathered.ask(4) == 8


async def test_who_is_cancelled_takes_nothing_down() -> None:
    loads = Loads()
    gathered = Gathered(loads)
    gone, stays = asyncio.create_task(gathered.ask(1)), asyncio.create_task(gathered.ask(2))
    await asyncio.sleep(0.001)
    gone.cancel()
    loads.go.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_batch_that_takes_long_does_not_hold_the_next() -> None:
    loads = Loads()
    gathered = Gathered(loads)
    tasks = []
    for number in range(LANES + 2):
        tasks.append(asyncio.create_task(gathered.ask(number)))
        await asyncio.sleep(2 * LONG_SECONDS)
    assert len(loads.batches) == LANES
    loads.go.set()
    assert await asyncio.gather(*tasks) == [2 * number for number in range(LANES + 2)]


async def test_a_batch_has_a_largest_size() -> None:
    loads = Loads()
    loads.go.set()
    gathered = Gathered(loads)
    await asyncio.gather(*(gathered.ask(number) for number in range(MOST + 10)))
    assert [len(batch) for batch in loads.batches] == [MOST, 10]


async def test_nobody_waits_for_a_lane_that_was_ended() -> None:
    loads = Loads()
    gathered = Gathered(loads)
    first = asyncio.create_task(gathered.ask(1))
    await asyncio.sleep(0.001)
    second = asyncio.create_task(gathered.ask(2))
    await asyncio.sleep(0.001)
    for lane in list(gathered._lanes):
        lane.cancel()
    ended = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(answer) for answer in ended] == [asyncio.CancelledError] * 2
