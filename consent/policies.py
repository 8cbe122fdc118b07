"""Sharing policies (chính sách chia sẻ): what one agency may get for one purpose. Pure.

No policy means: nothing.
Decree 278/2025 and Decree 194/2025 ask for sharing by default between bodies; what is shared stays bounded by
the purpose and the fields the body's task needs (Law 91/2025 art. 3, 17).
"""

from consent import decide
from core.record import record


@record
class Policy(decide.Policy):
    """One version of a policy, with the version of its purpose in force at the same instant.

    Beyond what the rule needs: the recipient's code, which fields the purpose cannot be served without, and
    how long a consent lasts. legal_bases: codes that both the policy and the purpose allow.
    """

    agency_code: str
    purpose_minor: int
    mandatory_fields: frozenset[str]
    consent_days: int
