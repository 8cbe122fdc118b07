"""What existing consents cover. Pure: by subset, never by equality.

Five reasons to ask again, and no others: another recipient, more fields, a longer keeping time or a new major
version of the text, the consent expired, the consent withdrawn. Asking for less, or for shorter, never asks.
A voluntary field that was offered and left unticked is not offered at every sign-in either (`to_ask`).
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from consent import decide
from core.record import record


@record
class GivenConsent(decide.Consented):
    """One consent, live or ended, with what coverage and the citizen's page need beyond the rule.

    text_hash, locale, channel, aal, ial: what was shown, in which language, by which way, and how surely it
    was he. withdrawn_by: code of tables.ENDED_BY.
    """

    reference: str
    agency_code: str
    client_id: str
    client_name: str
    purpose_minor: int
    policy_version: int
    text_hash: bytes
    locale: str
    channel: str
    aal: int
    ial: int
    withdrawn_by: str | None


@record
class Coverage:
    """covered: agreed to. missing: not. consent_ids: the consents that cover, in the order they came.

    fresh: no consent counts for the purpose at all, whichever fields are asked.
    """

    covered: frozenset[str]
    missing: frozenset[str]
    consent_ids: tuple[uuid.UUID, ...]
    fresh: bool


def is_live(consent: decide.Consented, now: datetime) -> bool:
    """Neither withdrawn nor expired at `now`."""
    return consent.withdrawn_at is None and now < consent.expires_at


def counts(consent: decide.Consented, *, major: int, keep_days: int, now: datetime) -> bool:
    """Whether a consent holds for the purpose's present major and the policy's present keeping time."""
    return is_live(consent, now) and consent.purpose_major == major and consent.keep_days >= keep_days


def cover(
    asked: Iterable[str], consents: Iterable[decide.Consented], *, major: int, keep_days: int, now: datetime
) -> Coverage:
    """Splits the asked fields by what the consents of one person, recipient and purpose say."""
    asked = frozenset(asked)
    counting = [one for one in consents if counts(one, major=major, keep_days=keep_days, now=now)]
    covered = asked & frozenset[str]().union(*(one.fields for one in counting))
    return Coverage(
        covered=covered,
        missing=asked - covered,
        consent_ids=tuple(one.consent_id for one in counting if one.fields & asked),
        fresh=not counting,
    )


def to_ask(
    state: Coverage, *, mandatory: frozenset[str], declined: frozenset[str], again: bool = False
) -> frozenset[str]:
    """The fields to put to the citizen; empty when there is nothing to ask.

    declined: voluntary fields left unticked before; they are offered again only together with a fresh
    question, when they became mandatory, or when everything is asked `again`.
    """
    if again:
        return state.covered | state.missing
    if state.fresh:
        return state.missing
    return state.missing - (declined - mandatory)
