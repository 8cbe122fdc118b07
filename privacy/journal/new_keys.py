"""Keys for persons who have none yet, on a connection that is nobody else's.

Persons get their key when they are entered, so this is rare. It has to be a transaction of its own: in the
caller's, the uncommitted key would make a disclosure about the same person wait for the caller while he
waits for the disclosure. And it has to be a connection outside the pools: callers who hold all of a pool's
connections while each wants one more would wait for each other. Calls at once share one connection.
"""

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.database import Database
from privacy.journal.group_commit import GroupCommit, not_writable
from privacy.journal.protocols import PersonKey, PersonKeys


class NewKeys:
    """Makes missing keys, committed before it returns."""

    def __init__(self, database: Database, keys: PersonKeys) -> None:
        self._keys = keys
        # The engine opens a connection when asked and closes it after; it keeps none.
        engine = create_async_engine(database.engine.url, poolclass=NullPool, connect_args={"timeout": 5})
        self._aside = Database(engine, database.pool)
        self._made: GroupCommit[UUID, PersonKey] = GroupCommit(self._commit)

    async def make(self, people: Iterable[UUID]) -> dict[UUID, PersonKey]:
        """The keys of those whose row opens; the others are left out."""
        asked = list(people)
        made = await asyncio.gather(*(self._made.join(person_id) for person_id in asked), return_exceptions=True)
        return {
            person_id: key for person_id, key in zip(asked, made, strict=True) if not isinstance(key, BaseException)
        }

    async def close(self) -> None:
        await self._made.settled()
        await self._aside.engine.dispose()

    async def _commit(self, people: Sequence[UUID]) -> Sequence[PersonKey | Exception]:
        async with self._aside.page() as tx:
            made = await self._keys.make_person_keys(tx, people)
        return [made.get(person_id) or not_writable("a person's key does not open") for person_id in people]
