"""Ending background tasks for good."""

import asyncio
from typing import Any

AGAIN_SECONDS = 1.0


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels until every task has ended.

    Once is not enough: a cancellation that meets a server going down at the same moment can be replaced by that
    server's error on its way out, and a loop that goes on after errors would go on for ever.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=AGAIN_SECONDS)
