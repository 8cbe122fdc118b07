"""Background tasks end, whatever happens to their cancellation on the way."""

import asyncio

from core.tasks import end


async def test_a_task_whose_cancellation_was_replaced_ends_all_the_same() -> None:
    """As when a connection breaks while a statement is called off: the error hides the cancellation."""
    begun = asyncio.Event()
    hidden = 0

    async def stubborn() -> None:
        nonlocal hidden
        while True:
            try:
                begun.set()
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if hidden:
                    raise
                hidden += 1

    task = asyncio.create_task(stubborn())
    await begun.wait()
    await end(task)
    assert task.cancelled()
    assert hidden == 1


async def test_tasks_that_ended_or_failed_are_no_hindrance() -> None:
    async def fails() -> None:
        raise ValueError

    failed, done = asyncio.create_task(fails()), asyncio.create_task(asyncio.sleep(0))
    await asyncio.sleep(0.01)
    await end(failed, done)
    assert isinstance(failed.exception(), ValueError)
    assert done.done()
    await end()
