"""What may be said of oneself."""

import contextlib
import unicodedata
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.self_declared import MEMBERS, PART_LABELS, SelfDeclared, from_form, part_codes
from identity.self_declared_rules import check_language, check_text, check_time_zone, check_url

AT = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Chị   An ", "Chị An"),
        ("an.nguyen@example", "an.nguyen@example"),
        ("Hoa\u0300", "Hoà"),
        ("😀", "😀"),
        ("1234", "1234"),
    ],
)
def test_texts(typed: str, kept: str) -> None:
    declared, faults = from_form({"nickname": typed})
    assert (declared.nickname, faults) == (kept, {})


@pytest.mark.parametrize(
    "typed",
    [
        "a\u202eb",
        "a\u200bb",
        "\ufeff",
        "a\x07b",
        "a\ue000",
        "x" * 61,
        "036190990001",
        "036 190 990 001",
        "036190990",
        "03619.0990-001",
    ],
)
def test_texts_that_are_refused(typed: str) -> None:
    declared, faults = from_form({"nickname": typed})
    assert declared.nickname is None
    assert set(faults) == {"nickname"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://example.vn", "https://example.vn"),
        ("HTTPS://Example.VN/An", "https://example.vn/An"),
        ("https://example.vn:443/a?b=c#d", "https://example.vn/a?b=c#d"),
        ("https://bücher.example/ảnh.jpg", "https://xn--bcher-kva.example/%E1%BA%A3nh.jpg"),
        ("https://example.vn/%C3%A1", "https://example.vn/%C3%A1"),
        ("https://example.vn./x", "https://example.vn/x"),
    ],
)
def test_addresses(typed: str, kept: str) -> None:
    assert check_url(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "http://example.vn", "//example.vn", "example.vn", "javascript:alert(1)", "data:text/html,x", "https:", "https://",
        "https:example.vn", "https://localhost/x", "https://portal/x", "https://printer.local", "https://db.internal",
        "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://2130706433/", "https://0x7f.1/",
        "https://an@example.vn/", "https://an:secret@example.vn/", "https://example.vn@evil.example/",
        "https://example.vn:8443/", "https://example.vn:x/", "https://exa mple.vn/", "https://example.vn/a b", "https://example.vn\\@evil.example/",
        "https://exam\u202eple.vn/", "https://-a.vn/", "https://a..vn/", "https://example.v/",
        "https://example.vn/\n", "https://example.123/", "https://" + "a" * 64 + ".vn/",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        check_url(typed)


@given(st.text(max_size=40).map(lambda text: "https://" + text) | st.text(max_size=60))
def test_an_address_that_is_kept_is_one_of_a_named_host(typed: str) -> None:
    with contextlib.suppress(ValueError):
        kept = check_url(typed)
        parts = urlsplit(kept)
        assert kept.isascii()
        assert kept.isprintable()
        assert " " not in kept
        assert (parts.scheme, parts.username, parts.password, parts.port) == ("https", None, None, None)
        assert parts.hostname
        assert "." in parts.hostname
        assert check_url(kept) == kept


@given(st.text(max_size=80))
def test_a_text_that_is_kept_is_seen(typed: str) -> None:
    with contextlib.suppress(ValueError):
        kept = check_text(unicodedata.normalize("NFC", typed))
        assert kept == check_text(kept)
        assert kept.strip() == kept
        assert not any(unicodedata.category(char).startswith(("Cc", "Cf", "Zl", "Zp")) for char in kept)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("asia/ho_chi_minh", "Asia/Ho_Chi_Minh"), ("Asia/Ho Chi Minh", "Asia/Ho_Chi_Minh"), ("UTC", "UTC")],
)
def test_time_zones(typed: str, kept: str) -> None:
    assert check_time_zone(typed) == kept


@pytest.mark.parametrize("typed", ["Hanoi", "GMT+7:00", "../etc/passwd", "posix/Asia/Tokyo", "localtime", "Asia/"])
def test_time_zones_that_are_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        check_time_zone(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("VI-vn", "vi-VN"), ("en_GB", "en-GB"), ("zh-hant-tw", "zh-Hant-TW"), ("rad", "rad"), ("es-419", "es-419")],
)
def test_languages(typed: str, kept: str) -> None:
    """Also of peoples that no table of languages of ours has (rad: Ê Đê)."""
    assert check_language(typed) == kept


@pytest.mark.parametrize("typed", ["v", "vietnamese", "vi-", "vi-VNM", "vi VN", "vi-VN-x-a", "१२"])
def test_languages_that_are_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="language"):
        check_language(typed)


def test_an_empty_entry_is_not_said() -> None:
    declared, faults = from_form({"nickname": " ", "website": "", "unknown": "x"})
    assert (declared, faults) == (SelfDeclared(), {})
    assert declared.claims() == {}


def test_there_and_back() -> None:
    said = {"nickname": "An", "zoneinfo": "Asia/Ho_Chi_Minh"}
    declared = SelfDeclared.of({**said, "of_tomorrow": "x"}, AT)
    assert declared.said() == said
    assert declared.claims() == {**said, "updated_at": int(AT.timestamp())}
    assert part_codes(declared.claims()) == ("self_declared.nickname", "self_declared.zoneinfo")
    assert set(PART_LABELS) == set(part_codes(dict.fromkeys(MEMBERS)))


def test_nothing_of_it_shows_in_a_log() -> None:
    assert "An" not in repr(SelfDeclared(nickname="An"))
