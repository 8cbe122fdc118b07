"""The queue of the group commit: who shares a batch, and who is told what when it goes wrong."""

import asyncio
from collections.abc import Sequence

import pytest

from core.errors import Unavailable
from privacy.journal.group_commit import MAX_BATCH, GroupCommit


class Recorder:
    """A commit that waits until it is let go, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def commit(self, asks: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(asks))
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return [ValueError(ask) if ask < 0 else ask * 10 for ask in asks]


@pytest.fixture
async def recorder() -> Recorder:
    return Recorder()


async def test_a_lone_call_starts_at_once(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit)
    assert await group.join(1) == 10
    assert recorder.batches == [[1]]


async def test_while_one_batch_commits_the_next_gathers(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit)
    recorder.go.clear()
    first = asyncio.create_task(group.join(1))
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(group.join(at)) for at in (2, 3, 4)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in (first, *rest))  # nobody has an answer before the commit
    recorder.go.set()
    assert await asyncio.gather(first, *rest) == [10, 20, 30, 40]
    assert recorder.batches == [[1], [2, 3, 4]]


async def test_a_batch_is_bounded(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit)
    await asyncio.gather(*(group.join(at) for at in range(MAX_BATCH + 5)))
    assert [len(batch) for batch in recorder.batches] == [MAX_BATCH, 5]


async def test_a_member_may_be_refused_alone(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit)
    good, bad = await asyncio.gather(group.join(1), group.join(-1), return_exceptions=True)
    assert good == 10
    assert isinstance(bad, ValueError)


async def test_a_cancelled_caller_breaks_nothing(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit)
    recorder.go.clear()
    in_batch = [asyncio.create_task(group.join(at)) for at in (1, 2)]
    await asyncio.sleep(0.01)
    in_queue = [asyncio.create_task(group.join(at)) for at in (3, 4)]
    await asyncio.sleep(0.01)
    in_batch[0].cancel()
    in_queue[0].cancel()
    await asyncio.sleep(0)
    recorder.go.set()
    assert await in_batch[1] == 20
    assert await in_queue[1] == 40
    assert recorder.batches == [[1, 2], [4]]  # cancelled before its turn: no line
    for task in (in_batch[0], in_queue[0]):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_failed_batch_is_unavailable_for_all_and_the_next_works(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit)
    recorder.error = RuntimeError("secret detail")
    answers = await asyncio.gather(*(group.join(at) for at in range(3)), return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert all("secret" not in str(vars(answer)) for answer in answers if isinstance(answer, Unavailable))
    recorder.error = None
    assert await group.join(1) == 10


async def test_a_commit_that_hangs_is_given_up(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit, batch_timeout_seconds=0.02)
    recorder.go.clear()
    with pytest.raises(Unavailable):
        await group.join(1)


async def test_a_full_queue_refuses_at_once(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit, max_waiting=2)
    recorder.go.clear()
    first = asyncio.create_task(group.join(1))
    await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(group.join(at)) for at in (2, 3)]
    await asyncio.sleep(0.01)
    with pytest.raises(Unavailable):
        await group.join(4)
    recorder.go.set()
    assert await asyncio.gather(first, *waiting) == [10, 20, 30]


async def test_settled_waits_for_all(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit)
    await group.settled()
    task = asyncio.create_task(group.join(1))
    await asyncio.sleep(0)
    await group.settled()
    await asyncio.sleep(0)
    assert task.done()


async def test_nobody_waits_for_a_leader_that_was_ended(recorder: Recorder) -> None:
    group = GroupCommit(recorder.commit)
    recorder.go.clear()
    first = asyncio.create_task(group.join(1))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(group.join(2))
    await asyncio.sleep(0.01)
    (leader,) = [task for task in asyncio.all_tasks() if task.get_name() == "journal-group-commit"]
    leader.cancel()
    for task in (first, second):
        with pytest.raises(Unavailable):
            await task
    recorder.go.set()
    assert await group.join(3) == 30
