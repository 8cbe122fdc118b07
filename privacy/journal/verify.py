"""`dinhdanh journal verify`: rebuilds the tree from the raw rows and names what was tampered with.

Reads in pages of a bounded size, in one snapshot (REPEATABLE READ), so it may run beside the service. The
hashing, the notes and the comparing are its own code (`verify_tree`, `verify_notes`, `verify_lines`,
`verify_checkpoints`); of the writing side it uses only the column names and the vault that opens the seals.

What it cannot see: lines removed together with their pending leaf before the sequencer came by (a second at
most; signed answers hold their leaf hash for that), and a tail cut off together with its checkpoints (that
is what witnesses are for: hand `at_least` a tree size you have seen).
"""

from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Uuid, bindparam, func, select, text

from core.database import Query, Row, Tx
from privacy.journal.protocols import PersonKeys
from privacy.journal.tables import JournalCheckpoint, JournalLeaf, JournalLine, JournalPending
from privacy.journal.verify_checkpoints import CheckpointChecks
from privacy.journal.verify_lines import LineChecks
from privacy.journal.verify_report import OnProgress, Progress, Tally, VerifyReport

PAGE = 2_000
LINE_IDS_PAGE = 20_000
PENDING_SECONDS = 60

_LINES: Any = JournalLine.__table__  # type: ignore[attr-defined]
_LEAVES: Any = JournalLeaf.__table__  # type: ignore[attr-defined]
_PENDING: Any = JournalPending.__table__  # type: ignore[attr-defined]
_CHECKPOINTS: Any = JournalCheckpoint.__table__  # type: ignore[attr-defined]

