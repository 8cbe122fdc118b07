"""Locks, passwords, codes, numbers, browsers: the small pure rules."""

import unicodedata
from datetime import UTC, datetime

import pyotp
import pytest

from core.web.browser import WebSecret
from core.web.client_address import network_of
from identity.known_browsers import LIFETIME_SECONDS, MAX_ENTRIES, entries_of, known_entry, with_entry
from identity.locks import CLEARED_BY, LOCK_REASONS, may_clear, may_unlock_online
from identity.number_field import read_number, shown_hint
from identity.password_rules import PasswordUnfit, check_new_password, normal_form
from identity.totp import check_secret, matching_step, read_code
from identity.where import Where, browser_of

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890"


def test_every_reason_has_somebody_who_may_clear_it() -> None:
    assert set(CLEARED_BY) == set(LOCK_REASONS)
    assert all(CLEARED_BY.values())


def test_a_holder_clears_no_lock_but_his_own() -> None:
    assert [reason for reason in LOCK_REASONS if may_clear(reason, "holder")] == ["holder"]


@pytest.mark.parametrize(
    ("reasons", "aal", "may"),
    [
        (["holder"], 2, True),
        (["holder"], 1, False),
        (["holder", "card"], 2, False),
        (["attempts"], 2, False),
        (["death"], 2, False),
        ([], 2, False),
    ],
)
def test_unlocking_online(reasons: list[str], aal: int, may: bool) -> None:
    assert may_unlock_online(reasons, aal) is may


@pytest.mark.parametrize("bad", ["short", "123456789012345", "aaaaaaaaaaaabb", "x" * 129])
def test_unfit_passwords(bad: str) -> None:
    with pytest.raises(PasswordUnfit) as caught:
        check_new_password(bad)
    assert bad not in str(caught.value)


def test_a_password_has_one_form() -> None:
    composed = "mật khẩu rất dài"
    assert check_new_password(unicodedata.normalize("NFD", composed)) == composed
    assert normal_form(composed) == composed


@pytest.mark.parametrize(
    ("epoch", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_of_rfc_6238_appendix_b(epoch: int, code: str) -> None:
    """The appendix's eight-digit values for SHA-1, their last six digits."""
    assert matching_step(RFC_SECRET, code, datetime.fromtimestamp(epoch, UTC)) == epoch // 30


@pytest.mark.parametrize(("seconds", "good"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)])
def test_one_step_around_is_taken(seconds: int, good: bool) -> None:
    made = 1_800_000_000 // 30 * 30
    code = pyotp.TOTP(RFC_SECRET).at(made)
    at = datetime.fromtimestamp(made + seconds, UTC)
    assert (matching_step(RFC_SECRET, code, at) == made // 30) is good


@pytest.mark.parametrize(
    ("typed", "code"), [("123 456", "123456"), (" 123456 ", "123456"), ("12345", None), ("١٢٣٤٥٦", None), ("", None)]
)
def test_codes_as_people_type_them(typed: str, code: str | None) -> None:
    assert read_code(typed) == code


@pytest.mark.parametrize("bad", ["JBSWY3DP", "not base32!", ""])
def test_weak_secrets(bad: str) -> None:
    with pytest.raises(ValueError, match="TOTP"):
        check_secret(bad)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("001190123456", "001190123456"),
        ("001 190 123 456", "001190123456"),
        ("001.190.123.456", "001190123456"),
        ("00119012345", None),
        ("٠٠١١٩٠١٢٣٤٥٦", None),
        ("001190123456'--", None),
        ("", None),
    ],
)
def test_numbers_as_people_type_them(typed: str, number: str | None) -> None:
    assert read_number(typed) == number
    assert shown_hint(typed) == (number or "")


def test_browsers_and_networks_are_coarse() -> None:
    chrome = "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 Chrome/131.0.6778.39 Mobile Safari/537.36"
    assert browser_of(chrome) == "Chrome · Android"
    assert browser_of("<script>") == ""
    assert network_of("113.161.40.77") == "113.161.40.0/24"
    assert network_of("2001:ee0:4f4e:1230::5") == "2001:ee0:4f4e::/48"
    assert network_of("::ffff:113.161.40.77") == "113.161.40.0/24"
    assert network_of("") == ""
    assert "113" not in repr(Where("113.161.40.77", "113.161.40.0/24", ""))


class TestKnownBrowser:
    secret = WebSecret(b"k" * 32)
    now = 1_800_000_000
    mac = b"m" * 32

    def test_it_is_known_for_its_own_number_until_it_expires(self) -> None:
        cookie = with_entry(self.secret, "", self.mac, self.now)
        assert known_entry(self.secret, cookie, self.mac, self.now) is not None
        assert known_entry(self.secret, cookie, b"n" * 32, self.now) is None
        assert known_entry(self.secret, cookie, self.mac, self.now + LIFETIME_SECONDS) is None
        assert known_entry(WebSecret(b"x" * 32), cookie, self.mac, self.now) is None

    def test_signing_in_again_keeps_the_lane(self) -> None:
        first = with_entry(self.secret, "", self.mac, self.now)
        second = with_entry(self.secret, first, self.mac, self.now + 100)
        assert len(entries_of(second)) == 1
        assert entries_of(first)[0].lane == entries_of(second)[0].lane

    def test_a_family_shares_a_browser(self) -> None:
        cookie = ""
        macs = [bytes([one]) * 32 for one in range(MAX_ENTRIES + 1)]
        for mac in macs:
            cookie = with_entry(self.secret, cookie, mac, self.now)
        known = [known_entry(self.secret, cookie, mac, self.now) is not None for mac in macs]
        assert known == [False, *[True] * MAX_ENTRIES]

    @pytest.mark.parametrize("junk", ["~", "a.b.c", "x" * 5000, "~".join(["a"] * 2000), "\x00"])
    def test_junk_is_nothing(self, junk: str) -> None:
        assert entries_of(junk) == []
        assert known_entry(self.secret, junk, self.mac, self.now) is None
