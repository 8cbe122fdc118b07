"""The rule for a citizen's own record. Pure.

Everybody may see what is held about him (Law 91/2025 art. 4.1; Law 26/2023 art. 10). What is shown follows
the level: an account of level 1 shows the electronic identity alone (Decree 69/2024), and sensitive data
need two factors. A represented person's record is another journey.
"""

from types import MappingProxyType

from consent.decide import Decision
from core.actor import Actor
from population_db.api import FIELDS

LEVEL_1_FIELDS = frozenset({"personal_number", "full_name", "birth_date", "sex"})
"""The electronic identity (danh tính điện tử) of a level 1 account."""

SENSITIVE_AAL = 2


def decide_self(actor: Actor, fields: tuple[str, ...]) -> Decision:
    """Fields beyond the level are in `refused`; another's record is refused as a whole."""
    if actor.kind != "citizen" or actor.person_id is None or actor.on_behalf_of not in (None, actor.person_id):
        return Decision(refusal="not-your-record")
    if actor.ial < 1 or actor.aal < 1:
        return Decision(refusal="level-too-low")
    allowed = tuple(code for code in dict.fromkeys(fields) if _within_level(actor, code))
    if not allowed:
        return Decision(refusal="level-too-low")
    return Decision(
        allowed=allowed,
        refused=MappingProxyType({code: "level-too-low" for code in fields if code not in allowed}),
    )


def _within_level(actor: Actor, code: str) -> bool:
    if actor.ial < 2:
        return code in LEVEL_1_FIELDS
    return actor.aal >= SENSITIVE_AAL or not FIELDS[code].sensitive