_SNAPSHOT = Query(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
_PATIENCE = Query(text("SET LOCAL statement_timeout = 0"))
_SIZE = Query(select(func.max(_CHECKPOINTS.c.tree_size).label("tree_size")))
_CHECKPOINT_PAGE = Query(
    select(*_CHECKPOINTS.c)
    .where(_CHECKPOINTS.c.serial > bindparam("after", type_=BigInteger))
    .order_by(_CHECKPOINTS.c.serial)
    .limit(PAGE)
)
_LEAF_PAGE = Query(
    select(*_LEAVES.c)
    .where(_LEAVES.c.leaf_index > bindparam("after", type_=BigInteger))
    .order_by(_LEAVES.c.leaf_index)
    .limit(PAGE)
)
_LINES_OF = Query(select(*_LINES.c).where(_LINES.c.line_id == func.any(bindparam("ids", type_=ARRAY(Uuid)))))
_PENDING_PAGE = Query(
    select(
        *_PENDING.c,
        select(_LEAVES.c.leaf_index).where(_LEAVES.c.line_id == _PENDING.c.line_id).exists().label("in_tree"),
    )
    .where(_PENDING.c.line_id > bindparam("after", type_=Uuid))
    .order_by(_PENDING.c.line_id)
    .limit(PAGE)
)
_page = (
    select(_LINES.c.line_id)
    .where(_LINES.c.line_id > bindparam("after", type_=Uuid))
    .order_by(_LINES.c.line_id)
    .limit(LINE_IDS_PAGE)
    .subquery("page")
)
_STRAYS_PAGE = Query(
    select(_page.c.line_id, (_LEAVES.c.line_id.is_(None) & _PENDING.c.line_id.is_(None)).label("stray"))
    .select_from(
        _page.outerjoin(_LEAVES, _LEAVES.c.line_id == _page.c.line_id).outerjoin(
            _PENDING, _PENDING.c.line_id == _page.c.line_id
        )
    )
    .order_by(_page.c.line_id)
)


async def verify(
    tx: Tx,
    keys: PersonKeys,
    public_key: bytes,
    *,
    now: datetime,
    origin: str | None = None,
    at_least: int = 0,
    lawfully_erased: Collection[UUID] = frozenset(),
    pending_seconds: int = PENDING_SECONDS,
    progress: OnProgress | None = None,
) -> VerifyReport:
    """Checks the whole journal.

    tx: a fresh transaction (nothing asked in it yet) of the reader's or the owner's login. keys: the vault.
    public_key: the log's, 32 bytes, from the key file or a verifier key, never from the database. origin:
    the only one accepted, else a change of origin is a note. at_least: a tree size seen before.
    lawfully_erased: persons whose keys were destroyed on purpose. pending_seconds: how long a line may wait
    for its place. Gives a report; raises only when it cannot read.
    """
    await tx.run(_SNAPSHOT)
    await tx.run(_PATIENCE)
    run = _Run(tx, keys, Tally(), public_key, origin, lawfully_erased, progress)
    await run.leaves()
    await run.pending(now - timedelta(seconds=pending_seconds))
    await run.strays()
    if run.checks.position < at_least:
        run.tally.find("leaf-missing", f"leaf {run.checks.position}", f"a tree of {at_least} leaves was seen before")
    tree = run.checks.tree
    return run.tally.report(run.checks.position, b"" if tree is None else tree.root())


class _Run:
    """One verification."""

    def __init__(
        self,
        tx: Tx,
        keys: PersonKeys,
        tally: Tally,
        public_key: bytes,
        origin: str | None,
        lawfully_erased: Collection[UUID],
        progress: OnProgress | None,
    ) -> None:
        self._tx = tx
        self._keys = keys
        self._progress = progress
        self.tally = tally
        self.lines = LineChecks(tally, lawfully_erased)
        self.checks = CheckpointChecks(tally, public_key, origin)

    async def leaves(self) -> None:
        """Leaves by index, each with its line, and each checkpoint when its leaves are in."""
        size = await self._tx.row(_SIZE)
        total = 0 if size is None or size["tree_size"] is None else int(size["tree_size"])
        checkpoints = self._checkpoints()
        current, boundary = await self._next(checkpoints)
        after = -1
        while page := await self._tx.rows(_LEAF_PAGE, after=after):
            rebuilt = await self._rebuilt([row["line_id"] for row in page])
            for row in page:
                while current is not None and boundary <= row["leaf_index"]:
                    self.checks.checkpoint(current)
                    current, boundary = await self._next(checkpoints)
                self.checks.leaf(row, rebuilt[row["line_id"]])
            after = page[-1]["leaf_index"]
            self.tally.leaves += len(page)
            self._tell("leaves", self.tally.leaves, total)
        while current is not None:
            self.checks.checkpoint(current)
            current, _ = await self._next(checkpoints)
        self.checks.end()

    async def _next(self, checkpoints: AsyncIterator[Row]) -> tuple[Row | None, int]:
        row = await anext(checkpoints, None)
        return row, 0 if row is None else self.checks.size_of(row)

    async def pending(self, oldest: datetime) -> None:
        """Lines that wait for their place: there, unchanged, and not for long."""
        after = UUID(int=0)
        while page := await self._tx.rows(_PENDING_PAGE, after=after):
            rebuilt = await self._rebuilt([row["line_id"] for row in page])
            for row in page:
                place, leaf = f"line {row['line_id']}", rebuilt[row["line_id"]]
                if leaf is not None and leaf != row["leaf_hash"]:
                    self.tally.find("line-changed", place, "its content is not what its pending leaf holds")
                if row["in_tree"]:
                    self.tally.find("pending-twice", place, "waits for a place it has already")
                elif row["recorded_at"] < oldest:
                    self.tally.find("pending-late", place, f"waits since {row['recorded_at'].isoformat()}")
            after = page[-1]["line_id"]
            self.tally.pending += len(page)
            self._tell("pending", self.tally.pending, 0)

    async def strays(self) -> None:
        """Lines that are neither in the tree nor waiting: put in by hand, or their leaf was taken away."""
        after = UUID(int=0)
        while page := await self._tx.rows(_STRAYS_PAGE, after=after):
            for row in page:
                if row["stray"]:
                    self.tally.find(
                        "line-added", f"line {row['line_id']}", "has no leaf: put in by hand, or its leaf is gone"
                    )
            after = page[-1]["line_id"]
            self.tally.lines += len(page)
            self._tell("lines", self.tally.lines, self.tally.leaves + self.tally.pending)

    async def _rebuilt(self, line_ids: list[UUID]) -> dict[UUID, bytes | None]:
        rows: dict[UUID, list[Row]] = {line_id: [] for line_id in line_ids}
        for row in await self._tx.rows(_LINES_OF, ids=line_ids):
            rows[row["line_id"]].append(row)
        people = {row["person_id"] for found in rows.values() for row in found}
        keys = await self._keys.find_person_keys(self._tx, people)
        return {line_id: self.lines.rebuilt_leaf(line_id, found, keys) for line_id, found in rows.items()}

    async def _checkpoints(self) -> AsyncIterator[Row]:
        after = 0
        while page := await self._tx.rows(_CHECKPOINT_PAGE, after=after):
            for row in page:
                yield row
            after = page[-1]["serial"]

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(Progress(stage, done, total))
