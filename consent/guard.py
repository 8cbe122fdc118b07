"""The last look: asked by the journal inside the transaction that writes the lines.

Between the decision and the commit a consent may be withdrawn, a policy ended, a grant revoked. What is gone
is refused here, and the journal writes a refusal line instead. Consents are locked as they are read
(consents.still_live), so a withdrawal stands either before the line, and refuses it, or after it.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Integer, Text, Uuid, and_, bindparam, column, func, or_, select

from consent.consents import still_live
from consent.lines import SELF
from consent.plugs import GrantStatusInTx
from consent.tables import PolicyRow
from core.clock import Clock
from core.database import Query, Tx
from privacy.journal.api import Line

PolicyKey = tuple[uuid.UUID, str, int]
"""Agency, purpose, version."""

_P: Any = PolicyRow.__table__.c  # type: ignore[attr-defined]
_ASKED = (
    func.unnest(
        bindparam("agencies", type_=ARRAY(Uuid)),
        bindparam("purposes", type_=ARRAY(Text)),
        bindparam("versions", type_=ARRAY(Integer)),
    )
    .table_valued(column("agency_id", Uuid), column("purpose_code", Text), column("version", Integer), name="asked")
    .render_derived()
)
_IN_FORCE = Query(
    select(_P.agency_id, _P.purpose_code, _P.version)
    .join_from(
        PolicyRow,
        _ASKED,
        and_(
            _P.agency_id == _ASKED.c.agency_id,
            _P.purpose_code == _ASKED.c.purpose_code,
            _P.version == _ASKED.c.version,
        ),
    )
    .where(_P.valid_from <= bindparam("now"), or_(_P.valid_to.is_(None), _P.valid_to > bindparam("now")))
)


class ConsentGuard:
    """Implements privacy.journal's DisclosureGuard."""

    def __init__(self, clock: Clock, grants: GrantStatusInTx) -> None:
        self._clock = clock
        self._grants = grants

    async def refused(self, tx: Tx, asked: Sequence[tuple[Line, Mapping[str, Any]]]) -> Mapping[int, str]:
        """Position → reason of those whose ground is gone. At most three trips for a whole batch."""
        now = self._clock.now()
        pairs = {pair for _, basis in asked for pair in basis.get("consents", ())}
        policies = {key for _, basis in asked for key in basis.get("policies", ())}
        grants = {basis["grant_id"] for _, basis in asked if basis.get("grant_id") is not None}
        live_consents = await still_live(tx, pairs, now)
        live_policies = await self._in_force(tx, policies) if policies else frozenset()
        live_grants = await self._grants.live(tx, grants) if grants else frozenset()
        found = {}
        for position, (line, basis) in enumerate(asked):
            reason = _reason(line, basis, live_consents, live_policies, live_grants)
            if reason is not None:
                found[position] = reason
        return found

    async def _in_force(self, tx: Tx, keys: set[PolicyKey]) -> frozenset[PolicyKey]:
        wanted = sorted(keys)
        rows = await tx.rows(
            _IN_FORCE,
            agencies=[agency_id for agency_id, _, _ in wanted],
            purposes=[purpose for _, purpose, _ in wanted],
            versions=[version for _, _, version in wanted],
            now=self._clock.now(),
        )
        return frozenset((row["agency_id"], row["purpose_code"], row["version"]) for row in rows)


def _reason(
    line: Line,
    basis: Mapping[str, Any],
    consents: frozenset[tuple[uuid.UUID, uuid.UUID]],
    policies: frozenset[PolicyKey],
    grants: frozenset[uuid.UUID],
) -> str | None:
    if line.legal_basis == SELF:
        own = line.actor.kind == "citizen" and line.agency is None
        return None if own else "no-basis"
    if not basis.get("policies"):
        return "no-basis"
    if not policies.issuperset(basis["policies"]):
        return "policy-ended"
    if line.legal_basis == "consent" and not basis.get("consents"):
        return "consent-missing"
    if not consents.issuperset(basis.get("consents", ())):
        return "consent-withdrawn"
    if basis.get("grant_id") is not None and basis["grant_id"] not in grants:
        return "grant-revoked"
    return None
