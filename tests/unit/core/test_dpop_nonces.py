"""RFC 9449 §8, §9, §11: when a nonce is asked for, which ones hold, what is handed out."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from core.dpop import DpopProof
from core.dpop_nonces import NEAR_SECONDS, WINDOW_SECONDS, DpopNonces

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
NONCES = DpopNonces(b"s" * 32)


def proof(*, nonce: str | None = None, off_seconds: float = 0) -> DpopProof:
    return DpopProof(jkt="k", jti="a" * 16, issued_at=NOW.timestamp() + off_seconds, nonce=nonce)


def looked_at(sent: DpopProof, *, required: bool = False) -> tuple[bool, str | None]:
    """Whether it must come again, and the nonce that the answer hands out."""
    request: Any = SimpleNamespace(state=SimpleNamespace(dpop_nonce=None))
    again = NONCES.must_come_again(request, sent, now=NOW, required=required)
    return again, request.state.dpop_nonce


def test_a_nonce_holds_for_two_windows() -> None:
    made = NONCES.current(NOW)
    for seconds, holds in ((0, True), (WINDOW_SECONDS, True), (2 * WINDOW_SECONDS, False), (-WINDOW_SECONDS, True)):
        assert NONCES.holds(made, NOW + timedelta(seconds=seconds)) is holds
    assert not NONCES.holds(made, NOW - timedelta(seconds=2 * WINDOW_SECONDS))


def test_it_is_of_the_characters_that_a_nonce_may_have() -> None:
    """RFC 9449 §8.1: NQCHAR."""
    made = NONCES.current(NOW)
    assert len(made) == 28
    assert all("\x21" <= char <= "\x7e" and char not in '"\\' for char in made)


def test_every_process_knows_it_and_nobody_else_can_make_it() -> None:
    assert DpopNonces(b"s" * 32).holds(NONCES.current(NOW), NOW)
    assert not NONCES.holds(DpopNonces(b"t" * 32).current(NOW), NOW)
    assert "s" * 8 not in repr(NONCES)


@pytest.mark.parametrize("nonce", ["", "x", "é", "\ud800", "A" * 28, "A" * 256])
def test_made_up_ones_do_not_hold(nonce: str) -> None:
    assert looked_at(proof(nonce=nonce)) == (True, NONCES.current(NOW))


def test_who_does_not_use_nonces_never_meets_one() -> None:
    assert looked_at(proof()) == (False, None)
    assert looked_at(proof(off_seconds=NEAR_SECONDS)) == (False, None)


@pytest.mark.parametrize("off", [NEAR_SECONDS + 1, -NEAR_SECONDS - 1])
def test_a_clock_that_is_off_needs_one(off: int) -> None:
    assert looked_at(proof(off_seconds=off)) == (True, NONCES.current(NOW))
    assert looked_at(proof(off_seconds=off, nonce=NONCES.current(NOW))) == (False, None)


def test_a_profile_may_want_one_always() -> None:
    assert looked_at(proof(), required=True) == (True, NONCES.current(NOW))
    assert looked_at(proof(nonce=NONCES.current(NOW)), required=True) == (False, None)


def test_the_next_one_is_handed_out_before_the_last_one_ends() -> None:
    last = NONCES.current(NOW - timedelta(seconds=WINDOW_SECONDS))
    assert looked_at(proof(nonce=last)) == (False, NONCES.current(NOW))
    gone = NONCES.current(NOW - timedelta(seconds=2 * WINDOW_SECONDS))
    assert looked_at(proof(nonce=gone)) == (True, NONCES.current(NOW))
