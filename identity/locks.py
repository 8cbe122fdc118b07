"""Locks of an account: the reasons of the law, and who may clear which. Pure rules.

Law on Identification 26/2023 art. 34: an account is locked when the holder asks (`holder`), breaks the terms
(`terms`), his card is revoked or held (`card`), he dies (`death`), or a competent body asks (`authority`).
`attempts` is ours: too many wrong codes after the right password. Several reasons can hold at once; each is
cleared alone, and a holder's unlocking never clears another reason.
"""

from collections.abc import Collection
from typing import Literal

LockReason = Literal["holder", "terms", "card", "death", "authority", "attempts"]
Clearer = Literal["holder", "desk", "authority", "civil-status"]

LOCK_REASONS: tuple[LockReason, ...] = ("holder", "terms", "card", "death", "authority", "attempts")

CLEARED_BY: dict[LockReason, frozenset[Clearer]] = {
    "holder": frozenset({"holder", "desk"}),
    "terms": frozenset({"authority"}),
    "card": frozenset({"authority"}),
    "death": frozenset({"civil-status"}),
    "authority": frozenset({"authority"}),
    "attempts": frozenset({"desk"}),
}
"""Who may clear a reason. holder: himself, online. desk: an officer who has the holder and his card in front
of him. authority: the body that asked, or the identification authority. civil-status: when a death was
recorded in error."""


def may_clear(reason: LockReason, by: Clearer) -> bool:
    return by in CLEARED_BY[reason]


def may_unlock_online(reasons: Collection[str], aal: int) -> bool:
    """Whether the holder himself may unlock on the page: only his own lock, and only with two factors.

    An account without a second factor is unlocked at the desk: he may have locked it because his password
    was stolen.
    """
    return set(reasons) == {"holder"} and aal >= 2
