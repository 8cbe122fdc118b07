"""The sequencer: gives committed lines their place in the tree and signs the new root.

One transaction per run: take pending lines, append leaves, sign a checkpoint. An advisory lock lets one
process at a time do it; whoever does not get it has nothing to do. A process that dies leaves nothing half
done. Should the lock ever fail, the primary keys of leaf and checkpoint let only one of two runs commit.
"""

from typing import Any

import structlog
from sqlalchemy import ARRAY, BigInteger, DateTime, LargeBinary, Uuid, bindparam, delete, func, insert, select, text

from core.clock import Clock
from core.database import Database, Query, RawTx
from privacy.journal.checkpoint import Checkpoint, checkpoint_text, sign_checkpoint
from privacy.journal.errors import JournalBroken
from privacy.journal.merkle import Frontier
from privacy.journal.note import Signer
from privacy.journal.tables import JournalCheckpoint, JournalLeaf, JournalPending

LEADER_LOCK = 0x6A6F75726E616C  # "journal"
BATCH = 5_000
"""Lines of one checkpoint: bounds the memory and the length of the transaction."""

log = structlog.get_logger(__name__)

_PENDING: Any = JournalPending.__table__  # type: ignore[attr-defined]
_LEAVES: Any = JournalLeaf.__table__  # type: ignore[attr-defined]
_CHECKPOINTS: Any = JournalCheckpoint.__table__  # type: ignore[attr-defined]

_LEAD = Query(select(func.pg_try_advisory_xact_lock(LEADER_LOCK).label("leads")))
_LAST = Query(select(*_CHECKPOINTS.c).order_by(_CHECKPOINTS.c.serial.desc()).limit(1))
_LAST_LEAF = Query(select(func.max(_LEAVES.c.leaf_index).label("leaf_index")))
# The order within one checkpoint is fixed, so that the verifier can name leaves that changed places.
_TAKE = Query(select(*_PENDING.c).order_by(_PENDING.c.recorded_at, _PENDING.c.line_id).limit(bindparam("batch")))
_GIVE = Query(delete(_PENDING).where(_PENDING.c.line_id == func.any(bindparam("line_ids", type_=ARRAY(Uuid)))))
_ADD_LEAVES = Query(
    text(
        "INSERT INTO privacy.journal_leaves (leaf_index, leaf_hash, line_id, recorded_at)"
        " SELECT * FROM unnest(:indexes, :hashes, :line_ids, :instants)"
    ).bindparams(
        bindparam("indexes", type_=ARRAY(BigInteger)),
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("line_ids", type_=ARRAY(Uuid)),
        bindparam("instants", type_=ARRAY(DateTime(timezone=True))),
    )
)
_SIGN = Query(insert(_CHECKPOINTS).values({column.name: bindparam(column.name) for column in _CHECKPOINTS.columns}))
_BACKLOG = Query(
    select(func.count().label("n"), func.min(_PENDING.c.recorded_at).label("oldest")).select_from(_PENDING)
)


class Sequencer:
    """Runs in the worker, with the worker's login."""

    def __init__(self, database: Database, clock: Clock, signer: Signer) -> None:
        self._database = database
        self._clock = clock
        self._signer = signer

    async def run_once(self) -> int:
        """Sequences what is committed by now; gives how many lines (0: none waits, or another leads).

        Raises JournalBroken when the stored tree is not the one signed last; Unavailable.
        """
        async with self._database.raw() as tx:
            lead = await tx.row(_LEAD)
            if lead is None or not lead["leads"]:
                return 0
            pending = await tx.rows(_TAKE, batch=BATCH)
            if not pending:
                return 0
            last, tree = await self._state(tx)
            indexes = [tree.append(row["leaf_hash"]) for row in pending]
            line_ids = [row["line_id"] for row in pending]
            await tx.run(
                _ADD_LEAVES,
                indexes=indexes,
                hashes=[row["leaf_hash"] for row in pending],
                line_ids=line_ids,
                instants=[row["recorded_at"] for row in pending],
            )
            if await tx.run(_GIVE, line_ids=line_ids) != len(pending):
                raise JournalBroken("pending lines went away while they were sequenced")
            now = self._clock.now()
            await tx.run(_SIGN, **sign_checkpoint(self._signer, tree, last, now).values())
        if last is not None and now < last.signed_at:
            # Not an error: lines are ordered by the tree. The signed times show it to the verifier.
            log.warning("journal.clock_set_back", seconds=(last.signed_at - now).total_seconds())
        return len(pending)

    async def backlog(self) -> tuple[int, float]:
        """How many lines wait, and for how many seconds the oldest has."""
        async with self._database.raw_read() as tx:
            row = await tx.row(_BACKLOG)
        if row is None or row["oldest"] is None:
            return 0, 0.0
        return int(row["n"]), max(0.0, (self._clock.now() - row["oldest"]).total_seconds())

    async def _state(self, tx: RawTx) -> tuple[Checkpoint | None, Frontier]:
        """The last checkpoint and its tree, if it is what we signed and the leaves end where it says."""
        row = await tx.row(_LAST)
        last = None if row is None else Checkpoint.of_row(row)
        tree = Frontier() if last is None else self._trusted(last)
        found = await tx.row(_LAST_LEAF)
        leaves = 0 if found is None or found["leaf_index"] is None else int(found["leaf_index"]) + 1
        if leaves != tree.size:
            raise JournalBroken(f"{leaves} leaves are stored, {tree.size} were signed")
        return last, tree

    def _trusted(self, last: Checkpoint) -> Frontier:
        try:
            tree = Frontier.from_bytes(last.tree_size, last.frontier)
        except ValueError:
            raise JournalBroken("the frontier of the last checkpoint does not fit its size") from None
        # The name is the note's own: a changed issuer changes the origin, the key stays.
        origin = last.note.partition("\n")[0]
        signed = self._signer.wrote(last.note, origin)
        chained = self._signer.wrote(last.statement, f"{origin}/chain")
        if signed != checkpoint_text(origin, tree.size, tree.root()):
            raise JournalBroken("the last checkpoint is not what the log key signed")
        if chained is None or f"\nserial {last.serial}\n" not in chained:
            raise JournalBroken("the last checkpoint's statement is not what the log key signed")
        return tree
