"""The pure rules of what is answered elsewhere: codes as people type them, messages, times, what a client is told."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc.ciba.asked import KNOWN, MAX_LIFETIME_SECONDS, read_hint, requested_lifetime
from oidc.collect import Polled, fault_of
from oidc.device.guessing import lanes_of
from oidc.device.user_codes import LENGTH, LETTERS, new_user_code, read_user_code, shown
from oidc.errors import OAuthError

NOW = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("polled", "error"),
    [
        (None, "invalid_grant"),
        (Polled("waiting", LATER, too_fast=False, redeemed=False), "authorization_pending"),
        (Polled("waiting", LATER, too_fast=True, redeemed=False), "slow_down"),
        (Polled("waiting", NOW, too_fast=False, redeemed=False), "expired_token"),
        (Polled("waiting", NOW, too_fast=True, redeemed=False), "expired_token"),
        (Polled("denied", LATER, too_fast=True, redeemed=False), "access_denied"),
        (Polled("denied", NOW, too_fast=False, redeemed=False), "access_denied"),
        (Polled("approved", NOW, too_fast=False, redeemed=False), "expired_token"),
        (Polled("approved", LATER, too_fast=False, redeemed=True), "invalid_grant"),
        (Polled("approved", NOW, too_fast=True, redeemed=True), "invalid_grant"),
    ],
)
def test_what_a_client_is_told(polled: Polled | None, error: str) -> None:
    fault = fault_of(polled, what="device_code", now=NOW)
    assert (fault.error, fault.status) == (error, 400)
    assert '"' not in fault.description
    assert fault.description.isascii()


def test_codes_are_of_letters_that_nobody_mistakes() -> None:
    assert len(set(LETTERS)) == len(LETTERS) == 20
    assert not set(LETTERS) & set("AEIOUY0123456789")
    codes = {new_user_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(len(code) == LENGTH and set(code) <= set(LETTERS) for code in codes)
    assert set("".join(codes)) == set(LETTERS)


@pytest.mark.parametrize(
    "typed",
    ["BCDF-GHJK", "bcdf ghjk", " bcdfghjk ", "BCDF–GHJK", "b c d f-g h j k", "BCDF_GHJK", "bcdf.ghjk\u00a0"],
)
def test_a_code_as_people_type_it(typed: str) -> None:
    assert read_user_code(typed) == "BCDFGHJK"


@pytest.mark.parametrize(
    "typed", ["", "-", "BCDFGHJ", "BCDFGHJKL", "ABCDFGHJ", "BCDFGHJ0", "ＢＣＤＦＧＨＪＫ", "ßßßß", "BCDF/GHJK"]
)
def test_what_is_no_code(typed: str) -> None:
    assert read_user_code(typed) is None


@given(st.text(max_size=60))
def test_reading_a_code_never_fails(typed: str) -> None:
    code = read_user_code(typed)
    assert code is None or read_user_code(shown(code)) == code


@given(st.integers(min_value=1, max_value=10**9))
def test_a_time_asked_for(seconds: int) -> None:
    assert requested_lifetime({"requested_expiry": str(seconds)}) == min(seconds, MAX_LIFETIME_SECONDS)


@pytest.mark.parametrize("raw", ["0", "-1", "1.5", "1e3", "10s", "٣", "1" * 11])
def test_a_time_that_is_none(raw: str) -> None:
    with pytest.raises(OAuthError):
        requested_lifetime({"requested_expiry": raw})


def test_strangers_are_counted_three_ways_and_a_person_by_himself() -> None:
    strangers = lanes_of(person_id=None, browser="b", network="192.0.2.0/24")
    assert [lane.most for lane in strangers] == sorted(lane.most for lane in strangers)
    assert len(strangers) == 3
    (own,) = lanes_of(person_id="p", browser="b", network="192.0.2.0/24")
    assert own not in strangers


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.text(max_size=40), max_size=6))
def test_hints_and_times_of_any_shape(params: dict[str, str]) -> None:
    for read in (read_hint, requested_lifetime):
        refused = None
        try:
            read(params)
        except OAuthError as error:
            refused = error
        assert refused is None or (refused.error == "invalid_request" and refused.description.isascii())


def test_a_hint_does_not_show_the_number() -> None:
    hint = read_hint({"login_hint": "036190990001"})
    assert "036190990001" not in f"{hint!r} {hint}"
