"""Grants of walks that end at once, written in one transaction: a code costs a share of a commit, not one of its own.

The accounts are held as the grants are written, in the order of their persons, so that a lock comes before a
grant, and refuses it, or after it, and then finds it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.database import Database
from core.errors import Unavailable
from core.gather import Gathered
from core.interaction import SignedIn
from identity.api import Identity
from oidc import grants

Ask = tuple[SignedIn, Mapping[str, Any]]


class GrantsTogether:
    """One per process."""

    def __init__(self, database: Database, identity: Identity) -> None:
        self._database = database
        self._identity = identity
        self._gathered: Gathered[Ask, bool] = Gathered(self._load)

    async def write(self, who: SignedIn, values: Mapping[str, Any]) -> bool:
        """True once the grant is committed; False, and nothing is written, when the account may not sign in now.

        values: of `grants.INSERT`. Raises Unavailable.
        """
        return await self._gathered.ask((who, values))

    async def _load(self, asks: Sequence[Ask]) -> Sequence[bool | Exception]:
        try:
            return await self._written(asks)
        except Unavailable:
            raise
        except Exception:
            if len(asks) == 1:
                raise
        # One of them cannot be written, so none was: it spoils nobody else's.
        return [await self._alone(ask) for ask in asks]

    async def _written(self, asks: Sequence[Ask]) -> Sequence[bool]:
        async with self._database.raw() as tx:
            good = await self._identity.still_good_each(tx, [who for who, _ in asks])
            await tx.run_many(grants.INSERT, [values for (_, values), yes in zip(asks, good, strict=True) if yes])
        return good

    async def _alone(self, ask: Ask) -> bool | Exception:
        try:
            return (await self._written([ask]))[0]
        except Exception as error:
            return error
