"""Publishing a purpose or a sharing policy: a new version, the end of the one before, a journal line.

What was published never changes. Publishing what is in force already does nothing, so that a sandbox or a
deployment may say it at every start. (That two people publish comes with the administration pages.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from consent.drafts import PolicyDraft, PurposeDraft, policy_faults, purpose_faults
from consent.policies import Policy
from consent.published import load_policy, load_purposes
from consent.purposes import Purpose
from consent.tables import PolicyRow, PurposeRow
from core.clock import Clock
from core.database import Query, Tx
from core.errors import BadInput, Conflict
from privacy.journal.api import ActorRef, Journal, Line

_PURPOSES: Any = PurposeRow.__table__  # type: ignore[attr-defined]
_POLICIES: Any = PolicyRow.__table__  # type: ignore[attr-defined]
_LOCK = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("what"), 0))))
_LAST_PURPOSE = Query(
    select(_PURPOSES.c.major, _PURPOSES.c.minor, _PURPOSES.c.valid_from)
    .where(_PURPOSES.c.purpose_code == bindparam("code"))
    .order_by(_PURPOSES.c.major.desc(), _PURPOSES.c.minor.desc())
    .limit(1)
)
_END_PURPOSE = Query(
    update(_PURPOSES)
    .where(_PURPOSES.c.purpose_code == bindparam("code"), _PURPOSES.c.valid_to.is_(None))
    .values(valid_to=bindparam("end", type_=_PURPOSES.c.valid_to.type))
)
_ADD_PURPOSE = Query(insert(_PURPOSES))
_OF_AGENCY = (_POLICIES.c.agency_id == bindparam("agency"), _POLICIES.c.purpose_code == bindparam("code"))
_LAST_POLICY = Query(
    select(_POLICIES.c.version, _POLICIES.c.valid_from).where(*_OF_AGENCY).order_by(_POLICIES.c.version.desc()).limit(1)
)
_END_POLICY = Query(
    update(_POLICIES)
    .where(*_OF_AGENCY, _POLICIES.c.valid_to.is_(None))
    .values(valid_to=bindparam("end", type_=_POLICIES.c.valid_to.type))
)
_ADD_POLICY = Query(insert(_POLICIES))


@dataclass(frozen=True, slots=True)
class Publisher:
    """The use cases of publishing. by: who does it (an operator); it goes into the journal."""

    journal: Journal
    clock: Clock

    async def purpose(
        self, tx: Tx, draft: PurposeDraft, *, by: ActorRef, new_major: bool = False, valid_from: datetime | None = None
    ) -> Purpose:
        """A version of a purpose; gives the one that is in force or will be.

        new_major: the purpose itself became another one; every citizen is asked again. valid_from: now when
        None. Raises BadInput naming what to mend, Conflict when a later version is scheduled already.
        """
        now = self.clock.now()
        start = valid_from or now
        _mend(purpose_faults(draft) | _start_faults(start, now))
        async with tx.savepoint():
            await tx.rows(_LOCK, what=f"consent.purpose {draft.code}")
            current = (await load_purposes(tx, [draft.code], now)).get(draft.code)
            if current is not None and not new_major and draft.says_the_same(current):
                return current
            last = await tx.row(_LAST_PURPOSE, code=draft.code)
            _not_before(start, last)
            major, minor = _next_version(last, new_major)
            made = draft.published(major, minor, start)
            await tx.run(_END_PURPOSE, code=draft.code, end=start)
            await tx.run(_ADD_PURPOSE, **_purpose_columns(made), published_at=now, valid_to=None)
            await self.journal.write(
                tx,
                Line(
                    kind="act",
                    action="purpose.published",
                    subject=None,
                    actor=by,
                    purpose=draft.code,
                    details={"version": made.version, "text_hash": made.text_hash.hex()},
                ),
            )
        return made

    async def policy(self, tx: Tx, draft: PolicyDraft, *, by: ActorRef, valid_from: datetime | None = None) -> Policy:
        """A version of a policy of one agency for one purpose; gives the one in force or to come.

        Raises BadInput naming what to mend (a field not in the catalogue, a ground the purpose does not
        allow, no purpose in force), Conflict when a later version is scheduled already.
        """
        now = self.clock.now()
        start = valid_from or now
        async with tx.savepoint():
            await tx.rows(_LOCK, what=f"consent.policy {draft.agency_id} {draft.purpose}")
            purpose = (await load_purposes(tx, [draft.purpose], start)).get(draft.purpose)
            _mend(policy_faults(draft, purpose) | _start_faults(start, now))
            current = await load_policy(tx, draft.agency_id, draft.purpose, now)
            if current is not None and draft.says_the_same(current):
                return current
            last = await tx.row(_LAST_POLICY, agency=draft.agency_id, code=draft.purpose)
            _not_before(start, last)
            version = last["version"] + 1 if last else 1
            await tx.run(_END_POLICY, agency=draft.agency_id, code=draft.purpose, end=start)
            await tx.run(
                _ADD_POLICY,
                **draft.columns(),
                version=version,
                valid_from=start,
                valid_to=None,
                published_at=now,
            )
            made = await load_policy(tx, draft.agency_id, draft.purpose, start)
            if made is None:
                raise Conflict("policy-not-in-force", "The policy and its purpose are not in force together.")
            await self.journal.write(
                tx,
                Line(
                    kind="act",
                    action="policy.published",
                    subject=None,
                    actor=by,
                    agency=draft.agency_code,
                    purpose=draft.purpose,
                    fields=tuple(sorted(draft.fields)),
                    details={"version": str(version)},
                ),
            )
        return made


def _mend(faults: Mapping[str, str]) -> None:
    if faults:
        raise BadInput("invalid-draft", "The draft has entries to mend.", fields=faults)


def _start_faults(start: datetime, now: datetime) -> dict[str, str]:
    # What held yesterday is not rewritten today.
    return {"valid_from": "It cannot begin in the past."} if start < now else {}


def _not_before(start: datetime, last: Mapping[str, Any] | None) -> None:
    if last is not None and start <= last["valid_from"]:
        raise Conflict("later-version-scheduled", "A version that begins later is published already.")


def _next_version(last: Mapping[str, Any] | None, new_major: bool) -> tuple[int, int]:
    if last is None:
        return 1, 0
    return (last["major"] + 1, 0) if new_major else (last["major"], last["minor"] + 1)


def _purpose_columns(made: Purpose) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "purpose_code": made.code,
        "major": made.major,
        "minor": made.minor,
        "text_hash": made.text_hash,
        "legal_bases": sorted(made.legal_bases),
        "valid_from": made.valid_from,
    }
    for locale in ("vi", "en"):
        texts = made.texts(locale)
        columns |= {
            f"title_{locale}": texts.title,
            f"description_{locale}": texts.description,
            f"if_refused_{locale}": texts.if_refused,
            f"legal_source_{locale}": texts.legal_source,
        }
    return columns
