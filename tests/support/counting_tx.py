"""A transaction that tells which statements ran."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.database import Query, RawTx, Row


@dataclass
class CountingTx:
    """Notes which statements run, by the real transaction."""

    inner: RawTx
    ran: list[str] = field(default_factory=list)

    async def row(self, query: Query, /, **values: Any) -> Row | None:
        self.ran.append(query.compiled()[0])
        return await self.inner.row(query, **values)

    async def rows(self, query: Query, /, **values: Any) -> Sequence[Row]:
        self.ran.append(query.compiled()[0])
        return await self.inner.rows(query, **values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)
