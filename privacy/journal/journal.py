"""The journal as a room: write, disclose, read back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from core.clock import Clock
from core.database import Database, RawTx, Tx
from core.ids import new_id
from core.record import record
from privacy.journal.about import lines_about
from privacy.journal.errors import DisclosureRefused
from privacy.journal.group_commit import GroupCommit, not_writable
from privacy.journal.line import NOBODY, BadLine, Draft, Line, LineRef, StoredLine, draft
from privacy.journal.new_keys import NewKeys
from privacy.journal.protocols import DisclosureGuard, PersonKey, PersonKeys
from privacy.journal.seal_line import line_columns
from privacy.journal.write import subjects, write_batch, write_one


@record
class _Asked:
    draft: Draft
    basis: Mapping[str, Any]


class Journal:
    """One per process; `close` at its end.

    database: the pools of the process' own login; disclosures are written on a raw connection of theirs.
    guard: asked again inside the batch's transaction; None where nothing can be disclosed (the worker).
    """

    def __init__(
        self, database: Database, clock: Clock, keys: PersonKeys, guard: DisclosureGuard | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys = keys
        self._guard = guard
        self._new_keys = NewKeys(database, keys)
        self._disclosures: GroupCommit[_Asked, LineRef] = GroupCommit(self._commit)

    async def close(self) -> None:
        """Waits for the disclosures that are being written."""
        await self._disclosures.settled()
        await self._new_keys.close()

    async def write(self, tx: Tx, line: Line) -> LineRef:
        """Writes an act or a refusal in the caller's transaction: it stands exactly when the act does.

        A refusal's line belongs outside the savepoint of the act. Raises BadLine for a disclosure,
        Unavailable when the subject's key does not open.
        """
        if line.kind == "disclosure":
            raise BadLine("a disclosure goes through disclose()")
        made = self._draft(line)
        key = (await self._keys_for(tx, {made.person_id})).get(made.person_id)
        if key is None:
            raise not_writable("a person's key does not open")
        await write_one(tx, line_columns(made, key), made.leaf_hash)
        return _ref(made)

    async def disclose(self, line: Line, *, basis: Mapping[str, Any]) -> LineRef:
        """Writes a disclosure's line and returns only after it is committed; then the data may leave.

        basis: what the decision rested on, handed to the guard (consents, grant, policy). Raises
        DisclosureRefused when the guard refuses (a refusal line is committed instead), Unavailable when
        the line is not surely committed: the caller answers 503 with zero fields.
        """
        if line.kind != "disclosure":
            raise BadLine("only a disclosure goes through disclose()")
        return await self._disclosures.join(_Asked(self._draft(line), basis))

    async def about(
        self,
        tx: Tx,
        person_id: UUID,
        *,
        before: datetime | None = None,
        before_line: UUID | None = None,
        limit: int = 50,
        kinds: Iterable[str] | None = None,
    ) -> list[StoredLine]:
        """Lines about a person, newest first; of these kinds, or all.

        The next page: `before` and `before_line` of the last line shown (without `before_line`: strictly
        earlier than `before`). limit: 1..500.
        """
        return await lines_about(
            tx, self._keys, person_id, before=before, before_line=before_line or NOBODY, limit=limit, kinds=kinds
        )

    def _draft(self, line: Line) -> Draft:
        return draft(line, new_id(), self._clock.now())

    async def _keys_for(self, tx: Tx, people: set[UUID]) -> Mapping[UUID, PersonKey]:
        found = await self._keys.find_person_keys(tx, people)
        missing = people - found.keys()
        if not missing:
            return found
        return {**found, **await self._new_keys.make(missing)}

    async def _commit(self, asked: Sequence[_Asked]) -> Sequence[LineRef | Exception]:
        async with self._database.raw() as tx:
            reasons = await self._refused(tx, asked)
            drafts = [
                one.draft if at not in reasons else self._draft(_refusal(one.draft.line, reasons[at]))
                for at, one in enumerate(asked)
            ]
            keys = await self._keys_for(tx, subjects(drafts))
            # A person whose key does not open gets no line and no answer, and spoils nobody else's.
            writable = [made for made in drafts if made.person_id in keys]
            if writable:
                await write_batch(
                    tx,
                    [line_columns(made, keys[made.person_id]) for made in writable],
                    [made.leaf_hash for made in writable],
                )
        # Committed. Until here nobody has an answer.
        return [_answer(made, made.person_id in keys, reasons.get(at)) for at, made in enumerate(drafts)]

    async def _refused(self, tx: RawTx, asked: Sequence[_Asked]) -> Mapping[int, str]:
        if self._guard is None:
            return dict.fromkeys(range(len(asked)), "no-guard")  # no rule configured means refuse
        return await self._guard.refused(tx, [(one.draft.line, one.basis) for one in asked])


def _refusal(line: Line, reason: str) -> Line:
    return replace(line, kind="refusal", outcome="refused", reason=reason)


def _answer(made: Draft, written: bool, reason: str | None) -> LineRef | Exception:
    if not written:
        return not_writable("a person's key does not open")
    return _ref(made) if reason is None else DisclosureRefused(reason)


def _ref(made: Draft) -> LineRef:
    return LineRef(made.line_id, made.leaf_hash, made.recorded_at)
