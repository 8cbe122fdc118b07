"""Acts on signing keys: rotate, revoke, and what a schedule does. Each in the caller's transaction, with its line
in the journal and a notification that every process hears at the commit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update

from core.clock import Clock
from core.database import Query, Tx
from core.errors import Conflict, NotFound
from oidc import signing_key_rules as rules
from oidc.grants import CHANNEL
from oidc.signing_key_rules import KeyTimes
from oidc.signing_key_store import times
from oidc.signing_keys import NOTICE, SigningKeys
from oidc.tables import KEY_ALGORITHMS, SigningKeyRow
from privacy.journal.api import ActorRef, Journal, Line

_C: Any = SigningKeyRow.__table__.c  # type: ignore[attr-defined]
_OF_KID = _C.kid == bindparam("of_kid")
_RETIRE_OTHERS = Query(
    update(SigningKeyRow)
    .where(
        _C.alg == bindparam("of_alg"),
        _C.kid != bindparam("of_kid"),
        _C.retired_at.is_(None),
        _C.revoked_at.is_(None),
    )
    .values(retired_at=bindparam("until", type_=_C.retired_at.type))
)
_REVOKE = Query(
    update(SigningKeyRow)
    .where(_OF_KID)
    .values(revoked_at=bindparam("now", type_=_C.revoked_at.type), sealed=None, token_label=None)
)
_ERASE = Query(update(SigningKeyRow).where(_OF_KID).values(sealed=None, token_label=None))
_SIGN_FROM_NOW = Query(update(SigningKeyRow).where(_OF_KID).values(active_at=bindparam("now", type_=_C.active_at.type)))
_STAY = Query(update(SigningKeyRow).where(_OF_KID).values(retired_at=None))
_NOTIFY = Query(select(func.pg_notify(CHANNEL, bindparam("payload"))))


@dataclass(frozen=True, slots=True)
class KeyShown:
    """A key as the keeper sees it. state: next, signs, kept, retired, revoked."""

    times: KeyTimes
    state: rules.State


@dataclass(frozen=True, slots=True)
class Acted:
    """What was done. made, ended: kids. labels: private halves to destroy in the token once this is committed."""

    made: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class SigningKeyActs:
    """Needs the worker's login."""

    def __init__(self, keys: SigningKeys, journal: Journal, clock: Clock) -> None:
        self._keys = keys
        self._store = keys.store
        self._journal = journal
        self._clock = clock

    async def shown(self, tx: Tx) -> list[KeyShown]:
        """Every key there ever was, by algorithm and time."""
        now, known = self._clock.now(), await self._known(tx)
        return [KeyShown(each, rules.state(each, known, now)) for each in known]

    async def rotate(self, tx: Tx, algs: Collection[str], *, by: ActorRef) -> Acted:
        """Publishes the next key of each algorithm; it signs a day later.

        Raises NotFound `alg-unknown`, Conflict `key-waiting` where the next key is published already.
        """
        await self._store.lock(tx)
        now, known = self._clock.now(), await self._known(tx)
        for alg in algs:
            if alg not in KEY_ALGORITHMS:
                raise NotFound("alg-unknown", f"There are no keys for {alg[:20]}.")
            if rules.waiting(known, alg, now) is not None:
                raise Conflict("key-waiting", f"The next key for {alg} is published already and waits for its day.")
        signs_at = dict.fromkeys(algs, now + rules.PUBLISHED_AHEAD)
        return Acted(made=await self._publish(tx, signs_at, now, by))

    async def revoke(self, tx: Tx, kids: Sequence[str], *, reason: str, by: ActorRef) -> Acted:
        """Ends keys at once: out of the key set, what they signed refused, their private halves erased.

        Where an algorithm so loses the key that signs, the next one signs from now, a fresh one if none waits.
        Raises NotFound `key-unknown`, Conflict `key-revoked`.
        """
        await self._store.lock(tx)
        now, known = self._clock.now(), {each.kid: each for each in await self._known(tx)}
        for kid in kids:
            if kid not in known:
                raise NotFound("key-unknown", "There is no such key.")
            if known[kid].revoked_at is not None:
                raise Conflict("key-revoked", "The key was revoked before.")
        ended = [known[kid] for kid in dict.fromkeys(kids)]
        for key in ended:
            await tx.run(_REVOKE, of_kid=key.kid, now=now)
            await self._line(tx, "oidc.key-revoked", key, by, reason=reason)
        signed = {alg: rules.signing(known.values(), alg, now) for alg in sorted({key.alg for key in ended})}
        made = await self._replace(tx, signed, {key.kid for key in ended}, now, by)
        await self._notify(tx)
        labels = tuple(key.token_label for key in ended if key.token_label is not None)
        return Acted(made=made, ended=tuple(key.kid for key in ended), labels=labels)

    async def keep(self, tx: Tx, *, every: timedelta, by: ActorRef) -> Acted:
        """What is due now: next keys published, private halves of retired ones erased. Nothing while another
        process is at it. every: how long a key signs."""
        if not await self._store.try_lock(tx):
            return Acted()
        now, known = self._clock.now(), await self._known(tx)
        due = {alg: rules.next_signs_at(known, alg, now, every) for alg in KEY_ALGORITHMS}
        made = await self._publish(tx, {alg: at for alg, at in due.items() if at is not None}, now, by)
        retired = rules.to_erase(known, now)
        for key in retired:
            await tx.run(_ERASE, of_kid=key.kid)
            await self._line(tx, "oidc.key-erased", key, by)
        labels = tuple(key.token_label for key in retired if key.token_label is not None)
        return Acted(made=made, ended=tuple(key.kid for key in retired), labels=labels)

    def destroy(self, acted: Acted) -> None:
        """Removes what the act ended from the hardware token; after the commit. Waits for the token."""
        self._store.destroy(acted.labels)

    async def _replace(
        self, tx: Tx, signed: Mapping[str, KeyTimes | None], ended: Collection[str], now: datetime, by: ActorRef
    ) -> tuple[str, ...]:
        """signed: what signed until now, by algorithm. A key that is only kept does not come back."""
        known, lacking = await self._known(tx), []
        for alg, before in signed.items():
            later = rules.waiting(known, alg, now)
            if before is not None and before.kid not in ended:
                if later is None:  # its successor is gone: it stays until it gets another
                    await tx.run(_STAY, of_kid=before.kid)
            elif later is None:
                lacking.append(alg)
            else:
                await tx.run(_SIGN_FROM_NOW, of_kid=later.kid, now=now)
                await self._line(tx, "oidc.key-activated", later, by)
        return await self._publish(tx, dict.fromkeys(lacking, now), now, by)

    async def _publish(self, tx: Tx, signs_at: dict[str, datetime], now: datetime, by: ActorRef) -> tuple[str, ...]:
        kids = []
        for made in await self._store.make(signs_at):
            active_at = signs_at[made.alg]
            await self._store.add(tx, made, published_at=now, active_at=active_at)
            await tx.run(_RETIRE_OTHERS, of_alg=made.alg, of_kid=made.kid, until=active_at + rules.KEPT_AFTER)
            await self._line(tx, "oidc.key-published", KeyTimes(made.kid, made.alg, now, active_at), by)
            kids.append(made.kid)
        if kids:
            await self._notify(tx)
        return tuple(kids)

    async def _known(self, tx: Tx) -> list[KeyTimes]:
        return [times(row) for row in await self._store.rows(tx)]

    async def _notify(self, tx: Tx) -> None:
        await tx.rows(_NOTIFY, payload=NOTICE)

    async def _line(self, tx: Tx, action: str, key: KeyTimes, by: ActorRef, reason: str | None = None) -> None:
        details = {"kid": key.kid, "alg": key.alg, "signs_at": key.active_at.isoformat()}
        await self._journal.write(
            tx, Line(kind="act", action=action, subject=None, actor=by, reason=reason, details=details)
        )
