"""From a grant and a token to the claims of a userinfo answer: what to disclose, and what becomes of it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from core.record import record
from identity.api import SELF_DECLARED
from oidc.claim_ask import ClaimAsk
from oidc.claim_values import Matches
from oidc.claims import SCOPE_CLAIMS, SCOPE_FIELDS, field_of, fields_of, purpose_claims, value_of
from oidc.claims_parameter import VERIFIED, ClaimsAsk, from_kept
from oidc.grants import Grant
from oidc.scopes import PURPOSE_PREFIX
from oidc.verified_claims import Assurance, verified_set
from population_db.api import FieldValue


@record
class Wanted:
    """What to disclose, by the way it came to be asked.

    claims: claims of standard scopes and of the `claims` parameter. standard: the consented fields behind them.
    verified: the consented fields behind `verified_claims`. namespaced: those of `purpose:` scopes.
    """

    asked: ClaimsAsk
    claims: Mapping[str, ClaimAsk]
    standard: frozenset[str]
    verified: frozenset[str]
    namespaced: frozenset[str]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(sorted(self.standard | self.verified | self.namespaced))

    def trace(self) -> dict[str, str]:
        """What the journal line says beyond the fields: claims that are compared with a value, and what is told
        of the verification."""
        told = {}
        if self.asked.compared:
            told["compared"] = " ".join(self.asked.compared)
        if self.verified:
            elements = dict.fromkeys(name for each in self.asked.verified for name in each.elements)
            told["verification"] = " ".join(elements)
        return told


@record
class Circumstances:
    """What verified claims say besides values; see verified_claims.Assurance."""

    proofed_at: datetime | None
    process: str
    now: datetime
    matches: Matches


def wanted(grant: Grant, token_scopes: frozenset[str], sign_in_purpose: str) -> Wanted:
    """The consented fields that this token's scopes and its grant's `claims` still open.

    A scope that was granted and then dropped at a refresh takes its fields along, by whichever way else they were
    asked for; a field that no scope opens has none to lose.
    """
    asked = from_kept(grant.claims)
    opened = _by_scopes(grant.scopes, token_scopes)
    own = grant.purposes.get(sign_in_purpose)
    consented = frozenset(own.fields) - opened.closed if own else frozenset[str]()
    namespaced = frozenset(
        field for code, held in grant.purposes.items() if PURPOSE_PREFIX + code in token_scopes for field in held.fields
    )
    return Wanted(
        asked=asked,
        claims={**opened.claims, **asked.userinfo} if asked.userinfo else opened.claims,
        standard=consented & opened.fields.union(fields_of(asked.userinfo)),
        verified=consented & frozenset(field for each in asked.verified for field in each.fields),
        namespaced=namespaced - {SELF_DECLARED},
    )


@record
class _Opened:
    """What scopes open. closed: the fields of those that were granted and that the token has no more."""

    claims: Mapping[str, ClaimAsk]
    fields: frozenset[str]
    closed: frozenset[str]


@lru_cache(maxsize=1_024)
def _by_scopes(granted: tuple[str, ...], held: frozenset[str]) -> _Opened:
    names = [name for scope in granted if scope in held for name in SCOPE_CLAIMS.get(scope, ())]
    dropped = frozenset(granted) - held
    return _Opened(
        claims=MappingProxyType(dict.fromkeys(names, ClaimAsk())),
        fields=frozenset(fields_of(names)),
        closed=frozenset(field for scope in dropped for field in SCOPE_FIELDS.get(scope, ())),
    )


def told(opened: Wanted, values: Mapping[str, FieldValue], grant: Grant, around: Circumstances) -> dict[str, object]:
    """The claims of the answer, out of the values that the disclosure door gave."""
    answer: dict[str, object] = purpose_claims(
        {field: held.value for field, held in values.items() if field in opened.namespaced}
    )
    for name, ask in opened.claims.items():
        held = values.get(field_of(name) or "")
        value = None if held is None or field_of(name) not in opened.standard else value_of(name, held.value)
        if value is None or (ask.blind is not None and not around.matches(f"userinfo/{name}", value, ask.blind)):
            continue
        answer[name] = value
    sets = _verified_sets(opened, values, grant, around)
    if sets:
        answer[VERIFIED] = sets if opened.asked.as_array else sets[0]
    return answer


def _verified_sets(
    opened: Wanted, values: Mapping[str, FieldValue], grant: Grant, around: Circumstances
) -> list[dict[str, object]]:
    """Each set that was asked for and of which a field may be told; a set of nothing tells nothing."""
    assurance = Assurance(
        values={},
        ial=grant.ial,
        proofed_at=around.proofed_at,
        process=around.process,
        now=around.now,
        matches=around.matches,
    )
    found = []
    for ask in opened.asked.verified:
        allowed = opened.verified.intersection(ask.fields)
        if not allowed:
            continue
        held = {field: value for field, value in values.items() if field in allowed}
        made = verified_set(ask, replace(assurance, values=held))
        if made is not None:
            found.append(made)
    return found
