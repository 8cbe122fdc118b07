"""The life of a signing key, as rules. Pure.

A key is published ahead of use, so that every process of ours and every portal knows it before it signs; it
signs until the next one does; it stays published until the last thing it signed has expired; then its private
half is erased. A revoked key is gone at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

PUBLISHED_AHEAD = timedelta(days=1)
"""Longer than anybody should keep a key set (ours says five minutes) without looking again at an unknown kid."""
KEPT_AFTER = timedelta(days=7)
"""Longer than any token of ours lives (ten minutes), and long enough for an id_token that comes back as a hint."""

State = Literal["next", "signs", "kept", "retired", "revoked"]


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """What the rules look at. token_label: of a key in a hardware token. erased: its private half is gone."""

    kid: str
    alg: str
    published_at: datetime
    active_at: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    token_label: str | None = None
    erased: bool = False

    def is_published(self, now: datetime) -> bool:
        if self.revoked_at is not None or self.erased:
            return False
        return self.published_at <= now and (self.retired_at is None or now < self.retired_at)


def signing(keys: Iterable[KeyTimes], alg: str, now: datetime) -> KeyTimes | None:
    """The key that signs with `alg` now: the latest active one."""
    able = [key for key in keys if key.alg == alg and key.active_at <= now and key.is_published(now)]
    return max(able, key=lambda key: (key.active_at, key.kid), default=None)


def waiting(keys: Iterable[KeyTimes], alg: str, now: datetime) -> KeyTimes | None:
    """The key that is published and signs later; the first of them."""
    later = [key for key in keys if key.alg == alg and key.active_at > now and key.is_published(now)]
    return min(later, key=lambda key: (key.active_at, key.kid), default=None)


def state(key: KeyTimes, keys: Sequence[KeyTimes], now: datetime) -> State:
    """What a key does now."""
    if key.revoked_at is not None:
        return "revoked"
    if not key.is_published(now):
        return "retired"
    if key.active_at > now:
        return "next"
    present = signing(keys, key.alg, now)
    return "signs" if present is not None and present.kid == key.kid else "kept"


def next_signs_at(keys: Sequence[KeyTimes], alg: str, now: datetime, every: timedelta) -> datetime | None:
    """When the next key of `alg` shall sign, if it is time to publish it; else None.

    every: how long a key signs. A schedule that was asleep publishes a full day ahead all the same.
    """
    present = signing(keys, alg, now)
    if present is None or waiting(keys, alg, now) is not None:
        return None
    due = present.active_at + every
    return max(due, now + PUBLISHED_AHEAD) if now >= due - PUBLISHED_AHEAD else None


def to_erase(keys: Iterable[KeyTimes], now: datetime) -> list[KeyTimes]:
    """Keys that left the key set and still have a private half."""
    return [key for key in keys if not key.erased and key.retired_at is not None and key.retired_at <= now]
