"""The life of a signing key, by the rules alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oidc.signing_key_rules import (
    KEPT_AFTER,
    PUBLISHED_AHEAD,
    KeyTimes,
    next_signs_at,
    signing,
    state,
    to_erase,
    waiting,
)
from oidc.token.access_tokens import LIFETIME_SECONDS as ACCESS_TOKEN_SECONDS
from oidc.token.id_tokens import LIFETIME_SECONDS as ID_TOKEN_SECONDS

START = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = timedelta(days=90)
DAY = timedelta(days=1)
OLD = KeyTimes("old", "ES256", START, START)
NEXT = KeyTimes("next", "ES256", START + 89 * DAY, START + 90 * DAY)
RETIRING = replace(OLD, retired_at=NEXT.active_at + KEPT_AFTER)


def kid(key: KeyTimes | None) -> str | None:
    return None if key is None else key.kid


def test_a_key_outlives_what_it_signed() -> None:
    """Case 37 of security.md."""
    assert timedelta(seconds=max(ACCESS_TOKEN_SECONDS, ID_TOKEN_SECONDS)) * 2 < KEPT_AFTER
    assert timedelta(days=1) <= PUBLISHED_AHEAD


@pytest.mark.parametrize(
    ("day", "signs", "waits", "old", "next_"),
    [
        (88, "old", None, "signs", "retired"),
        (89, "old", "next", "signs", "next"),
        (90, "next", None, "kept", "signs"),
        (96, "next", None, "kept", "signs"),
        (97, "next", None, "retired", "signs"),
    ],
)
def test_the_overlap(day: int, signs: str, waits: str | None, old: str, next_: str) -> None:
    keys, now = [RETIRING, NEXT], START + day * DAY
    assert kid(signing(keys, "ES256", now)) == signs
    assert kid(waiting(keys, "ES256", now)) == waits
    assert (state(RETIRING, keys, now), state(NEXT, keys, now)) == (old, next_)


def test_a_key_of_another_algorithm_does_not_sign() -> None:
    assert signing([OLD], "PS256", START) is None


def test_a_revoked_key_is_gone_whatever_its_times() -> None:
    for key in (OLD, replace(NEXT, active_at=START)):
        revoked = replace(key, revoked_at=START + 300 * DAY)
        assert signing([revoked], "ES256", START + 89 * DAY) is None
        assert not revoked.is_published(START + 89 * DAY)
        assert state(revoked, [revoked], START) == "revoked"


def test_an_erased_key_neither_signs_nor_is_published() -> None:
    erased = replace(RETIRING, erased=True)
    assert signing([erased], "ES256", START) is None
    assert not erased.is_published(START)
    assert to_erase([erased], START + 200 * DAY) == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (0, None),
        (88.9, None),
        (89, 90),  # a day ahead of its turn
        (89.5, 90.5),  # late by half a day: still a full day ahead
        (400, 401),  # a schedule that slept for a year
    ],
)
def test_when_the_next_key_is_due(day: float, expected: float | None) -> None:
    wanted = None if expected is None else START + expected * DAY
    assert next_signs_at([OLD], "ES256", START + day * DAY, EVERY) == wanted


def test_no_second_next_key() -> None:
    assert next_signs_at([RETIRING, NEXT], "ES256", START + 89.5 * DAY, EVERY) is None
    assert next_signs_at([], "ES256", START, EVERY) is None


def test_what_is_erased() -> None:
    assert to_erase([RETIRING, NEXT], START + 96 * DAY) == []
    assert [key.kid for key in to_erase([RETIRING, NEXT], START + 97 * DAY)] == ["old"]
