"""Hashing of passwords: Argon2id in a bounded pool of threads, with admission control.

Argon2 releases the interpreter's lock, so threads are true ones; what bounds them is memory and cores. A
sign-in asks for admission before anything is read or counted: beyond the queue's limit the answer is
`Unavailable` with a time to come back, never a queue without end.

Parameters: OWASP's second choice for Argon2id, 19 MiB, t=2, p=1, from the settings, which allow no less.
Measured in November 2026 on two cores that did other work as well: 43-65 ms a check, 19-42 checks a second
on two threads (an idle core: 22 ms). 46 MiB t=1 took 1.3 to 2 times, 64 MiB t=2 three to four times as long.

The threads have a lower priority than the one that answers requests: on one core with eight sign-ins in flight,
95 of 100 answers of userinfo come within 28-35 ms, without that within 48-80 ms.
"""

import asyncio
import math
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import Unavailable
from core.settings import Settings

T = TypeVar("T")

FIRST_GUESS_SECONDS = 0.03
SMOOTHING = 0.1
NICENESS = 5
"""Of a hashing thread: a third of a share beside the thread that answers everybody else."""


class PasswordHashing:
    """One per process. `close` ends its threads."""

    def __init__(self, *, memory_kib: int, time_cost: int, threads: int, queue: int) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=time_cost,
            memory_cost=memory_kib,
            parallelism=1,  # one lane: the parallel ones are other people's sign-ins
            hash_len=32,
            salt_len=16,
            type=argon2.Type.ID,
        )
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2", initializer=_step_back)
        self._threads = threads
        self._limit = threads + queue
        self._admitted = 0
        self._seconds = FIRST_GUESS_SECONDS
        # Checked in place of a hash that does not exist: the same work with the same parameters.
        self.decoy = self._hasher.hash(secrets.token_urlsafe(32))

    @classmethod
    def from_settings(cls, settings: Settings) -> "PasswordHashing":
        return cls(
            memory_kib=settings.argon2_memory_kib,
            time_cost=settings.argon2_time_cost,
            threads=settings.argon2_threads,
            queue=settings.argon2_queue,
        )

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def admitted(self) -> int:
        """How many sign-ins are being checked or wait for a thread."""
        return self._admitted

    @contextmanager
    def admission(self) -> Iterator[None]:
        """A place for one check. Raises Unavailable `sign-in-busy` when all are taken."""
        if self._admitted >= self._limit:
            wait = max(1, math.ceil(self._admitted * self._seconds / self._threads))
            raise Unavailable(
                "sign-in-busy",
                "Very many people are signing in just now. Please try again in a moment.",
                retry_after=wait,
            )
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    async def verify(self, stored: str, password: str) -> bool:
        """One run of the hash. A stored value that is no Argon2 hash is an error, not a wrong password."""
        return await self._run(lambda: self._verify(stored, password))

    async def hash(self, password: str) -> str:
        """A new hash in PHC form with a fresh salt."""
        return await self._run(lambda: self._hasher.hash(password))

    def needs_rehash(self, stored: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except InvalidHashError:
            raise
        except VerificationError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        def timed() -> tuple[T, float]:
            started = perf_counter()
            return work(), perf_counter() - started

        done, seconds = await asyncio.get_running_loop().run_in_executor(self._pool, timed)
        self._seconds += SMOOTHING * (seconds - self._seconds)
        return done


def _step_back() -> None:
    """Where threads have a priority of their own (Linux), the thread that answers requests goes first."""
    with suppress(OSError):
        usual = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), usual + NICENESS)
