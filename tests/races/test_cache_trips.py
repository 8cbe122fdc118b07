"""Trips to Redis that callers share: each has its own answer, whatever becomes of the others and of the connection."""

import asyncio

import pytest
import uvloop
from redis.exceptions import ResponseError

from core import cache_trips
from core.cache import Cache
from core.cache_trips import CacheTrips
from core.errors import Unavailable
from service.embedded import EmbeddedUrls
from tests.support.redis_proxy import RedisProxy


async def own_clients(cache: Cache) -> list[str]:
    """The connections of this process: others of the run use other databases of the same server."""
    own = str(cache.redis.connection_pool.connection_kwargs["db"])
    return [str(client["id"]) for client in await cache.redis.client_list() if client["db"] == own]


async def test_each_caller_of_a_trip_has_its_own_answer(cache: Cache) -> None:
    for number in range(40):
        await cache.put("probe", str(number), {"number": number}, 60)
    found = await asyncio.gather(*(cache.get("probe", str(number)) for number in range(80)))
    assert found == [{"number": number} if number < 40 else None for number in range(80)]


async def test_what_redis_refuses_spoils_no_other_answer(cache: Cache) -> None:
    trips = CacheTrips(cache.redis.connection_pool)
    await cache.redis.set("a", b"text")
    first, refused, last = await trips.go((("GET", "a"), ("LLEN", "a"), ("GET", "a")))
    assert (first, last) == (b"text", b"text")
    assert isinstance(refused, ResponseError)
    assert await trips.go((("GET", "a"),)) == [b"text"]  # nothing was left over on its connection
    await trips.close()


async def test_a_single_use_is_won_once_by_all_who_try_at_once(cache: Cache) -> None:
    assert sum(await asyncio.gather(*(cache.claim_once("proof", "one", 60) for _ in range(64)))) == 1


async def test_several_marks_are_claimed_whichever_were_before(cache: Cache) -> None:
    assert await cache.claim_once("proof", "old", 60)
    assert await cache.claim_each([("proof", "old", 60), ("proof", "new", 60)]) == [False, True]
    assert not await cache.claim_once("proof", "new", 60)


async def test_hits_counted_at_once_are_all_counted_and_end(cache: Cache) -> None:
    counts = await asyncio.gather(*(cache.hit("window", "one", 60) for _ in range(50)))
    assert sorted(counts) == list(range(1, 51))
    assert 0 < await cache.redis.ttl(cache.key("window", "one")) <= 60


async def test_connections_that_were_closed_while_idle_are_replaced(cache: Cache) -> None:
    await cache.put("probe", "one", {"held": True}, 60)
    for _ in range(3):
        for ident in await own_clients(cache):
            await cache.redis.client_kill_filter(_id=ident, skipme=True)
        assert await cache.get("probe", "one") == {"held": True}


async def test_nobody_gets_the_answer_of_a_trip_that_was_broken_off(cache: Cache) -> None:
    trips = CacheTrips(cache.redis.connection_pool)
    await cache.redis.set("mine", b"mine")
    waiting = asyncio.create_task(trips.go((("BLPOP", "queue", 5),)))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await cache.redis.rpush("queue", b"for somebody else")
    assert await trips.go((("GET", "mine"),)) == [b"mine"]
    await trips.close()


async def test_a_redis_that_does_not_answer_is_not_waited_for(
    database_urls: EmbeddedUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the kept connections nor by the library's, and it is asked again when it is back."""
    async with RedisProxy(database_urls.redis_url).running() as proxy:
        far = Cache.connect(proxy.url)
        await far.put("probe", "one", {"held": True}, 60)
        proxy.speaks.clear()
        with monkeypatch.context() as impatient:
            impatient.setattr(cache_trips, "PATIENCE_SECONDS", 0.2)
            for asked in (
                far.get("probe", "one"),
                far.claim_each([("probe", "two", 60), ("probe", "three", 60)]),
                far.unhit("probe", "four"),
            ):
                with pytest.raises(Unavailable):
                    await asked
        proxy.speaks.set()
        assert await far.get("probe", "one") == {"held": True}
        await far.close()


async def test_a_command_whose_answer_is_lost_is_not_sent_again(cache: Cache, database_urls: EmbeddedUrls) -> None:
    async with RedisProxy(database_urls.redis_url).running() as proxy:
        far = Cache.connect(proxy.url)
        assert await far.claim_once("proof", "first", 60)
        proxy.lose_answers = True
        with pytest.raises(Unavailable):  # and not "used before", which it would be at a second try
            await far.claim_once("proof", "one", 60)
        proxy.lose_answers = False
        assert not await cache.claim_once("proof", "one", 60)  # it was done, nobody can know
        assert await far.claim_once("proof", "two", 60)
        await far.close()


def test_connections_that_were_reset_while_idle_are_replaced_on_the_loop_of_the_service(
    database_urls: EmbeddedUrls,
) -> None:
    async def reset_while_idle() -> None:
        async with RedisProxy(database_urls.redis_url).running() as proxy:
            far = Cache.connect(proxy.url)
            await far.put("probe", "reset", {"held": True}, 60)
            for _ in range(2):
                proxy.reset()
                await asyncio.sleep(0.05)
                assert await far.get("probe", "reset") == {"held": True}
            await far.close()

    uvloop.run(reset_while_idle())


async def test_a_trip_under_way_leaves_no_connection_behind_a_close(cache: Cache) -> None:
    trips = CacheTrips(cache.redis.connection_pool)
    under_way = asyncio.create_task(trips.go((("BLPOP", "queue", 5),)))
    await asyncio.sleep(0.05)
    open_before = len(await own_clients(cache))
    await trips.close()
    await cache.redis.rpush("queue", b"done")
    assert await under_way == [[b"queue", b"done"]]
    await asyncio.sleep(0.05)
    assert len(await own_clients(cache)) == open_before - 1
