"""Giving consent: the citizen's answer becomes rows, journal lines and receipts, all in one transaction.

The answer to one question of one interaction is claimed by inserting its row: of two submits at once one
writes, the other gets the same result, and nothing is written twice.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from consent.answering import Agreed, Outcome, Ticks, outcome
from consent.asking import Asking
from consent.consents import consent_row, load_live_by_purpose
from consent.coverage import GivenConsent
from consent.lines import actor_ref
from consent.published import load_policies, load_purposes
from consent.purposes import Purpose
from consent.question import CONSENT, AskedPurpose, Question
from consent.receipts import issue
from consent.tables import AnswerRow, ConsentRow, DeclinedRow
from consent.withdraw import Withdrawing
from core.actor import Actor
from core.clock import Clock
from core.database import Query, Tx
from core.errors import Conflict, NotAllowed
from core.ids import new_id, new_reference
from identity.api import Agency
from privacy.journal.api import Journal, Line

_ANSWERS: Any = AnswerRow.__table__  # type: ignore[attr-defined]
_A = _ANSWERS.c
_CLAIM = Query(upsert(_ANSWERS).on_conflict_do_nothing(index_elements=["person_id", "answer_key"]))
_CLAIMED = Query(
    select(_A.result).where(_A.person_id == bindparam("person_id"), _A.answer_key == bindparam("answer_key"))
)
_ADD_CONSENT = Query(insert(ConsentRow.__table__))  # type: ignore[attr-defined]
_DECLINE = upsert(DeclinedRow.__table__)  # type: ignore[attr-defined]
_DECLINED = Query(
    _DECLINE.on_conflict_do_update(
        index_elements=["person_id", "agency_id", "purpose_code", "field_code"],
        set_={"purpose_major": _DECLINE.excluded.purpose_major, "expires_at": _DECLINE.excluded.expires_at},
    )
)


@dataclass(frozen=True, slots=True)
class Submission:
    """One submitted answer. key: see answer_key. locale: the language the page was shown in."""

    question: Question
    ticks: Ticks
    actor: Actor
    key: bytes
    locale: str
    channel: str = "web"


def answer_key(interaction_id: str, question: Question) -> bytes:
    """What is claimed: SHA-256 over interaction and question, 32 bytes."""
    return hashlib.sha256(b"consent answer\x00" + interaction_id.encode() + question.digest()).digest()


@dataclass(frozen=True, slots=True)
class Giving:
    """The use case."""

    asking: Asking
    withdrawing: Withdrawing
    journal: Journal
    clock: Clock

    async def answer(self, tx: Tx, submission: Submission) -> dict[str, Any]:
        """Writes the answer and gives it as JSON for interaction.consent_answer.

        {"decision": "allow"|"refuse", "question": hex digest, "consents": [{"consent_id", "purpose",
        "fields"}], "refused": [purpose codes]}. Raises BadInput (the ticks are not clear; show the page
        again), NotAllowed `not-your-question`, `consent-not-alone`, `level-too-low`, Conflict
        `question-outdated` (a text or policy changed meanwhile).
        """
        question, actor = submission.question, submission.actor
        if actor.person_id != question.person_id:
            raise NotAllowed("not-your-question", "This question was put to another person.")
        decided = outcome(question, submission.ticks)
        earlier = await tx.row(_CLAIMED, person_id=question.person_id, answer_key=submission.key)
        if earlier is not None:
            return dict(earlier["result"])
        now = self.clock.now()
        purposes = await self._allowed(tx, decided, submission, now) if decided.agreed else {}
        agency = await self.asking.identity.agency(tx, agency_id=question.agency_id)
        given = [_consent(one, submission, now) for one in decided.agreed]
        result = _result(question, decided, given)
        async with tx.savepoint():
            claimed = await tx.run(
                _CLAIM,
                person_id=question.person_id,
                answer_key=submission.key,
                decision=decided.decision,
                agency_id=question.agency_id,
                client_id=question.client_id,
                result=result,
                answered_at=now,
            )
            if claimed:
                await self._end_narrowed(tx, submission, given, now)
                for consent in given:
                    await self._write(tx, consent, agency, purposes[consent.purpose], submission)
                await self._write_declined(tx, decided, question, now)
                await self._write_refused(tx, decided, submission)
                return result
        # Another submit of the same answer committed between our look and our claim: its result stands.
        winner = await tx.row(_CLAIMED, person_id=question.person_id, answer_key=submission.key)
        if winner is None:
            raise Conflict("answer-claimed", "Your answer is being recorded. Please try again.")
        return dict(winner["result"])

    async def _end_narrowed(self, tx: Tx, submission: Submission, given: list[GivenConsent], now: datetime) -> None:
        """Where all was asked anew: an earlier consent to something that is unticked now ends."""
        question = submission.question
        if not (question.again and given):
            return
        ticked = {one.purpose: one.fields for one in given}
        earlier = await load_live_by_purpose(tx, question.person_id, question.agency_id, now)
        for purpose in question.purposes:
            unticked = frozenset(purpose.fields) - ticked.get(purpose.code, frozenset())
            narrowed = [one for one in earlier.get(purpose.code, ()) if one.fields & unticked]
            await self.withdrawing.replace(tx, submission.actor, narrowed)

    async def _allowed(self, tx: Tx, decided: Outcome, submission: Submission, now: datetime) -> dict[str, Purpose]:
        """The purposes agreed to, when person, levels and versions allow it."""
        question, actor = submission.question, submission.actor
        if await self.asking.why_not_alone(tx, question.person_id) is not None:
            raise NotAllowed("consent-not-alone", "You may not give this consent on your own.")
        codes = [one.purpose.code for one in decided.agreed]
        purposes = await load_purposes(tx, codes, now)
        policies = await load_policies(tx, question.agency_id, codes, now)
        for one in decided.agreed:
            code = one.purpose.code
            policy, purpose = policies.get(code), purposes.get(code)
            if policy is None or purpose is None or not _is_as_shown(one.purpose, purpose, policy.version):
                raise Conflict(
                    "question-outdated",
                    "The terms changed while you were reading. Please start again from the service you came from.",
                )
            if actor.aal < policy.min_aal or actor.ial < policy.min_ial:
                raise NotAllowed("level-too-low", "This needs a sign-in at a higher level.")
        return purposes

    async def _write(
        self, tx: Tx, consent: GivenConsent, agency: Agency, purpose: Purpose, submission: Submission
    ) -> None:
        await tx.run(_ADD_CONSENT, **consent_row(consent, submission.key))
        line = await self.journal.write(
            tx,
            Line(
                kind="act",
                action="consent.given",
                subject=consent.person_id,
                actor=actor_ref(submission.actor, None),
                agency=consent.agency_code,
                purpose=consent.purpose,
                legal_basis=CONSENT,
                fields=tuple(sorted(consent.fields)),
                details={
                    "consent": consent.reference,
                    "client": consent.client_id,
                    "version": purpose.version,
                    "text_sha256": consent.text_hash.hex(),
                    "expires_at": consent.expires_at.isoformat(),
                },
            ),
        )
        await issue(tx, "given", consent, agency, purpose, line, consent.given_at)

    async def _write_declined(self, tx: Tx, decided: Outcome, question: Question, now: datetime) -> None:
        await tx.run_many(
            _DECLINED,
            [
                {
                    "person_id": question.person_id,
                    "agency_id": question.agency_id,
                    "purpose_code": purpose.code,
                    "field_code": code,
                    "purpose_major": purpose.major,
                    "expires_at": now + timedelta(days=purpose.consent_days),
                }
                for purpose, fields in decided.declined
                for code in fields
            ],
        )

    async def _write_refused(self, tx: Tx, decided: Outcome, submission: Submission) -> None:
        """A refusal is an answer as well: one line for each purpose refused."""
        for code in decided.refused:
            purpose = submission.question.purpose(code)
            await self.journal.write(
                tx,
                Line(
                    kind="act",
                    action="consent.refused",
                    subject=submission.question.person_id,
                    actor=actor_ref(submission.actor, None),
                    agency=submission.question.agency_code,
                    purpose=code,
                    legal_basis=CONSENT,
                    fields=purpose.fields if purpose else (),
                    outcome="refused",
                    details={"client": submission.question.client_id},
                ),
            )


def _is_as_shown(shown: AskedPurpose, current: Purpose, policy_version: int) -> bool:
    return (shown.major, shown.minor, shown.text_hash) == (
        current.major,
        current.minor,
        current.text_hash.hex(),
    ) and shown.policy_version == policy_version


def _consent(agreed: Agreed, submission: Submission, now: datetime) -> GivenConsent:
    question, purpose, actor = submission.question, agreed.purpose, submission.actor
    return GivenConsent(
        consent_id=new_id(),
        person_id=question.person_id,
        agency_id=question.agency_id,
        purpose=purpose.code,
        purpose_major=purpose.major,
        fields=frozenset(agreed.fields),
        keep_days=purpose.keep_days,
        given_at=now,
        expires_at=now + timedelta(days=purpose.consent_days),
        withdrawn_at=None,
        reference=new_reference(question.person_id),
        agency_code=question.agency_code,
        client_id=question.client_id,
        client_name=question.client_name,
        purpose_minor=purpose.minor,
        policy_version=purpose.policy_version,
        text_hash=bytes.fromhex(purpose.text_hash),
        locale=submission.locale,
        channel=submission.channel,
        aal=actor.aal,
        ial=actor.ial,
        withdrawn_by=None,
    )


def _result(question: Question, decided: Outcome, given: list[GivenConsent]) -> dict[str, Any]:
    return {
        "decision": decided.decision,
        "question": question.digest().hex(),
        "consents": [
            {"consent_id": str(one.consent_id), "purpose": one.purpose, "fields": sorted(one.fields)} for one in given
        ],
        "refused": list(decided.refused),
    }
