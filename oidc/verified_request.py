"""What a request asks inside `verified_claims` (OpenID Connect for Identity Assurance 1.0 §5.4-5.6). Pure.

Read into the part that we can answer. An element that we do not know is left out when it is merely asked for;
when it limits what may be told, it stays as a limit that nothing meets, for limits are never ignored. It stays without
its name: what a client writes there may be anything, and what is read here is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from oidc.claim_ask import NEVER, ClaimAsk, is_constrained, not_such_an_object, read_ask, read_claim
from oidc.claim_values import Conceal
from oidc.claims import fields_of, may_be_verified
from oidc.errors import invalid_request

UNMET = "unmet"
"""Stands for every element that is limited and not known, and for every kind of evidence that there is not."""
MAX_SETS = 5
MAX_FILTERS = 10

Node = ClaimAsk | Mapping[str, "Node"]
"""An element asked for: a leaf, or an object of them."""
Shape = Mapping[str, "Shape | None"]
"""What can be asked for: names of leaves (None) and of objects."""

TIMES = frozenset({"time", "created_at", "date_of_issuance", "date_of_expiry"})
_ORIGIN: Shape = MappingProxyType({"name": None, "country": None, "country_code": None})
VERIFICATION: Shape = MappingProxyType(
    {"trust_framework": None, "assurance_level": None, "time": None, "verification_process": None}
)
EVIDENCE: Mapping[str, Shape] = MappingProxyType(
    {
        "electronic_record": MappingProxyType(
            {"record": MappingProxyType({"type": None, "created_at": None, "source": _ORIGIN})}
        ),
        "document": MappingProxyType(
            {
                "document_details": MappingProxyType(
                    {
                        "type": None,
                        "document_number": None,
                        "date_of_issuance": None,
                        "date_of_expiry": None,
                        "issuer": _ORIGIN,
                    }
                )
            }
        ),
    }
)
CARD, NUMBER = "card", "personal_number"
"""The registry's fields behind evidence of type `document`."""


@dataclass(frozen=True, slots=True)
class EvidenceFilter:
    """One entry of `evidence`: of which kind (of EVIDENCE, or UNMET), with what it asks of such evidence."""

    kind: str
    asked: Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class VerifiedAsk:
    """One request object. evidence: None when none is asked for; its filters are alternatives."""

    verification: Mapping[str, Node]
    evidence: tuple[EvidenceFilter, ...] | None
    claims: Mapping[str, ClaimAsk]

    @property
    def fields(self) -> tuple[str, ...]:
        """The registry's fields that an answer is made of."""
        return tuple(dict.fromkeys([*fields_of(self.claims), *self._evidence_fields()]))

    @property
    def essential(self) -> frozenset[str]:
        return frozenset(fields_of(name for name, ask in self.claims.items() if ask.essential))

    @property
    def compared(self) -> tuple[str, ...]:
        """Claims that are asked for with a value."""
        return tuple(name for name, ask in self.claims.items() if ask.constrained)

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of what is asked of the verification, as far as it can be told."""
        known = (name for name in self.verification if name in VERIFICATION)
        return (*known, *(("evidence",) if self.evidence is not None else ()))

    def _evidence_fields(self) -> tuple[str, ...]:
        found: list[str] = []
        for each in self.evidence or ():
            if each.kind == "document":
                details = each.asked.get("document_details")
                numbered = isinstance(details, Mapping) and "document_number" in details
                found += [CARD, NUMBER] if numbered else [CARD]
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """What `read_verified` reads back."""
        verification = _told(self.verification)
        if self.evidence is not None:
            verification["evidence"] = [{"type": {"value": each.kind}, **_told(each.asked)} for each in self.evidence]
        return {
            "verification": verification,
            "claims": {name: ask.to_json() for name, ask in self.claims.items()} or None,
        }


def read_verified(raw: Any, conceal: Conceal) -> tuple[VerifiedAsk, ...]:
    """The member `verified_claims`: an object or an array of them. Raises OAuthError invalid_request."""
    sets = raw if isinstance(raw, list) else [raw]
    if not 0 < len(sets) <= MAX_SETS:
        raise not_such_an_object()
    return tuple(_read_set(each, conceal) for each in sets)


def _read_set(raw: Any, conceal: Conceal) -> VerifiedAsk:
    if not isinstance(raw, dict) or not {"verification", "claims"} <= raw.keys():
        raise not_such_an_object()
    verification = raw["verification"]
    if not isinstance(verification, dict) or "trust_framework" not in verification:
        raise invalid_request("verified_claims needs verification with trust_framework.")
    plain = {name: asked for name, asked in verification.items() if name not in {"evidence", "assurance_process"}}
    nodes = dict(_read_object(plain, VERIFICATION, "verified", conceal))
    process = verification.get("assurance_process")
    if process is not None and not isinstance(process, dict):
        raise not_such_an_object()
    if is_constrained(process):
        nodes[UNMET] = NEVER
    evidence = _read_evidence(verification["evidence"], conceal) if "evidence" in verification else None
    return VerifiedAsk(nodes, evidence, _read_claims(raw["claims"], conceal))


def _read_claims(raw: Any, conceal: Conceal) -> dict[str, ClaimAsk]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise not_such_an_object()
    asked = {}
    for name, each in raw.items():
        ask = read_claim(each, f"verified/claims/{name}", conceal)
        if may_be_verified(name):
            asked[name] = ask
    return asked


def _read_evidence(raw: Any, conceal: Conceal) -> tuple[EvidenceFilter, ...]:
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_FILTERS:
        raise not_such_an_object()
    return tuple(_read_filter(each, conceal) for each in raw)


def _read_filter(raw: Any, conceal: Conceal) -> EvidenceFilter:
    kind = raw.get("type") if isinstance(raw, dict) else None
    if not isinstance(kind, dict) or "values" in kind or not isinstance(kind.get("value"), str):
        raise invalid_request("Each entry of evidence names its type by one value.")
    name = kind["value"] if kind["value"] in EVIDENCE else UNMET
    asked = {key: each for key, each in raw.items() if key not in {"type", "check_details"}}
    nodes = dict(_read_object(asked, EVIDENCE.get(name, {}), f"verified/evidence/{name}", conceal))
    if "check_details" in raw and _limits_checks(raw["check_details"]):
        nodes[UNMET] = NEVER
    return EvidenceFilter(name, nodes)


def _limits_checks(raw: Any) -> bool:
    """Whether certain checks are demanded; none are told here. Raises OAuthError invalid_request."""
    if not isinstance(raw, list) or not raw:
        raise not_such_an_object()
    if any(not isinstance(each, dict) or "check_method" not in each for each in raw):
        raise invalid_request("Each entry of check_details names check_method.")
    return is_constrained(raw)


def _read_object(raw: Any, shape: Shape, place: str, conceal: Conceal) -> Mapping[str, Node]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise not_such_an_object()
    nodes: dict[str, Node] = {}
    for name, asked in raw.items():
        at = f"{place}/{name}"
        if name not in shape:
            if is_constrained(asked):
                nodes[UNMET] = NEVER
            continue
        inner = shape[name]
        if inner is None:
            nodes[name] = read_ask(asked, at, conceal, timed=name in TIMES)
        else:
            nodes[name] = _read_object(asked, inner, at, conceal)
    return nodes


def _told(nodes: Mapping[str, Node]) -> dict[str, Any]:
    return {name: node.to_json() if isinstance(node, ClaimAsk) else _told(node) for name, node in nodes.items()}
